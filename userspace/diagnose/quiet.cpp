// SPDX-License-Identifier: GPL-2.0-only
// What is said where there is no finding, or nothing was seen, or events were lost.
#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "aggregate/waits.hpp"
#include "base/units.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

constexpr std::array<std::string_view, 6> kAdvice = {
    "the reader was too slow: use a larger --ring-size, or filter more",
    "an interrupt came while the ring was in use: filter more; size does not help",
    "more calls were under way than could be remembered: filter more (--pid)",
    "the kernel skipped a hook inside another one: trace fewer kinds",
    "the capture could not be written: is the disk full or slow?",
    "the capture file is damaged: copy it again from where it was made",
};
static_assert(kAdvice.size() == IPCSCOPE_LOST_COUNT);

constexpr std::size_t kNamed = 3;

/// The longest wait of `pid` (0: of any) for another process; nullptr: none is long.
const aggregate::WaitRow* longest_wait(const std::vector<aggregate::WaitRow>& waits,
                                       std::uint32_t pid, std::uint32_t but)
{
    const auto found = std::ranges::find_if(waits, [&](const aggregate::WaitRow& wait) {
        return (pid == 0 || wait.waiter.tgid == pid) && wait.waker.tgid != 0 &&
               wait.waker.tgid != wait.waiter.tgid && wait.waker.tgid != but;
    });
    return found == waits.end() || found->total_ns < kThresholds.slow_stage_ns ? nullptr : &*found;
}

/// " 13 (idle) waited 2.67 s for pipe 7, and still did when the trace ended.": the longest wait that
/// no process is known to have ended, where it is as long as the others.
std::string who_waited_for_none(const aggregate::Report& report,
                                const std::vector<aggregate::WaitRow>& waits,
                                const aggregate::WaitRow* longest)
{
    const auto row = std::ranges::find_if(
        waits, [](const aggregate::WaitRow& wait) { return wait.waker.tgid == 0; });
    const std::uint64_t least = longest == nullptr ? kThresholds.slow_stage_ns : longest->total_ns;
    if (row == waits.end() || row->total_ns < least) {
        return "";
    }
    const auto channel =
        std::ranges::find(report.channels, row->channel, &aggregate::ChannelRow::object);
    if (channel == report.channels.end()) {
        return "";
    }
    return fmt::format(" {} waited {} for {}{}, and {}.", who(row->waiter), time(row->total_ns),
                       row->output ? "room in " : "", which(*channel),
                       row->unfinished_ns == row->total_ns
                           ? "still did when the trace ended"
                           : "no other process is known to have ended that");
}

/// " The longest waits were those of 13 (idle) for 12 (feeder), 2.67 s in all, which itself waited
/// 2.63 s for 14 (worker)."
std::string who_waited(const aggregate::Report& report)
{
    const auto waits = aggregate::by_process(report.waits);
    const aggregate::WaitRow* first = longest_wait(waits, 0, 0);
    const std::string for_none = who_waited_for_none(report, waits, first);
    if (first == nullptr) {
        return for_none;
    }
    std::string text = fmt::format(" The longest waits were those of {} for {}, {} in all",
                                   who(first->waiter), who(first->waker), time(first->total_ns));
    if (const auto* next = longest_wait(waits, first->waker.tgid, first->waiter.tgid)) {
        text += fmt::format(", which itself waited {} for {}", time(next->total_ns),
                            who(next->waker));
    }
    return text + "." + for_none;
}

/// A process that the trace found in poll, and that stayed there, has made no call.
std::string what_they_did(const aggregate::Report& report)
{
    std::string text;
    for (const aggregate::ProcessRow& row :
         std::span(report.processes).first(std::min(kNamed, report.processes.size()))) {
        const std::string did = where_time_went(row.time);
        text += fmt::format("{}{}{}", text.empty() ? "" : "; ", who(row.task),
                            did.empty() ? "" : ": " + did);
    }
    const std::size_t more = report.processes.size() - std::min(kNamed, report.processes.size());
    return fmt::format("The filters match what made no such call: {}{}.", text,
                       more == 0 ? "" : fmt::format("; and {} more", more));
}

}  // namespace

std::string_view loss_advice(unsigned cause) { return kAdvice[cause]; }

std::uint64_t total_lost(const aggregate::LossLedger& loss)
{
    std::uint64_t sum = 0;
    for (const std::uint64_t count : loss.lost) {
        sum = plus(sum, count);
    }
    return sum;
}

bool saw_nothing(const aggregate::Report& report)
{
    return report.signals.empty() && report.channels.empty() && report.kills.empty() &&
           report.calls.empty() && report.objects.empty() && report.stuck.empty();
}

std::vector<std::string> what_to_check(const aggregate::Report& report)
{
    const source::Host& host = report.host;
    std::vector<std::string> checks;
    if (report.loss.filtered != 0) {
        checks.push_back(fmt::format("{} left out by the filters: are they too narrow?",
                                     counted(report.loss.filtered, "event was", "events were")));
    } else if (!host.filters.empty() && !report.processes.empty()) {
        checks.push_back(what_they_did(report));
    } else if (!host.filters.empty()) {
        checks.emplace_back("Do the filters match what you are looking for? Pids are those of "
                            "the initial pid namespace, not of a container.");
    }
    if (total_lost(report.loss) != 0) {
        checks.emplace_back("Everything that happened was lost: see Loss for the cause.");
    }
    if (host.kernel.empty()) {
        return {"The capture ends before its trace began: record was killed while it attached."};
    }
    if (host.hooks.empty()) {
        checks.emplace_back("No hook was attached: `ipcscope doctor` reports what this kernel "
                            "lacks.");
    }
    const bool all = std::ranges::any_of(host.hooks, [](const std::string& hook) {
        return hook.starts_with("futex (entry)");
    });
    checks.push_back(fmt::format(
        "Did it happen while the trace ran? A call is recorded when it returns, or as the trace "
        "ends; {}. What a process waits for now: `ipcscope inspect PID`.",
        all ? "one on a socket, a queue or a futex that began before the trace only if it returned"
            : "sockets, queues and futexes only with --trace ipc"));
    return checks;
}

std::string all_quiet(const aggregate::Report& report)
{
    std::uint64_t signals = 0;
    for (const aggregate::SignalRow& row : report.signals) {
        signals = plus(signals, sent(row));
    }
    const auto pipes = std::ranges::count_if(report.channels, &aggregate::ChannelRow::is_pipe);
    const std::string others = report.objects.empty()
        ? "" : fmt::format(" and {}", counted(report.objects.size(), "other IPC object",
                                              "other IPC objects"));
    std::string text = fmt::format("Nothing stands out in {}{} {}{}: no slow kill, no lost or "
                                   "late signal, no slow stage (docs/findings.md has the limits).",
                                   counted(signals, "signal", "signals"),
                                   others.empty() ? " and" : ",",
                                   counted(static_cast<std::uint64_t>(pipes), "pipe", "pipes"),
                                   others);
    text += who_waited(report);
    if (report.restricted) {
        text += " What processes outside the filters did is not in the trace.";
    }
    return text;
}

}  // namespace ipcscope::diagnose
