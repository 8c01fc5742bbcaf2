// SPDX-License-Identifier: GPL-2.0-only
// One pending queue of the traced kernel: a thread's private one or a
// process's shared one.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

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

Identity identity_of(const decode::Event& event, const decode::SignalGenerate& body);
Identity identity_of(const decode::Event& event, const decode::SignalDequeue& body);

/// A signal that the kernel has taken and nobody has consumed.
struct Pending {
    SignalInterval signal;
    Identity identity;

    /// Queued without its information: only a bit in the set says so.
    bool bit_only() const { return signal.outcome == Outcome::info_lost; }
};

/// What one consumption took out of a queue.
struct Taken {
    std::vector<Pending> taken;     ///< more than one where they shared one bit
    std::vector<Pending> overtaken; ///< older ones, which must have gone before
    bool empty() const { return taken.empty(); }
};

class SignalQueue {
public:
    /// @return those that had to go: no more than kMost of a number are kept
    std::vector<Pending> push(Pending pending);

    /// The first signal of that identity.  After a gap an older one may be left
    /// over from a consumption that was lost: of equals, one that was generated
    /// after `gap_ns` is preferred, unless the older was blocked.
    Taken take_same(unsigned signal, const Identity& identity, std::uint64_t gap_ns);

    /// The next signal of that number.
    Taken take_next(unsigned signal);

    /// The next one of which nothing is known that could tell it apart; a bit
    /// only where `identity` is what the kernel makes up for a bit.
    Taken take_unknown(unsigned signal, const Identity& identity);

    std::vector<Pending> take_if(const std::function<bool(const Pending&)>& wanted);
    std::vector<Pending> take_signal(unsigned signal);
    std::vector<Pending> take_all();
    void append(SignalQueue&& other);

    /// Whether one was generated before `time_ns`.
    bool holds_before(unsigned signal, std::uint64_t time_ns) const;
    bool empty() const { return signals_.empty(); }
    std::size_t size() const;

    /// The kernel bounds entries (RLIMIT_SIGPENDING), but not how often it may
    /// be asked to set a bit that is set.
    static constexpr std::size_t kMost = 1 << 20;

private:
    struct List {
        std::deque<Pending> entries;    ///< first in, first out
        std::deque<Pending> bits;       ///< without an entry: all share one bit
        bool empty() const { return entries.empty() && bits.empty(); }
    };
    using Lists = std::map<unsigned, List>;

    Taken take_entry(Lists::iterator list, std::size_t index);
    Taken take_bits(Lists::iterator list);

    Lists signals_;     ///< by number; no list is empty
};

}  // namespace ipcscope::correlate
