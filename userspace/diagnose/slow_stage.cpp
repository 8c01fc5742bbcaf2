// SPDX-License-Identifier: GPL-2.0-only
// Which stage do the others of a pipeline wait for?
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include "base/units.hpp"
#include "diagnose/families.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/slow_stage.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/turns.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::Pipeline;
using aggregate::ChannelRow;
using aggregate::StageRow;

SortedEdges sort_edges(const WaitGraph& graph, const Blame& blame)
{
    const Turns turns(graph.report());
    // One that it made before its exec was for another program.
    const auto descends = [&](Pid pid, Pid from) {
        const aggregate::LifeRow* waiter = graph.life(from);
        const aggregate::LifeRow* child = graph.branch(pid, from);
        return child != nullptr && (waiter == nullptr || child->born_ns == 0 ||
                                    child->born_ns >= waiter->exec_ns);
    };
    SortedEdges sorted;
    for (const Blame::Edge& edge : blame.edges) {
        const bool asked = !edge.output && (turns.taken_by(edge.waiter, edge.holder, *edge.channel) ||
                                            descends(edge.holder, edge.waiter));
        if (!asked) {
            sorted.holds[edge.holder].push_back(&edge);
        } else if (edge.waiter != edge.holder) {
            sorted.answers[edge.waiter].push_back(&edge);
        }
    }
    return sorted;
}

/// Who waited for the stage, or its children, and who for those, and so on.
std::vector<StageWait> waits_for(const Pipeline& pipeline, const Stages& stages, const Edges& edges,
                            const std::set<Pid>& slow)
{
    std::map<Pid, StageWait> waits;
    std::set<Pid> reached = slow;
    std::vector<Pid> open(slow.begin(), slow.end());
    while (!open.empty()) {
        const Pid pid = open.back();
        open.pop_back();
        const auto found = edges.find(pid);
        if (found == edges.end()) {
            continue;
        }
        for (const Blame::Edge* edge : found->second) {
            const StageRow* stage = stages.of(pipeline, edge->waiter);
            if (stage == nullptr || slow.contains(edge->waiter)) {
                continue;
            }
            // What waits for a stage in between waits for this one only as long as that did.
            const std::uint64_t ns =
                slow.contains(pid) ? edge->ns : std::min(edge->ns, waits[pid].ns);
            StageWait& wait = waits[edge->waiter];
            wait.stage = stage;
            wait.channel = edge->channel;
            wait.ns += ns;
            const bool polled = edge->polled_ns * 2 > edge->ns;
            wait.polled_ns += ns == edge->ns ? edge->polled_ns : polled ? ns : 0;
            wait.output_ns += edge->output ? ns : 0;
            if (edge->ns >= kThresholds.stage_wait_ns && reached.insert(edge->waiter).second) {
                open.push_back(edge->waiter);
            }
        }
    }
    std::vector<StageWait> out;
    for (const StageRow& stage : pipeline.stages) {   // in its order
        const auto found = waits.find(stage.task.tgid);
        if (found != waits.end() && found->second.ns >= kThresholds.stage_wait_ns &&
            at_least(found->second.ns, stage.span_ns, 1, 20)) {
            out.push_back(found->second);
        }
    }
    return out;
}

std::uint64_t sum_ns(const Edges& edges, Pid pid)
{
    std::uint64_t sum = 0;
    if (const auto found = edges.find(pid); found != edges.end()) {
        for (const Blame::Edge* edge : found->second) {
            sum = plus(sum, edge->ns);
        }
    }
    return sum;
}

/// What the process waited for others that it did not ask.
std::uint64_t waited_ns(const SortedEdges& edges, Pid pid)
{
    std::uint64_t sum = 0;
    for (const auto& [holder, waits] : edges.holds) {
        for (const Blame::Edge* edge : waits) {
            sum = plus(sum, edge->waiter == pid && holder != pid ? edge->ns : 0);
        }
    }
    return sum;
}

/// What its threads did, or slept elsewhere than in futex(): none of that waited for another of
/// its threads.
std::uint64_t busy_ns(const WaitGraph& graph, Pid pid)
{
    using aggregate::Part;
    const aggregate::ProcessRow* process = graph.process(pid);
    if (process == nullptr) {
        return 0;
    }
    std::uint64_t sum = plus(process->time.at(Part::running), process->time.at(Part::runnable));
    for (const aggregate::ProcessRow::Sleep& sleep : process->sleeps) {
        const bool in_futex = syscall(graph.report().host, sleep.syscall) == "futex()";
        sum = plus(sum, in_futex ? 0 : sleep.ns);
    }
    return sum;
}

/// The time in which others waited for the stage, and it for none but for answers.  While one
/// thread of it waited, another that sleeps in futex() may have had nothing to do.
std::uint64_t held_up_ns(const WaitGraph& graph, const SortedEdges& edges, Pid pid)
{
    std::uint64_t alone_ns = graph.alone_ns(pid);
    if (graph.threads(pid) > 1) {
        alone_ns = std::max(since(alone_ns, waited_ns(edges, pid)),
                            std::min(alone_ns, busy_ns(graph, pid)));
    }
    return std::min(plus(alone_ns, sum_ns(edges.answers, pid)), sum_ns(edges.holds, pid));
}

/// How long a stage held others up, in all the time; and how long the next one did.
struct Lead {
    std::uint64_t ns;
    std::uint64_t span_ns;
    std::uint64_t second_ns;
    bool is(std::uint64_t least_ns, std::uint64_t percent, std::uint64_t lead_percent) const
    {
        return ns >= least_ns && at_least(ns, span_ns, percent, 100) &&
               at_least(ns, second_ns, lead_percent, 100);
    }
};

/// It runs, or waits for a CPU, for most of the time in which it waits for no pipe.
bool is_busy(const StageRow& stage)
{
    using aggregate::Part;
    const std::uint64_t waits_ns = plus(stage.time.for_input_ns(), stage.time.for_output_ns());
    return at_least(plus(stage.time.at(Part::running), stage.time.at(Part::runnable)),
                    since(stage.time.span_ns, waits_ns), 1, 2);
}

/// A process that is no stage of the pipeline itself.
StageRow outside_row(const aggregate::ProcessRow& process)
{
    StageRow row;
    row.task = process.task;
    row.time = process.time;
    row.span_ns = process.time.span_ns / std::max<std::uint64_t>(process.threads, 1);
    return row;
}

/// Processes for which stages wait though they make no calls themselves: a shell whose
/// children read or write for it.
std::vector<StageRow> behind_children(const WaitGraph& graph, const Pipeline& pipeline,
                                      const Stages& stages)
{
    std::vector<StageRow> found;
    for (const Pid pid : stages.holders(pipeline)) {
        const aggregate::ProcessRow* process = graph.process(pid);
        if (process == nullptr || stages.of(pipeline, pid) != nullptr) {
            continue;
        }
        found.push_back(outside_row(*process));
    }
    return found;
}

std::uint64_t span_ns(const Pipeline& pipeline)
{
    std::uint64_t longest = 0;
    for (const StageRow& stage : pipeline.stages) {
        longest = std::max(longest, stage.span_ns);
    }
    return pipeline.span_ns != 0 ? std::min(longest, pipeline.span_ns) : longest;
}

/// It holds the others up for a good part of the time, and much longer than any other does.
bool is_slow(const SlowStage& most, std::uint64_t second, std::uint64_t span_ns)
{
    const Lead lead{most.ns, span_ns, second};
    const Lead own{most.ns, most.stage.span_ns, second};   // it may have joined late
    const Thresholds& t = kThresholds;
    return is_busy(most.stage)
        ? lead.is(t.busy_stage_ns, t.busy_stage_percent, t.slow_stage_lead_percent) ||
              lead.is(t.clear_stage_ns, t.clear_stage_percent, t.clear_stage_lead_percent)
        : lead.is(t.slow_stage_ns, t.slow_stage_percent, t.slow_stage_lead_percent) ||
              own.is(t.slow_late_stage_ns, t.slow_stage_percent, t.slow_stage_lead_percent);
}

/// What runs commands one after the other, none of which is slow by itself.
std::optional<SlowStage> slow_family(const WaitGraph& graph, const Pipeline& pipeline,
                                     const SortedEdges& edges,
                                     const std::vector<StageRow>& all)
{
    for (const Family& family : find_families(graph, pipeline)) {
        SlowStage slow{outside_row(*graph.process(family.parent)), 0, family.children};
        std::uint64_t second = 0;
        const std::set<Pid> members = slow.all();
        for (const Pid pid : members) {
            slow.ns = plus(slow.ns, held_up_ns(graph, edges, pid));
        }
        for (const StageRow& stage : all) {
            if (!members.contains(stage.task.tgid)) {
                second = std::max(second, held_up_ns(graph, edges, stage.task.tgid));
            }
        }
        if (is_slow(slow, second, span_ns(pipeline))) {
            return slow;
        }
    }
    return std::nullopt;
}

/// What the stage waited for another, as a share of its own time that matters.
bool is_notable(const StageRow& stage, std::uint64_t ns) { return at_least(ns, stage.span_ns, 1, 20); }

/// The stage for which `stage` waited, and which itself waited less: without `stage` the pipeline
/// would not be faster.  nullptr: there is none.
const StageRow* limiter_of(const WaitGraph& graph, const Pipeline& pipeline,
                           const SortedEdges& edges, const StageRow& stage)
{
    const StageRow* found = nullptr;
    for (const StageRow& other : pipeline.stages) {
        const auto held = edges.holds.find(other.task.tgid);
        if (held == edges.holds.end() || other.not_waiting_ns <= stage.not_waiting_ns) {
            continue;
        }
        std::uint64_t ns = 0;
        for (const Blame::Edge* edge : held->second) {
            ns += edge->waiter == stage.task.tgid ? edge->ns : 0;
        }
        ns = std::min(ns, held_up_ns(graph, edges, other.task.tgid));   // without its start-up
        if (is_notable(stage, ns) && (found == nullptr || other.not_waiting_ns > found->not_waiting_ns)) {
            found = &other;
        }
    }
    return found;
}

/// Not where it waited itself for a stage that does more: that one is the slow one, if it waits
/// for none; else there is none.
std::optional<SlowStage> without_waits(const WaitGraph& graph, const Pipeline& pipeline,
                                       const SortedEdges& edges, SlowStage most)
{
    const StageRow* slower = limiter_of(graph, pipeline, edges, most.stage);
    if (slower == nullptr) {
        return most;
    }
    while (const StageRow* next = limiter_of(graph, pipeline, edges, *slower)) {
        slower = next;
    }
    SlowStage slow{*slower, held_up_ns(graph, edges, slower->task.tgid)};
    const std::uint64_t waited_ns = plus(slower->time.for_input_ns(), slower->time.for_output_ns());
    return !is_notable(*slower, waited_ns) && is_slow(slow, 0, span_ns(pipeline))
        ? std::optional(std::move(slow)) : std::nullopt;
}

/// Most of what others waited for the stage could have been ended by another process, too, which
/// read or wrote there meanwhile: the waits were for any of them.
bool is_one_of_several(const WaitGraph& graph, const SortedEdges& edges, Pid pid)
{
    const auto held = edges.holds.find(pid);
    const auto parent_of = [&](Pid child) {
        const aggregate::LifeRow* life = graph.life(child);
        return life == nullptr ? 0 : life->ppid;
    };
    std::uint64_t all_ns = 0, shared_ns = 0;
    for (const Blame::Edge* edge : held->second) {
        const auto& ends = WaitGraph::other_end(*edge->channel, edge->output);
        const auto own =
            std::ranges::find(ends, pid, [](const ChannelEnd& end) { return end.task.tgid; });
        const bool shared = own != ends.end() && std::ranges::any_of(ends, [&](const ChannelEnd& end) {
            return end.task.tgid != pid && end.count > 1 && parent_of(end.task.tgid) != pid &&
                   parent_of(pid) != end.task.tgid && end.first_call_ns < own->last_call_ns &&
                   end.last_call_ns > own->first_call_ns;
        });
        all_ns = plus(all_ns, edge->ns);
        shared_ns = plus(shared_ns, shared ? edge->ns : 0);
    }
    return at_least(shared_ns, all_ns, 1, 2);
}

std::optional<SlowStage> slowest(const WaitGraph& graph, const Pipeline& pipeline,
                                 const Stages& stages, const SortedEdges& edges)
{
    std::vector<StageRow> all = pipeline.stages;
    std::ranges::move(behind_children(graph, pipeline, stages), std::back_inserter(all));
    SlowStage most;
    std::uint64_t second = 0;
    const std::uint64_t whole_ns = span_ns(pipeline);
    for (const StageRow& stage : all) {
        // Several of its threads may have held up others at once.
        const std::uint64_t ns = std::min(held_up_ns(graph, edges, stage.task.tgid), whole_ns);
        second = std::max(second, std::min(ns, most.ns));
        if (ns > most.ns) {
            most = {stage, ns};
        }
    }
    if (most.ns == 0) {
        return std::nullopt;
    }
    if (!is_slow(most, second, whole_ns)) {
        return slow_family(graph, pipeline, edges, all);
    }
    return is_one_of_several(graph, edges, most.stage.task.tgid)
        ? std::nullopt : without_waits(graph, pipeline, edges, std::move(most));
}

}  // namespace

void find_slow_stages(const WaitGraph& graph, const Blame& blame, Findings& findings)
{
    const SortedEdges edges = sort_edges(graph, blame);
    const Stages stages(graph.report(), edges.holds);
    std::set<Pid> named;   // a stage may be in several pipelines
    for (const Pipeline& pipeline : graph.report().pipelines) {
        const auto slow = slowest(graph, pipeline, stages, edges);
        if (!slow || graph.accused(slow->stage.task.tgid)) {
            continue;
        }
        const auto waits = waits_for(pipeline, stages, edges.holds, slow->all());
        if (!waits.empty() && named.insert(slow->stage.task.tgid).second) {
            findings.push_back(slow_stage_finding(graph, edges, pipeline, *slow, waits));
        }
    }
}

}  // namespace ipcscope::diagnose
