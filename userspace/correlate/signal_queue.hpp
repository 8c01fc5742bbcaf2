// SPDX-License-Identifier: GPL-2.0-only
// One pending queue of the traced kernel: a thread's private one or a
// process's shared one.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "correlate/fifo.hpp"
#include "correlate/interval.hpp"

namespace ipcscope::correlate {

/// What tells two signals of the same number apart.
struct Identity {
    std::int32_t si_code = 0;
    std::uint32_t sender_pid = 0;
    std::uint64_t value = 0;
    bool known = false;      ///< false: nothing was given, or it could not be read

    friend bool operator==(const Identity&, const Identity&) = default;
};

Identity identity_of(const decode::SignalGenerate& body);
Identity identity_of(const decode::SignalTake& body);

/// A signal that the kernel has queued and that has not been taken.
struct Pending {
    SignalInterval signal;
    Identity identity;
    std::uint32_t owner = 0; ///< thread in whose private queue it is; 0: shared
    bool late = false;       ///< came after records that are younger: its taking may have

    /// Queued without its information: only a bit in the set says so.
    bool bit_only() const { return signal.outcome == Outcome::info_lost; }
};

/// What is taken.
struct Wanted {
    unsigned signal = 0;
    Identity identity;
    std::uint64_t until_ns = UINT64_MAX;   ///< generated no later
    std::uint64_t gap_ns = 0;              ///< records were last lost
};

/// Whether one of which nothing is known may be what is taken: a bit only as what the
/// kernel makes up for one.
bool may_be(const Pending& pending, const Wanted& wanted);

/// What one taking took out of a queue.
struct Taken {
    std::vector<Pending> taken;     ///< more than one where they shared one bit
    std::vector<Pending> overtaken; ///< older ones, which must have gone before
    bool empty() const { return taken.empty(); }
};

class SignalQueue {
public:
    using Condition = std::function<bool(const Pending&)>;

    /// @return those that had to go: no more than kMost of a number are kept
    std::vector<Pending> push(Pending pending);

    /// The first signal of that identity.  After a gap an older one may be left
    /// over from a taking that was lost: of equals, one that was generated after
    /// the gap is preferred, unless the older was blocked.
    Taken take_same(const Wanted& wanted);

    /// The next signal of that number.
    Taken take_next(const Wanted& wanted);

    /// The next one of which nothing is known that could tell it apart.
    Taken take_unknown(const Wanted& wanted);

    /// The newest one of a number that meets a condition: when it was generated.
    std::optional<std::uint64_t> newest_ns(unsigned signal, const Condition& wanted) const;
    /// There is one.
    Pending take_newest(unsigned signal, const Condition& wanted);

    std::vector<Pending> take_if(const Condition& wanted);
    std::vector<Pending> take_signal(unsigned signal);
    std::vector<Pending> take_all();

    /// The first of that identity, or of which nothing is known; or nullptr.
    const Pending* find(unsigned signal, const Identity& identity) const;
    /// Whether one was generated before `time_ns`.
    bool holds_before(unsigned signal, std::uint64_t time_ns) const;
    bool empty() const { return signals_.empty(); }
    std::size_t size() const;

    /// The kernel bounds entries (RLIMIT_SIGPENDING), but not how often it may
    /// be asked to set a bit that is set.
    static constexpr std::size_t kMost = 1 << 20;

private:
    struct List {
        Fifo<Pending> entries;
        Fifo<Pending> bits;             ///< without an entry: all share one bit
        bool empty() const { return entries.empty() && bits.empty(); }
    };
    using Lists = std::map<unsigned, List>;

    Taken take_entry(Lists::iterator list, std::size_t index, std::uint64_t until_ns);
    Taken take_bits(Lists::iterator list, std::uint64_t until_ns);

    Lists signals_;     ///< by number; no list is empty
};

}  // namespace ipcscope::correlate
