// SPDX-License-Identifier: GPL-2.0-only
// The table of codes: what can be found.  docs/findings.md explains each; a unit test
// compares the two.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ipcscope::diagnose {

enum class Severity : std::uint8_t {
    error,     ///< something hung, was lost, or never ended
    warning,   ///< time was lost: slow, ignored, merged
    note,      ///< context
};
std::string_view name(Severity severity);

/// Append only.
enum class Code : std::uint8_t {
    // fatal signals, deaths
    kill_stuck,
    slow_exit,
    signal_ignored,
    signal_unkillable,
    // signals
    signal_overflow,
    signal_info_lost,
    signal_late,
    signal_pending,
    signal_merged,
    // pipes
    slow_stage,
    end_held_open,
    ring_turns,
    deadlock,
    stuck_read,
    stuck_write,
    partner_stopped,
    partner_frozen,
    partner_traced,
    reader_gone,
    eagain_storm,
    short_reads,
    short_writes,
    small_ring,
    small_writes,
    // deaths
    signal_blocked,
    zombie,
    slow_reap,
    target_stopped,
    target_frozen,
    target_traced,
    sender_renamed,
    // pipes
    stuck_open,
    stuck_connect,
    target_starved,
    d_state,
    // deaths
    oom_kill,
    crash,
    ended_by_kernel,
    ended_by_process,
    container_shutdown,
    // futexes
    convoy,
    // handlers
    slow_handler,
    // deaths
    unit_shutdown,
    // message queues
    priority_starved,
};
inline constexpr std::size_t kCodeCount = static_cast<std::size_t>(Code::priority_starved) + 1;

struct CodeInfo {
    Code code;
    std::string_view name;
    Severity severity;          ///< where the finding does not say else
    std::string_view meaning;   ///< one line
};

inline constexpr std::array kCodes{
    CodeInfo{Code::kill_stuck, "kill-stuck", Severity::warning,
             "a process did not end at once, because a thread slept in D or K"},
    CodeInfo{Code::slow_exit, "slow-exit", Severity::warning,
             "a process took a signal that asks to end, and went on"},
    CodeInfo{Code::signal_ignored, "signal-ignored", Severity::warning,
             "a process ignores a signal that asks to end"},
    CodeInfo{Code::signal_unkillable, "signal-unkillable", Severity::warning,
             "the init of a pid namespace ignores a signal from inside"},
    CodeInfo{Code::signal_overflow, "signal-overflow", Severity::error,
             "signals were lost, because the queue of pending ones was full"},
    CodeInfo{Code::signal_info_lost, "signal-info-lost", Severity::warning,
             "signals came without their siginfo, because the queue was full"},
    CodeInfo{Code::signal_late, "signal-late", Severity::warning,
             "a signal took long from its generation to its delivery"},
    CodeInfo{Code::signal_pending, "signal-pending", Severity::warning,
             "a signal was still pending when the trace ended"},
    CodeInfo{Code::signal_merged, "signal-merged", Severity::warning,
             "signals merged with one of their number that was pending"},
    CodeInfo{Code::slow_stage, "slow-stage", Severity::warning,
             "the other stages of a pipeline wait for one"},
    CodeInfo{Code::end_held_open, "end-held-open", Severity::error,
             "a write end that is held open keeps end-of-file from coming"},
    CodeInfo{Code::ring_turns, "ring-turns", Severity::note,
             "both sides of a pipe wait for each other by turns"},
    CodeInfo{Code::deadlock, "deadlock", Severity::error,
             "processes wait for each other in a circle"},
    CodeInfo{Code::stuck_read, "stuck-read", Severity::note,
             "a read had not returned when the trace ended"},
    CodeInfo{Code::stuck_write, "stuck-write", Severity::error,
             "a write to a full pipe had not returned when the trace ended"},
    CodeInfo{Code::partner_stopped, "partner-stopped", Severity::warning,
             "a wait was long because the process at the other end was stopped"},
    CodeInfo{Code::partner_frozen, "partner-frozen", Severity::warning,
             "a wait was long because the process at the other end was frozen"},
    CodeInfo{Code::partner_traced, "partner-traced", Severity::warning,
             "a wait was long because a debugger held the process at the other end"},
    CodeInfo{Code::reader_gone, "reader-gone", Severity::note,
             "a writer got SIGPIPE or EPIPE, because the last reader was gone"},
    CodeInfo{Code::eagain_storm, "eagain-storm", Severity::warning,
             "calls on a non-blocking end were retried at once, and refused"},
    CodeInfo{Code::short_reads, "short-reads", Severity::warning,
             "reads asked for more than a pipe can hold, and data was left behind"},
    CodeInfo{Code::short_writes, "short-writes", Severity::note,
             "many writes moved only a part of what they were given"},
    CodeInfo{Code::small_ring, "small-ring", Severity::warning,
             "a pipe has fewer pages than usual, and its writers waited for room"},
    CodeInfo{Code::small_writes, "small-writes", Severity::note,
             "a writer filled a pipe by very many very small writes"},
    CodeInfo{Code::signal_blocked, "signal-blocked", Severity::warning,
             "a signal that asks to end stayed pending, because its target blocks it"},
    CodeInfo{Code::zombie, "zombie", Severity::error,
             "a process has ended, and its parent has not reaped it"},
    CodeInfo{Code::slow_reap, "slow-reap", Severity::warning,
             "a process had ended, and its parent took long to reap it"},
    CodeInfo{Code::target_stopped, "target-stopped", Severity::warning,
             "a signal waited, because its target was stopped"},
    CodeInfo{Code::target_frozen, "target-frozen", Severity::warning,
             "a signal waited, because its target was frozen"},
    CodeInfo{Code::target_traced, "target-traced", Severity::warning,
             "a signal waited, because a debugger held its target"},
    CodeInfo{Code::sender_renamed, "sender-renamed", Severity::note,
             "the process that sent a fatal signal has another name now"},
    CodeInfo{Code::stuck_open, "stuck-open", Severity::warning,
             "the open of a FIFO waited for its other end, which no process opened"},
    CodeInfo{Code::stuck_connect, "stuck-connect", Severity::warning,
             "the connect() of a Unix socket waited for room in a full backlog"},
    CodeInfo{Code::target_starved, "target-starved", Severity::warning,
             "a signal waited, because its target waited for a CPU"},
    CodeInfo{Code::d_state, "d-state", Severity::warning,
             "a thread slept in D or K as the trace ended, and no signal was sent to it"},
    CodeInfo{Code::oom_kill, "oom-kill", Severity::error,
             "the OOM killer ended a process"},
    CodeInfo{Code::crash, "crash", Severity::warning,
             "a process was ended by a fault of its own, or by its seccomp filter"},
    CodeInfo{Code::ended_by_kernel, "ended-by-kernel", Severity::note,
             "the kernel ended a process: a terminal, a pid namespace, a cgroup.kill, ..."},
    CodeInfo{Code::ended_by_process, "ended-by-process", Severity::note,
             "a signal of another process ended one"},
    CodeInfo{Code::container_shutdown, "container-shutdown", Severity::warning,
             "a container was asked to end, and some of it did not soon"},
    CodeInfo{Code::convoy, "convoy", Severity::warning,
             "the others that use a futex wait for one of them"},
    CodeInfo{Code::slow_handler, "slow-handler", Severity::warning,
             "signals waited, because their target was in a handler that blocks them"},
    CodeInfo{Code::unit_shutdown, "unit-shutdown", Severity::warning,
             "several processes of a unit were asked to end, and some did not soon"},
    CodeInfo{Code::priority_starved, "priority-starved", Severity::warning,
             "messages of a low priority stay in a queue, for ever more of a higher one come"},
};
static_assert(kCodes.size() == kCodeCount);

constexpr bool in_order()
{
    for (std::size_t at = 0; at < kCodes.size(); ++at) {
        if (static_cast<std::size_t>(kCodes[at].code) != at) {
            return false;
        }
    }
    return true;
}
static_assert(in_order());

constexpr const CodeInfo& info(Code code) { return kCodes[static_cast<std::size_t>(code)]; }
std::optional<Code> find_code(std::string_view name);

}  // namespace ipcscope::diagnose
