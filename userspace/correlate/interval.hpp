// SPDX-License-Identifier: GPL-2.0-only
// What events amount to: from a generation to its delivery, from a kill to
// the death.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "decode/event.hpp"

namespace ipcscope::correlate {

using decode::Origin;
using decode::Outcome;
using decode::State;
using decode::Task;

/// How a generated signal ended.
enum class End : std::uint8_t {
    handler,          ///< a handler was set up
    standard,         ///< its default action was begun
    ignored,          ///< taken, and nothing done: ignored, or by default
    sigwait,          ///< accepted by sigwait or sigtimedwait
    signalfd,         ///< read from a signalfd
    debugger,         ///< a debugger dropped or replaced it
    kernel_thread,    ///< taken by a kernel thread
    death,            ///< fatal: it became the process's group exit
    not_queued,       ///< ignored, already pending or overflow: see outcome
    pending,          ///< unmatched: still pending when the trace ended
    target_exited,    ///< unmatched: the target died first
    unseen,           ///< unmatched: must have ended while events were lost
    flushed,          ///< unmatched: discarded, a stop signal by SIGCONT or the
                      ///< reverse, an expired timer's by setting the timer anew
    discarded,        ///< unmatched: sigaction() set it to be ignored
    outside,          ///< unmatched: aggregate's, for targets that were not traced
};
inline constexpr std::size_t kEnds = static_cast<std::size_t>(End::outside) + 1;

/// One generated signal.
struct SignalInterval {
    std::uint64_t generated_ns = 0;
    Task sender;
    Task target;
    Comm sender_process;           ///< name of the sender's process; empty: not known
    Comm target_process;           ///< likewise
    unsigned signal = 0;
    std::int32_t si_code = 0;
    Origin origin{};
    Outcome outcome{};
    State target_state{};
    bool shared = false;
    bool fatal = false;
    bool unkillable = false;
    decode::Disposition disposition{};
    bool blocked = false;
    bool dying = false;            ///< the process was exiting already
    bool requeued = false;         ///< put back: taken, then blocked
    std::uint64_t send_enter_ns = 0;
    End end{};
    Task receiver;                 ///< the thread that took it
    std::uint64_t dequeued_ns = 0; ///< it left its queue; 0: not seen
    std::uint64_t ended_ns = 0;    ///< delivery; 0 where unmatched
    bool traced = false;           ///< a debugger stopped the receiver meanwhile

    /// True where the kernel took the signal (delivered or info lost).
    bool queued() const
    {
        return outcome == Outcome::delivered || outcome == Outcome::info_lost;
    }
    bool matched() const { return end <= End::death; }
    std::uint64_t latency_ns() const { return matched() ? ended_ns - generated_ns : 0; }
};

/// A taking for which no generation was seen.
struct Orphan {
    std::uint64_t time_ns = 0;
    Task receiver;
    unsigned signal = 0;
    /// Why: a SIGKILL that the kernel says was never generated (group exit, exec,
    /// core dump), or unknown (sent before the trace began, or lost).
    enum class Why : std::uint8_t { group_exit, unknown } why{};
};

/// A fatal signal to a process with a thread in D or K sleep.
struct KillInterval {
    std::uint64_t sent_ns = 0;
    unsigned signal = 0;
    Task sender;
    Origin origin{};
    Task target;                        ///< tid: the stuck thread
    State state{};                      ///< uninterruptible or killable
    std::uint32_t stuck_threads = 0;
    std::vector<SafeText> stack;        ///< "pipe_wait+0x6f/0xa0", innermost first
    unsigned repeats = 0;               ///< further fatal signals while it was dying
    std::optional<std::uint64_t> gone_ns;    ///< process dead: parent notified (SIGCHLD), its
                                             ///< last thread gone, or freed
    std::optional<std::uint64_t> reaped_ns;  ///< its task was freed
    std::uint64_t trace_end_ns = 0;     ///< for those that are still stuck

    std::optional<std::uint64_t> time_to_die_ns() const
    {
        if (!gone_ns) return std::nullopt;
        return *gone_ns - sent_ns;
    }
};

using Interval = std::variant<SignalInterval, Orphan, KillInterval>;

}  // namespace ipcscope::correlate
