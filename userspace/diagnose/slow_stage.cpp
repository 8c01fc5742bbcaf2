// SPDX-License-Identifier: GPL-2.0-only
// Which stage do the others of a pipeline wait for?
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/families.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/stages.hpp"
#include "diagnose/thresholds.hpp"
#include "diagnose/turns.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::Pipeline;
using aggregate::ChannelRow;
using aggregate::StageRow;

constexpr std::size_t kNamedWaits = 3;
constexpr std::size_t kChainedStages = 8;

/// Not the wait for an answer, of partners that take turns, or of a process that made a child
/// for it ($(…), popen(), a pool): it asked for that.  One for room is for no answer.
Edges edges_of(const WaitGraph& graph, const Blame& blame)
{
    const Turns turns(graph.report());
    const auto descends = [&](Pid pid, Pid from) {
        for (int steps = 0; steps < 16; ++steps) {
            const aggregate::LifeRow* life = graph.life(pid);
            if (life == nullptr || life->ppid == 0) {
                return false;
            }
            pid = life->ppid;
            if (pid == from) {
                return true;
            }
        }
        return false;
    };
    Edges edges;
    for (const Blame::Edge& edge : blame.edges) {
        if (edge.output || (!turns.taken_by(edge.waiter, edge.holder) &&
                            !descends(edge.holder, edge.waiter))) {
            edges[edge.holder].push_back(&edge);
        }
    }
    return edges;
}

struct Wait {
    const StageRow* stage;
    const ChannelRow* channel = nullptr;   ///< one of those waited for
    std::uint64_t ns = 0;
    std::uint64_t polled_ns = 0;
    std::uint64_t output_ns = 0;
};

/// Who waited for the stage, or its children, and who for those, and so on.
std::vector<Wait> waits_for(const Pipeline& pipeline, const Stages& stages, const Edges& edges,
                            const std::set<Pid>& slow)
{
    std::map<Pid, Wait> waits;
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
            Wait& wait = waits[edge->waiter];
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
    std::vector<Wait> out;
    for (const StageRow& stage : pipeline.stages) {   // in its order
        const auto found = waits.find(stage.task.tgid);
        if (found != waits.end() && found->second.ns >= kThresholds.stage_wait_ns &&
            at_least(found->second.ns, stage.span_ns, 1, 20)) {
            out.push_back(found->second);
        }
    }
    return out;
}

/// The time in which others waited for the stage, and it for none of them.
std::uint64_t held_up_ns(const WaitGraph& graph, const Edges& edges, Pid pid)
{
    const auto found = edges.find(pid);
    if (found == edges.end()) {
        return 0;
    }
    std::uint64_t direct = 0;
    for (const Blame::Edge* edge : found->second) {
        direct = plus(direct, edge->ns);
    }
    return std::min(graph.alone_ns(pid), direct);
}

struct Slow {
    StageRow stage;
    std::uint64_t ns = 0;
    std::vector<Pid> children{};   ///< that do its work, where it is not it itself
    std::set<Pid> all() const
    {
        std::set<Pid> pids(children.begin(), children.end());
        pids.insert(stage.task.tgid);
        return pids;
    }
};

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
bool is_slow(const Slow& most, std::uint64_t second, std::uint64_t span_ns)
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
std::optional<Slow> slow_family(const WaitGraph& graph, const Pipeline& pipeline,
                                const Edges& edges, const std::vector<StageRow>& all)
{
    for (const Family& family : find_families(graph, pipeline)) {
        Slow slow{outside_row(*graph.process(family.parent)), 0, family.children};
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

std::optional<Slow> slowest(const WaitGraph& graph, const Pipeline& pipeline,
                            const Stages& stages, const Edges& edges)
{
    std::vector<StageRow> all = pipeline.stages;
    std::ranges::move(behind_children(graph, pipeline, stages), std::back_inserter(all));
    Slow most;
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

std::string how(const Wait& wait)
{
    if (wait.polled_ns * 2 > wait.ns) {
        return " (in poll)";
    }
    const ChannelWords& word = words(*wait.channel);
    return fmt::format(" ({})", wait.output_ns * 2 > wait.ns ? word.full : word.empty);
}

/// The longest, in the order of the pipeline where they are few.
std::string waited(const Pipeline& pipeline, std::vector<Wait> waits, const Slow& slow)
{
    const std::size_t all = waits.size();
    if (all > kNamedWaits) {
        std::ranges::stable_sort(waits, std::ranges::greater{}, &Wait::ns);
        waits.resize(kNamedWaits);
    }
    std::string text;
    for (const Wait& wait : waits) {
        text += text.empty() ? " " : ", ";
        text += short_name(pipeline, *wait.stage);
        text += &wait == &waits.front() ? " waited " : " ";
        text += time(wait.ns);
        if (&wait == &waits.front()) {
            text += slow.children.empty()
                ? " for it"
                : fmt::format(" for its {} commands", grouped(slow.children.size()));
        }
        text += how(wait);
    }
    if (all > waits.size()) {
        text += fmt::format(", {}", counted(all - waits.size(), "more stage", "more stages"));
    }
    return text + ".";
}

/// The pipeline; of a large one the stages that the finding is about.
std::string chain_of(const Pipeline& pipeline, const Slow& slow, const std::vector<Wait>& waits)
{
    if (pipeline.stages.size() <= kChainedStages) {
        return chain(pipeline);
    }
    Pipeline part;
    std::ranges::copy_if(pipeline.stages, std::back_inserter(part.stages),
                         [&](const StageRow& stage) {
                             return slow.all().contains(stage.task.tgid) ||
                                    std::ranges::find(waits, &stage, &Wait::stage) != waits.end();
                         });
    return fmt::format("{} (of {} processes)", chain(part), grouped(pipeline.stages.size()));
}

Finding slow_stage(const Pipeline& pipeline, const Slow& slow, const std::vector<Wait>& waits)
{
    Finding made = finding(Code::slow_stage,
                           fmt::format("Pipeline: {}. {} is the slow stage:{}",
                                       chain_of(pipeline, slow, waits),
                                       short_name(pipeline, slow.stage),
                                       waited(pipeline, waits, slow)));
    if (const std::string where = where_time_went(slow.stage.time); !where.empty()) {
        made.text += fmt::format(" {} itself, in {}: {}.", short_name(pipeline, slow.stage),
                                 time(slow.stage.span_ns), where);
    }
    made.subjects.push_back({slow.stage.task, "stage"});
    for (const Wait& wait : waits) {
        made.subjects.push_back({wait.stage->task, "waiter"});
    }
    made.duration_ns = slow.ns;
    made.evidence = {{"held_up_ns", slow.ns}, {"span_ns", slow.stage.span_ns}};
    return made;
}

}  // namespace

void find_slow_stages(const WaitGraph& graph, const Blame& blame, Findings& findings)
{
    const Edges edges = edges_of(graph, blame);
    const Stages stages(graph.report(), edges);
    std::set<Pid> named;   // a stage may be in several pipelines
    for (const Pipeline& pipeline : graph.report().pipelines) {
        const auto slow = slowest(graph, pipeline, stages, edges);
        if (!slow || graph.accused(slow->stage.task.tgid)) {
            continue;
        }
        const auto waits = waits_for(pipeline, stages, edges, slow->all());
        if (!waits.empty() && named.insert(slow->stage.task.tgid).second) {
            findings.push_back(slow_stage(pipeline, *slow, waits));
        }
    }
}

}  // namespace ipcscope::diagnose
