// SPDX-License-Identifier: GPL-2.0-only
// Which stage stalls the pipeline, which read never ends, which ring is small?
#include <algorithm>

#include <fmt/format.h>

#include "render/names.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::PipeEndRow;
using aggregate::Pipeline;
using aggregate::PipeRow;
using aggregate::StageRow;

constexpr std::uint64_t kWorthTelling_ns = 10'000'000;
constexpr std::size_t kShownStages = 12;
constexpr std::size_t kShownPipelines = 3;
constexpr std::size_t kShownWaits = 3;
constexpr std::size_t kShownHangs = 3;
constexpr std::size_t kShownRings = 3;
constexpr std::uint64_t kManyStalls = 100;
/// Slots of a ring of the default /proc/sys/fs/pipe-max-size, 1 MiB.
constexpr std::uint32_t kLargestSlots = 256;

std::string in_chain(const StageRow& stage)
{
    return glued(fmt::format("{}({})", stage.task.comm.view(), stage.task.tgid));
}

/// The bare name where that tells the stage from the others.
std::string short_name(const Pipeline& pipeline, const StageRow& stage)
{
    const auto same = std::ranges::count(pipeline.stages, stage.task.comm,
                                         [](const StageRow& other) { return other.task.comm; });
    return same == 1 && !stage.task.comm.empty() ? glued(stage.task.comm.str())
                                                 : in_chain(stage);
}

/// What another stage waited, as far as the bottleneck can be the reason:
/// those above it for room, those below it for data.
struct Wait {
    const StageRow* stage;
    std::uint64_t ns;
    bool upstream;
};

std::vector<Wait> waits(const Pipeline& pipeline)
{
    std::vector<Wait> waits;
    if (!pipeline.bottleneck || *pipeline.bottleneck >= pipeline.stages.size()) return waits;
    const unsigned slow = pipeline.stages[*pipeline.bottleneck].rank;
    for (const StageRow& stage : pipeline.stages) {
        if (stage.rank == slow) continue;   // itself, and those beside it
        const bool upstream = stage.rank < slow;
        const std::uint64_t ns = upstream ? stage.waiting_for_output_ns
                                          : stage.waiting_for_input_ns;
        if (ns >= kWorthTelling_ns && at_least(ns, stage.span_ns, 1, 20))
            waits.push_back({&stage, ns, upstream});
    }
    return waits;
}

std::string waited(const Page& page, const Pipeline& pipeline, std::vector<Wait> waits)
{
    const std::size_t all = waits.size();
    if (all > kShownWaits) {
        std::ranges::stable_sort(waits, std::ranges::greater{}, &Wait::ns);
        waits.resize(kShownWaits);
    }
    std::string text;
    for (const Wait& wait : waits) {
        text += text.empty() ? " " : ", ";
        text += short_name(pipeline, *wait.stage);
        text += &wait == &waits.front() ? " waited " : " ";
        text += glued(page.style.time(wait.ns));
        if (&wait == &waits.front()) text += " for it";
        text += wait.upstream ? " (pipe full)" : " (pipe empty)";
    }
    if (all > waits.size())
        text += fmt::format(", {}", counted(all - waits.size(), "more stage", "more stages"));
    return text + ".";
}

Finding slow_stage(const Page& page, const Pipeline& pipeline, std::vector<Wait> waits)
{
    const StageRow& slow = pipeline.stages[*pipeline.bottleneck];
    std::string text = fmt::format("Pipeline: {}. {} is the slow stage:",
                                   chain(page, pipeline), short_name(pipeline, slow));
    text += waited(page, pipeline, std::move(waits));
    const std::uint64_t own_wait = plus(slow.waiting_for_input_ns, slow.waiting_for_output_ns);
    text += fmt::format(" {} itself waited for a pipe in {} of its {}.",
                        short_name(pipeline, slow), glued(percent(own_wait, slow.span_ns)),
                        glued(page.style.time(slow.span_ns)));
    return {std::move(text)};
}

/// "pipe 1234", "FIFO 77 (/tmp/x)"
std::string which(const PipeRow& pipe)
{
    std::string name = fmt::format("{} {}", pipe.fifo ? "FIFO" : "pipe", pipe.inode);
    if (!pipe.path.empty()) name += fmt::format(" ({})", pipe.path);
    return glued(std::move(name));
}

std::string all_of(const std::vector<PipeEndRow>& ends)
{
    std::string text;
    for (std::size_t at = 0; at < std::min<std::size_t>(ends.size(), 3); at++) {
        if (at != 0) text += ", ";
        text += who(ends[at].task);
    }
    if (ends.size() > 3) text += fmt::format(" and {} more", ends.size() - 3);
    return text;
}

std::uint64_t span_ns(const PipeRow& pipe) { return since(pipe.last_ns, pipe.first_ns); }

/// Both sides wait for each other by turns: a larger ring evens bursts out.
/// Where only one side waits, the other is slow and no ring helps.
bool ring_is_small(const PipeRow& pipe)
{
    return pipe.ring_slots != 0 && pipe.ring_slots < kLargestSlots &&
           pipe.writes.blocked_count >= kManyStalls &&
           pipe.reads.blocked_count >= kManyStalls &&
           at_least(pipe.full_ns, span_ns(pipe), 1, 10) &&
           at_least(pipe.empty_ns, span_ns(pipe), 1, 10) &&
           pipe.full_ns >= kWorthTelling_ns;
}

}  // namespace

std::string chain(const Page& page, const Pipeline& pipeline)
{
    std::string text;
    const std::size_t shown = std::min(pipeline.stages.size(), kShownStages);
    for (std::size_t at = 0; at < shown; at++) {
        const StageRow& stage = pipeline.stages[at];
        if (at != 0 && stage.rank == pipeline.stages[at - 1].rank)
            text += ", ";   // side by side
        else if (at != 0)
            text += fmt::format(" {} ", page.style.arrow());
        text += in_chain(stage);
    }
    if (shown < pipeline.stages.size())
        text += fmt::format(", {} more", pipeline.stages.size() - shown);
    return text;
}

void find_slow_stages(const Page& page, Findings& findings)
{
    struct Slow {
        const Pipeline* pipeline;
        std::vector<Wait> waits;
        std::uint64_t total_ns;
    };
    std::vector<Slow> slow;
    for (const Pipeline& pipeline : page.report.pipelines) {
        std::uint64_t total = 0;
        auto all = waits(pipeline);
        for (const Wait& wait : all) total = plus(total, wait.ns);
        if (!all.empty()) slow.push_back({&pipeline, std::move(all), total});
    }
    std::ranges::stable_sort(slow, std::ranges::greater{}, &Slow::total_ns);
    const std::size_t shown = std::min(slow.size(), kShownPipelines);
    for (std::size_t at = 0; at < shown; at++)
        findings.push_back(slow_stage(page, *slow[at].pipeline, std::move(slow[at].waits)));
    if (slow.size() > shown)
        findings.back().text += fmt::format(
            " {} stall too (see Pipelines).",
            counted(slow.size() - shown, "more pipeline", "more pipelines"));
}

void find_hangs(const Page& page, Findings& findings)
{
    std::size_t shown = 0;
    for (const PipeRow& pipe : page.report.pipes) {
        const bool silent = !pipe.writers.empty() &&
                            std::ranges::all_of(pipe.writers, &PipeEndRow::holds_only);
        if (pipe.reads.unfinished == 0 || !silent || shown++ >= kShownHangs) continue;
        findings.push_back({fmt::format(
            "A read of {} by {} had not returned when the trace ended. {} hold{} its write "
            "end open without writing: while that is so, no end-of-file comes.",
            which(pipe), all_of(pipe.readers), all_of(pipe.writers),
            pipe.writers.size() == 1 ? "s" : "")});
    }
}

void find_small_rings(const Page& page, Findings& findings)
{
    std::size_t shown = 0;
    for (const PipeRow& pipe : page.report.pipes) {
        if (!ring_is_small(pipe) || shown++ >= kShownRings) continue;
        findings.push_back({fmt::format(
            "The {} from {} to {} was full for {} and empty for {} of the time: its sides "
            "wait for each other by turns. A ring of more than {} slots may even that out "
            "(fcntl F_SETPIPE_SZ, up to 1 MiB without privilege).",
            which(pipe), all_of(pipe.writers), all_of(pipe.readers),
            glued(percent(pipe.full_ns, span_ns(pipe))),
            glued(percent(pipe.empty_ns, span_ns(pipe))), pipe.ring_slots)});
    }
}

}  // namespace ipcscope::render
