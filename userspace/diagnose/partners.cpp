// SPDX-License-Identifier: GPL-2.0-only
// Whose wait was long because the process at the other end was stopped, frozen, or held
// by a debugger?
#include <algorithm>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::LongWait;
using aggregate::ChannelRow;
using aggregate::StopRow;

/// A wait for a process that was stopped during most of it.
struct Held {
    const LongWait* wait;
    const ChannelRow* channel;
    std::uint64_t ns;   ///< of it, stopped
};

/// The process for which it waited: its waker, or the only holder of the other end.
Pid waited_for(const WaitGraph& graph, const LongWait& wait, const ChannelRow& channel)
{
    if (wait.waker.tid != 0 && graph.holds(channel, wait.output, wait.waker.tgid)) {
        return wait.waker.tgid;
    }
    const auto* only = graph.held_by(channel, wait.output, wait.end_ns).only();
    return only != nullptr ? only->task.tgid : 0;
}

/// Once it went on, the process waited for another: that the wait was long is not its stop's doing.
bool waited_on(const WaitGraph& graph, const StopRow& stop, const LongWait& wait)
{
    return std::ranges::any_of(graph.waits(), [&](const LongWait& own) {
        return own.process.tgid == stop.process.tgid && own.channel != wait.channel &&
               own.start_ns >= stop.end_ns &&
               own.start_ns <= stop.end_ns + kThresholds.slow_death_ns && own.end_ns <= wait.end_ns;
    });
}

Code code_of(decode::State state)
{
    switch (state) {
    case decode::State::frozen: return Code::partner_frozen;
    case decode::State::traced: return Code::partner_traced;
    default: return Code::partner_stopped;
    }
}

/// "was stopped by SIGSTOP from 5 (bash) until SIGCONT from 5 (bash), 2.9 s"
std::string how_long(const WaitGraph& graph, const StopRow& stop)
{
    std::string text;
    switch (stop.state) {
    case decode::State::frozen: text = "was frozen"; break;
    case decode::State::traced: text = "was held by a debugger"; break;
    default:
        text = "was stopped";
        if (stop.stopped_by) {
            text += " by " + by(*stop.stopped_by, stop.process);
        }
    }
    if (stop.unfinished) {
        text += ", and still was when the trace ended,";
    } else if (stop.continued_by) {
        text += " until " + by(*stop.continued_by, stop.process) + ",";
    } else if (const aggregate::LifeRow* life = graph.resumer(stop)) {
        text += fmt::format(" until {} resumed it,", who(life->process));
    }
    return text + fmt::format(" for {}", time(stop.end_ns - stop.start_ns));
}

Finding partner(WaitGraph& graph, const StopRow& stop, const std::vector<Held>& all)
{
    const Held& longest = *std::ranges::max_element(all, {}, &Held::ns);
    Finding made = finding(
        code_of(stop.state),
        fmt::format("{} was blocked {} {} for {}, because {} at the other end {}.",
                    waiter(graph, *longest.wait),
                    words(*longest.channel).side(longest.wait->output).doing,
                    which(*longest.channel),
                    (longest.wait->before_trace ? "at least " : "") +
                        time(longest.wait->length_ns()),
                    who(stop.process),
                    how_long(graph, stop)));
    if (all.size() > 1) {
        made.text += fmt::format(" It is also why {}.",
                                 counted(all.size() - 1, "more wait was long",
                                         "more waits were long"));
    }
    if (stop.unfinished) {
        made.severity = Severity::error;
    }
    made.subjects = {{longest.wait->process, "waiter"}, {stop.process, "partner"}};
    graph.accuse(stop.process.tgid);
    for (const Held& held : all) {
        if (held.wait != longest.wait) {
            made.subjects.push_back({held.wait->process, "waiter"});
        }
        if (std::ranges::find(made.objects, object_of(*held.channel)) == made.objects.end()) {
            made.objects.push_back(object_of(*held.channel));
        }
        graph.explain(*held.wait);
    }
    for (const auto& signal : {stop.stopped_by, stop.continued_by}) {
        if (signal && signal->origin == decode::Origin::task) {
            made.subjects.push_back({signal->sender, "sender",
                                     lineage_at(graph.report(), signal->sender.tgid,
                                                signal->at_ns)});
        }
    }
    if (const aggregate::LifeRow* life = graph.resumer(stop)) {
        made.subjects.push_back({life->process, "debugger"});
    }
    made.at_ns = longest.wait->start_ns;
    made.duration_ns = longest.ns;
    made.evidence = {{"stopped_ns", stop.end_ns - stop.start_ns},
                     {"waited_ns", longest.wait->length_ns()},
                     {"waits", std::uint64_t{all.size()}}};
    return made;
}

}  // namespace

void find_partners(WaitGraph& graph, Findings& findings)
{
    std::map<const StopRow*, std::vector<Held>> by_stop;
    for (const LongWait& wait : graph.waits()) {
        const ChannelRow* channel = graph.channel(wait.channel);
        if (channel == nullptr || graph.explained(wait)) {
            continue;
        }
        const Pid pid = waited_for(graph, wait, *channel);
        const std::uint64_t half_ns = wait.length_ns() / 2;
        const StopRow* stop =
            pid == 0 ? nullptr
                     : graph.stopped(pid, wait.start_ns, wait.end_ns,
                                     std::max(half_ns, kThresholds.partner_ns));
        if (stop != nullptr && !waited_on(graph, *stop, wait)) {
            by_stop[stop].push_back(
                {&wait, channel, since(std::min(stop->end_ns, wait.end_ns),
                                    std::max(stop->start_ns, wait.start_ns))});
        }
    }
    for (const auto& [stop, all] : by_stop) {
        findings.push_back(partner(graph, *stop, all));
    }
}

}  // namespace ipcscope::diagnose
