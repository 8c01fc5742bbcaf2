// SPDX-License-Identifier: GPL-2.0-only
// Tables: pipes, and the pipelines that they form.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "render/histogram.hpp"
#include "render/names.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::PipeEndRow;
using aggregate::PipeRow;
using aggregate::PipeSide;
using aggregate::StageRow;
using Align = Table::Align;

constexpr std::size_t kDetailedPipes = 8;
constexpr std::size_t kShownEnds = 4;
constexpr std::size_t kLeastName = 8;

std::string ends(const char* verb, const std::vector<PipeEndRow>& rows, const Style& style)
{
    if (rows.empty()) return {};
    std::string text = fmt::format("{} ", verb);
    for (std::size_t at = 0; at < std::min(rows.size(), kShownEnds); at++) {
        const PipeEndRow& row = rows[at];
        if (at != 0) text += ", ";
        text += glued(fmt::format("{}/{}", row.task.comm.view(), row.task.tgid));
        if (row.holds_only) {
            text += glued(" (open only)");
            continue;
        }
        text += fmt::format(" ({}, blocked {})", glued(bytes(row.bytes)),
                            glued(style.time(row.blocked_ns)));
    }
    if (rows.size() > kShownEnds)
        text += fmt::format(" and {} more", grouped(rows.size() - kShownEnds));
    return text;
}

/// How long calls take, and how those that did not simply succeed ended.
std::string calls(const char* what, const PipeSide& side, const Style& style)
{
    if (side.count == 0) return {};
    std::string text = what;
    if (side.latency.count() != 0)
        text += fmt::format(" p50 {}, p99 {}, max {}",
                            glued(style.time(side.latency.quantile(0.5))),
                            glued(style.time(side.latency.quantile(0.99))),
                            glued(style.time(side.latency.max())));
    struct End {
        std::uint64_t number;
        const char* what;
    };
    const End all[] = {
        {side.blocked_count, "blocked"},   {side.nonblocking, "non-blocking"},
        {side.eagain, "EAGAIN"},           {side.epipe, "EPIPE"},
        {side.eof, "end of file"},         {side.interrupted, "interrupted"},
        {side.errors, "other errors"},     {side.unfinished, "unfinished"},
    };
    for (const End& end : all)
        if (end.number != 0)
            text += glued(fmt::format("; {} {}", grouped(end.number), end.what));
    if (side.uninterruptible_ns != 0)
        text += fmt::format("; {} in D sleep", glued(style.time(side.uninterruptible_ns)));
    if (side.runqueue_ns != 0)
        text += fmt::format("; {} woken but not yet running",
                            glued(style.time(side.runqueue_ns)));
    std::ranges::replace(text, kGlue, ' ');
    return text;
}


std::string stage_table(const Page& page, const aggregate::Pipeline& pipeline)
{
    Table table({{"STAGE", Align::left, kLeastName},
                 {"SPAN"},
                 {"OWN"},
                 {""},
                 {"INPUT"},
                 {""},
                 {"OUTPUT"},
                 {""},
                 {"", Align::left}});
    for (std::size_t at = 0; at < pipeline.stages.size(); at++) {
        const StageRow& stage = pipeline.stages[at];
        table.row({cell(stage.task), page.style.time(stage.span_ns),
                   page.style.time(stage.own_ns), percent(stage.own_ns, stage.span_ns),
                   page.style.time(stage.waiting_for_input_ns),
                   percent(stage.waiting_for_input_ns, stage.span_ns),
                   page.style.time(stage.waiting_for_output_ns),
                   percent(stage.waiting_for_output_ns, stage.span_ns),
                   pipeline.bottleneck == at ? "slow" : ""});
    }
    return table.str(page.width, page.style);
}

}  // namespace

std::string pipe_table(const Page& page)
{
    const auto& pipes = page.report.pipes;
    if (pipes.empty()) return {};
    Table table({{"KIND", Align::left},
                 {"INODE", Align::right, 6},
                 {"RING", Align::right, 6},
                 {"WRITES"},
                 {"READS"},
                 {"BYTES"},
                 {"RATE"},
                 {"FULL"},
                 {"EMPTY"},
                 {"OCCUPANCY", Align::left}});
    for (const PipeRow& pipe : std::span(pipes).first(page.top(pipes.size()))) {
        const std::uint64_t span = since(pipe.last_ns, pipe.first_ns);
        const std::uint64_t moved = std::max(pipe.reads.bytes, pipe.writes.bytes);
        const std::string speed = rate(moved, span);
        table.row({pipe.fifo ? "fifo" : "pipe", std::to_string(pipe.inode),
                   count(pipe.ring_slots), count(pipe.writes.count), count(pipe.reads.count),
                   bytes(moved), speed.empty() ? page.style.none() : speed,
                   whole_percent(pipe.full_ns, span), whole_percent(pipe.empty_ns, span),
                   "|" + sparkline(pipe.occupancy, page.style) + "|"});
        if (!pipe.path.empty()) table.detail(pipe.path);
        if (pipes.size() > kDetailedPipes) continue;
        table.detail(ends("written by", pipe.writers, page.style));
        table.detail(ends("read by", pipe.readers, page.style));
        table.detail(calls("writes:", pipe.writes, page.style));
        table.detail(calls("reads:", pipe.reads, page.style));
    }
    return page.title("Pipes (full, empty: share of the time in which a side was blocked)") +
           table.str(page.width, page.style) + page.more(pipes.size());
}

std::string pipeline_tables(const Page& page)
{
    const auto& pipelines = page.report.pipelines;
    if (pipelines.empty()) return {};
    std::string out = page.title("Pipelines: own time, and waits for input and output");
    for (const auto& pipeline : std::span(pipelines).first(page.top(pipelines.size()))) {
        out += wrap(chain(page, pipeline), page.width, "  ", "    ");
        out += stage_table(page, pipeline);
    }
    return out + page.more(pipelines.size());
}

}  // namespace ipcscope::render
