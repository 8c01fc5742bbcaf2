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
        for (int steps = 0; steps < 16; ++steps) {
            const aggregate::LifeRow* life = graph.life(pid);
            if (life == nullptr || life->ppid == 0) {
                return false;
            }
            pid = life->ppid;
            if (pid == from) {
                return waiter == nullptr || life->born_ns == 0 || life->born_ns >= waiter->exec_ns;
            }
        }
        return false;
    };
    SortedEdges sorted;
    for (const Blame::Edge& edge : blame.edges) {
        const bool asked = !edge.output && (turns.taken_by(edge.waiter, edge.holder) ||
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
            StageWait& wait = waits[edge->waiter];
            wait.stage = stage;
            wait.channel = edge->channel;
            wait.ns += edge->ns;
            wait.polled_ns += edge->polled_ns;
            wait.output_ns += edge->output ? edge->ns : 0;
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

/// The time in which others waited for the stage, and it for none but for answers.
std::uint64_t held_up_ns(const WaitGraph& graph, const SortedEdges& edges, Pid pid)
{
    return std::min(plus(graph.alone_ns(pid), sum_ns(edges.answers, pid)),
                    sum_ns(edges.holds, pid));
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

std::optional<SlowStage> slowest(const WaitGraph& graph, const Pipeline& pipeline,
                                 const Stages& stages, const SortedEdges& edges)
{
    std::vector<StageRow> all = pipeline.stages;
    std::ranges::move(behind_children(graph, pipeline, stages), std::back_inserter(all));
    SlowStage most;
    std::uint64_t second = 0;
    for (const StageRow& stage : all) {
        const std::uint64_t ns = held_up_ns(graph, edges, stage.task.tgid);
        second = std::max(second, std::min(ns, most.ns));
        if (ns > most.ns) {
            most = {stage, ns};
        }
    }
    if (most.ns == 0) {
        return std::nullopt;
    }
    return is_slow(most, second, span_ns(pipeline)) ? std::optional(std::move(most))
                                                    : slow_family(graph, pipeline, edges, all);
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
