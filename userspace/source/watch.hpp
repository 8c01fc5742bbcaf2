// SPDX-License-Identifier: GPL-2.0-only
// Which processes should have ended, and when each is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include <ipcscope/record.h>

namespace ipcscope::source {

/// Watches the target of a signal whose default action ends a process, from its record
/// until the process is gone.  It is looked at once `after_ns` have passed, then after
/// 10, 100, … times as long; at once where it was a zombie already.
///
/// One that handles the signal may be meant to live on.  It is watched where the signal is
/// one that asks a process to end (SIGTERM, SIGINT, SIGQUIT, SIGHUP) and not otherwise: a
/// SIGUSR1 with a handler, or a blocked one, costs a comparison.  A further signal does not
/// begin the schedule anew, unless it is another one, or kAgain_ns have passed: so a process
/// that gets a thousand SIGHUP a second is looked at twice in kAgain_ns.
class Watch {
public:
    static constexpr std::uint64_t kAgain_ns = 10'000'000'000;
    static constexpr std::size_t kMost = 1024;   ///< processes; the one due last goes

    struct Target {
        std::uint32_t tgid = 0;
        std::uint64_t sent_ns = 0;    ///< of the signal
        unsigned signal = 0;
        unsigned looks = 0;           ///< before this one
    };

    /// `self`: processes that are never watched.
    Watch(std::uint64_t after_ns, std::vector<std::uint32_t> self);

    void saw(const ipcscope_signal_generate& sent);
    void saw(const ipcscope_kill& sent);
    void freed(std::uint32_t tgid) { forget(tgid); }

    /// A process whose look is due, and which is due next after this one; nullopt: none.
    std::optional<Target> take_due(std::uint64_t now_ns);
    /// All that should have ended by now and were not looked at within `after_ns`.
    std::vector<Target> take_all(std::uint64_t now_ns);
    /// It was not there any more.
    void gone(std::uint32_t tgid) { forget(tgid); }

    /// When the next look is due; UINT64_MAX: none is.
    std::uint64_t next_ns() const;
    std::size_t size() const { return watched_.size(); }

private:
    struct Watched {
        Target target;
        std::uint64_t signals = 0;    ///< bits of those since `target.sent_ns`
        std::uint64_t next_ns = 0;
        std::uint64_t looked_ns = 0;
    };
    void add(std::uint32_t tgid, unsigned signal, std::uint64_t sent_ns, bool zombie);
    void forget(std::uint32_t tgid);
    void schedule(Watched& watched, std::uint64_t next_ns);
    std::uint64_t next_look(const Watched& watched, std::uint64_t now_ns) const;

    std::uint64_t after_ns_;
    std::vector<std::uint32_t> self_;
    std::unordered_map<std::uint32_t, Watched> watched_;      ///< by tgid
    std::set<std::pair<std::uint64_t, std::uint32_t>> due_;   ///< by (next_ns, tgid)
};

}  // namespace ipcscope::source
