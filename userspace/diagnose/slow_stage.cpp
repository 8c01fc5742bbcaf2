// SPDX-License-Identifier: GPL-2.0-only
// Which stage do the others of a pipeline wait for?
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
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

/// Who holds others up, and what each waits for that is none of that: an answer, of partners
/// that take turns, or of a process that it made for it ($(…), popen(), a pool), which it asked
/// for.  A wait for room is none for an answer.
struct Sorted {
    Edges holds;     ///< by holder
    Edges answers;   ///< by waiter
};

Sorted sort_edges(const WaitGraph& graph, const Blame& blame)
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
    Sorted sorted;
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
std::uint64_t held_up_ns(const WaitGraph& graph, const Sorted& edges, Pid pid)
{
    return std::min(plus(graph.alone_ns(pid), sum_ns(edges.answers, pid)),
                    sum_ns(edges.holds, pid));
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
                                const Sorted& edges, const std::vector<StageRow>& all)
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
                            const Stages& stages, const Sorted& edges)
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

/// " It waited 2.56 s of that for 477 (resolver), on Unix socket 12 (/tmp/r)."
std::string answers(const WaitGraph& graph, const Sorted& edges, const Slow& slow)
{
    const auto found = edges.answers.find(slow.stage.task.tgid);
    if (found == edges.answers.end()) {
        return "";
    }
    const Blame::Edge& most = **std::ranges::max_element(found->second, {}, &Blame::Edge::ns);
    if (!at_least(most.ns, slow.ns, 1, 4)) {
        return "";
    }
    const aggregate::LifeRow* holder = graph.life(most.holder);
    return fmt::format(" It waited {} of that for {}, on {}.", time(most.ns),
                       who(holder != nullptr ? holder->process : decode::Task{most.holder, 0, {}}),
                       which(*most.channel));
}

/// " 180 (strace) held it as its debugger.": who let it go on.  A SIGKILL does so, too.
std::string debugger(const WaitGraph& graph, Pid pid)
{
    const aggregate::LifeRow* own = graph.life(pid);
    if (own != nullptr && decode::ended_by(own->exit_code) == IPCSCOPE_SIGKILL) {
        return "";
    }
    for (const aggregate::StopRow& stop : graph.report().stops) {
        if (stop.process.tgid != pid || stop.state != decode::State::traced) {
            continue;
        }
        if (const aggregate::LifeRow* life = graph.life(stop.waker_tid)) {
            return fmt::format(" {} held it as its debugger.", who(life->process));
        }
    }
    return "";
}

/// What it was, what it slept in, and what its threads did that are at no end of a channel.
std::string beside(const WaitGraph& graph, const Slow& slow)
{
    using aggregate::Part;
    const aggregate::Report& report = graph.report();
    const aggregate::Time& own = slow.stage.time;
    const aggregate::ProcessRow* process = graph.process(slow.stage.task.tgid);
    const aggregate::LifeRow* life = graph.life(slow.stage.task.tgid);
    std::string text;
    if (life != nullptr && !life->before_exec.empty() && life->born_ns != 0 &&
        at_least(since(life->exec_ns, life->born_ns), slow.ns, 1, 2)) {
        text += fmt::format(" It was {} until its exec {} into the trace.",
                            glued(life->before_exec.text().str()),
                            into_trace(graph, life->exec_ns));
    }
    const std::uint64_t asleep_ns =
        plus(own.at(Part::sleeping), plus(own.at(Part::uninterruptible), own.at(Part::killable)));
    if (process != nullptr && process->threads == 1 && at_least(asleep_ns, own.span_ns, 1, 4)) {
        const std::string where = sleeps(report, *process, asleep_ns);
        text += where.empty() ? "" : fmt::format(" It slept {}.", where);
    }
    if (at_least(own.at(Part::traced), own.span_ns, 1, 4)) {
        text += debugger(graph, slow.stage.task.tgid);
    }
    const std::uint64_t others_ns = process == nullptr
        ? 0 : since(process->time.at(Part::running), own.at(Part::running));
    if (process != nullptr && process->threads > 1 &&
        at_least(others_ns, slow.stage.span_ns, 1, 4)) {
        text += fmt::format(" Its other threads ran for {}.", time(others_ns));
    }
    return text;
}

Finding slow_stage(const WaitGraph& graph, const Sorted& edges, const Pipeline& pipeline,
                   const Slow& slow, const std::vector<Wait>& waits)
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
    if (slow.children.empty()) {
        made.text += answers(graph, edges, slow) + beside(graph, slow);
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
    const Sorted edges = sort_edges(graph, blame);
    const Stages stages(graph.report(), edges.holds);
    std::set<Pid> named;   // a stage may be in several pipelines
    for (const Pipeline& pipeline : graph.report().pipelines) {
        const auto slow = slowest(graph, pipeline, stages, edges);
        if (!slow || graph.accused(slow->stage.task.tgid)) {
            continue;
        }
        const auto waits = waits_for(pipeline, stages, edges.holds, slow->all());
        if (!waits.empty() && named.insert(slow->stage.task.tgid).second) {
            findings.push_back(slow_stage(graph, edges, pipeline, *slow, waits));
        }
    }
}

}  // namespace ipcscope::diagnose
