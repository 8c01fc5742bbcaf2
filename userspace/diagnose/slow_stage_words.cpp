// SPDX-License-Identifier: GPL-2.0-only
// What is said of a slow stage.
#include "diagnose/slow_stage.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/channel_kinds.hpp"
#include "diagnose/channel_words.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Pipeline;
using aggregate::StageRow;

constexpr std::size_t kNamedWaits = 3;
constexpr std::size_t kChainedStages = 8;

std::string how(const StageWait& wait)
{
    if (wait.polled_ns * 2 > wait.ns) {
        return " (in poll)";
    }
    const ChannelWords& word = words(*wait.channel);
    return fmt::format(" ({})", wait.output_ns * 2 > wait.ns ? word.full : word.empty);
}

/// The longest, in the order of the pipeline where they are few.
std::string waited(const Pipeline& pipeline, std::vector<StageWait> waits, const SlowStage& slow)
{
    const std::size_t all = waits.size();
    if (all > kNamedWaits) {
        std::ranges::stable_sort(waits, std::ranges::greater{}, &StageWait::ns);
        waits.resize(kNamedWaits);
    }
    std::string text;
    for (const StageWait& wait : waits) {
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
std::string chain_of(const Pipeline& pipeline, const SlowStage& slow,
                     const std::vector<StageWait>& waits)
{
    if (pipeline.stages.size() <= kChainedStages) {
        return chain(pipeline);
    }
    Pipeline part;
    const auto is_named = [&](const StageRow& stage) {
        return slow.all().contains(stage.task.tgid) ||
               std::ranges::find(waits, &stage, &StageWait::stage) != waits.end();
    };
    std::ranges::copy_if(pipeline.stages, std::back_inserter(part.stages), is_named);
    return fmt::format("{} (of {} processes)", chain(part), grouped(pipeline.stages.size()));
}

/// " It waited 2.56 s of that for 477 (resolver), on Unix socket 12 (/tmp/r)."
std::string answers(const WaitGraph& graph, const SortedEdges& edges, const SlowStage& slow)
{
    const auto found = edges.answers.find(slow.stage.task.tgid);
    if (found == edges.answers.end()) {
        return "";
    }
    struct Answer {
        std::uint64_t ns = 0;
        std::set<Pid> holders;
        const Blame::Edge* longest = nullptr;
    };
    std::map<std::string, Answer> by_name;   // of who answered: as a rule one, or commands
    for (const Blame::Edge* edge : found->second) {
        const aggregate::LifeRow* holder = graph.life(edge->holder);
        Answer& answer = by_name[holder != nullptr ? holder->process.comm.text().str() : ""];
        answer.ns = plus(answer.ns, edge->ns);
        answer.holders.insert(edge->holder);
        if (answer.longest == nullptr || edge->ns > answer.longest->ns) {
            answer.longest = edge;
        }
    }
    const Answer& most =
        std::ranges::max_element(by_name, {}, [](const auto& entry) { return entry.second.ns; })->second;
    if (!at_least(most.ns, slow.ns, 1, 4)) {
        return "";
    }
    const aggregate::LifeRow* holder = graph.life(most.longest->holder);
    if (most.holders.size() > 1) {
        return holder == nullptr
            ? "" : fmt::format(" It waited {} of that for the answers of {} processes called {}.",
                               time(most.ns), grouped(most.holders.size()),
                               holder->process.comm.text().view());
    }
    return fmt::format(" It waited {} of that for {}, on {}.", time(most.ns),
                       who(holder != nullptr ? holder->process
                                             : decode::Task{most.longest->holder, 0, {}}),
                       which(*most.longest->channel));
}

/// " 180 (strace) held it as its debugger.": who let it go on.
std::string debugger(const WaitGraph& graph, Pid pid)
{
    for (const aggregate::StopRow& stop : graph.report().stops) {
        if (stop.process.tgid != pid || stop.state != decode::State::traced) {
            continue;
        }
        if (const aggregate::LifeRow* life = graph.resumer(stop)) {
            return fmt::format(" {} held it as its debugger.", who(life->process));
        }
    }
    return "";
}

/// What it was, what it slept in, and what its threads did that are at no end of a channel.
std::string beside(const WaitGraph& graph, const SlowStage& slow)
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

}  // namespace

Finding slow_stage_finding(const WaitGraph& graph, const SortedEdges& edges,
                           const Pipeline& pipeline, const SlowStage& slow,
                           const std::vector<StageWait>& waits)
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
    for (const StageWait& wait : waits) {
        made.subjects.push_back({wait.stage->task, "waiter"});
    }
    made.duration_ns = slow.ns;
    made.evidence = {{"held_up_ns", slow.ns}, {"span_ns", slow.stage.span_ns}};
    return made;
}

}  // namespace ipcscope::diagnose
