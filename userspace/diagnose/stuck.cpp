// SPDX-License-Identifier: GPL-2.0-only
// Which read or write never returned?
#include <algorithm>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/pipe_kinds.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::PipeEndRow;
using aggregate::PipeRow;

/// "5 (sleep) alone holds the read end"
std::string holders(const LongWait& wait, const HeldBy& held)
{
    return fmt::format("{} {} the {} end", all_of(held.ends),
                       held.ends.size() == 1 ? "alone holds" : "hold",
                       wait.output ? "read" : "write");
}

/// What the holders of the other end did: the reason as far as the records have it.
std::string partners(const WaitGraph& graph, const LongWait& wait, const HeldBy& held)
{
    if (!held.known) {
        return held.all
            ? fmt::format(" {}; what {} is not in the trace.", holders(wait, held),
                          held.ends.size() == 1 ? "it does" : "they do")
            : fmt::format(" What the processes at its {} end did is not in the trace.",
                          wait.output ? "read" : "write");
    }
    std::uint64_t last_ns = 0;
    for (const PipeEndRow* end : held.ends) {
        last_ns = std::max(last_ns, end->last_call_ns);
    }
    if (last_ns == 0) {
        return fmt::format(" {}, and {} not {} it in the trace.", holders(wait, held),
                           held.ends.size() == 1 ? "has" : "have",
                           wait.output ? "read from" : "written to");
    }
    return fmt::format(" {}, and last {} {} into the trace.", holders(wait, held),
                       wait.output ? "read from it" : "wrote to it", into_trace(graph, last_ns));
}

/// Much longer than any wait of that thread on that pipe that came to an end.
bool unusual(const WaitGraph& graph, const LongWait& wait)
{
    return graph.longest_over_ns(wait) < since(wait.end_ns, wait.start_ns) / 2;
}

/// A signal broke a write off for which no reader had come.
bool is_given_up(const LongWait& wait, const HeldBy& held)
{
    return wait.ended == LongWait::Ended::signal && wait.output && held.known &&
           std::ranges::all_of(held.ends, [&](const PipeEndRow* end) {
               return end->last_call_ns <= wait.start_ns;
           });
}

/// `killed`: the signal that ended the process; 0: the trace ended.
Finding stuck(const WaitGraph& graph, const LongWait& wait, const PipeRow& pipe,
              const HeldBy& held, unsigned killed)
{
    const std::uint64_t ns = wait.length_ns();
    const std::string when = wait.before_trace
        ? "since before the trace"
        : fmt::format("for {}", time(ns));
    Finding made = finding(
        wait.output ? Code::stuck_write : Code::stuck_read,
        fmt::format("{} had been blocked in a {} of {} {} when {}{}.", waiter(graph, wait),
                    wait.output ? "write" : "read", which(pipe), when,
                    killed != 0 ? decode::signal_name(killed) + " ended it" : "the trace ended",
                    wait.output ? ": the pipe was full" : ""));
    if (killed != 0) {
        made.severity = Severity::warning;
    }
    made.text += partners(graph, wait, held);
    if (held.known || held.all) {
        for (const PipeEndRow* end : held.ends) {
            made.subjects.push_back({end->task, "holder"});
        }
    }
    made.subjects.insert(made.subjects.begin(), {wait.process, "waiter"});
    made.objects.push_back(object_of(pipe));
    made.at_ns = wait.start_ns;
    made.duration_ns = ns;
    made.evidence = {{"blocked_ns", ns},
                     {"asked_bytes", std::uint64_t{wait.requested}},
                     {"since_before_trace", std::uint64_t{wait.before_trace}}};
    return made;
}

}  // namespace

void find_stuck(WaitGraph& graph, Findings& findings)
{
    for (const LongWait& wait : graph.waits()) {
        const PipeRow* pipe = graph.pipe(wait.inode, wait.dev);
        if (pipe == nullptr || graph.explained(wait) ||
            (!wait.before_trace && wait.length_ns() < kThresholds.stuck_ns)) {
            continue;
        }
        const HeldBy held = graph.held_by(*pipe, wait.output, wait.end_ns);
        const unsigned killed = is_given_up(wait, held) ? killed_by(graph, wait) : 0;
        const bool never_returned = wait.ended == LongWait::Ended::unfinished &&
                                    unusual(graph, wait);
        if (!never_returned && killed == 0) {
            continue;
        }
        graph.explain(wait);
        findings.push_back(stuck(graph, wait, *pipe, held, killed));
    }
}

}  // namespace ipcscope::diagnose
