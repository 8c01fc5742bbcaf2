// SPDX-License-Identifier: GPL-2.0-only
// Tables: pipes, and the pipelines that they form.
#include <algorithm>
#include <map>
#include <set>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/words.hpp"
#include "render/folded.hpp"
#include "render/histogram.hpp"
#include "render/names.hpp"
#include "render/text.hpp"

namespace ipcscope::render {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using aggregate::ChannelSide;
using aggregate::StageRow;
using Align = Table::Align;

constexpr std::size_t kDetailedPipes = 8;
constexpr std::size_t kDetailedStages = 8;
constexpr std::size_t kShownEnds = 4;
constexpr std::size_t kLeastName = 8;

std::string ends(const char* which, const std::vector<ChannelEnd>& rows, const Style& style)
{
    if (rows.empty()) return {};
    std::string text = fmt::format("{}: ", which);
    for (std::size_t at = 0; at < std::min(rows.size(), kShownEnds); at++) {
        const ChannelEnd& row = rows[at];
        if (at != 0) text += ", ";
        text += glued(fmt::format("{}/{}", row.task.comm.text().view(), row.task.tgid));
        if (row.holds_only) {
            text += glued(row.traced ? " (open only)" : " (open, not traced)");
            continue;
        }
        text += fmt::format(" ({}, blocked {}", glued(bytes(row.bytes)),
                            glued(style.time(row.blocked_ns)));
        if (row.polled_ns != 0)
            text += fmt::format(", in poll for it {}", glued(style.time(row.polled_ns)));
        text += ')';
    }
    if (rows.size() > kShownEnds)
        text += fmt::format(" and {} more", grouped(rows.size() - kShownEnds));
    return text;
}

/// How long calls take, and how those that did not simply succeed ended.
std::string calls(const char* what, const ChannelSide& side, const Style& style)
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
        {side.timeouts, "timed out"},      {side.errors, "other errors"},
        {side.unfinished, "unfinished"},
    };
    for (const End& end : all)
        if (end.number != 0)
            text += glued(fmt::format("; {} {}", grouped(end.number), end.what));
    if (side.uninterruptible_ns != 0)
        text += fmt::format("; {} in D or K sleep", glued(style.time(side.uninterruptible_ns)));
    if (side.runnable_ns != 0)
        text += fmt::format("; {} waiting for a CPU", glued(style.time(side.runnable_ns)));
    std::ranges::replace(text, kGlue, ' ');
    return text;
}

/// Where processes outside the trace hold the end, none that was seen says nothing.
std::string calls_of(const ChannelSide& side, const Style& style)
{
    return side.count == 0 && !side.traced ? style.none() : count(side.count);
}

std::string waited(const ChannelSide& side, std::uint64_t ns, std::uint64_t span_ns,
                   const Style& style)
{
    return ns == 0 && !side.traced ? style.none() : whole_percent(ns, span_ns);
}

std::vector<Table::Column> with_time(std::vector<Table::Column> columns)
{
    for (Table::Column& column : time_columns()) columns.push_back(std::move(column));
    return columns;
}

/// Of a long pipeline, as a loop of $(...) makes, those of one name are one line.
std::vector<ProcessLine> stage_lines(const Page& page, const std::vector<const StageRow*>& stages,
                                     bool detailed)
{
    std::vector<aggregate::ProcessRow> rows;
    for (const StageRow* stage : stages) rows.push_back({stage->task, 1, stage->time});
    std::vector<const aggregate::ProcessRow*> all;
    for (const aggregate::ProcessRow& row : rows) all.push_back(&row);
    if (!detailed) return folded(page, all);
    std::vector<ProcessLine> lines;
    for (const aggregate::ProcessRow& row : rows) lines.push_back({row});
    return lines;
}

/// Of the stages that have no row yet: a process has one for all its pipelines.
std::string stage_table(const Page& page, const aggregate::Pipeline& pipeline,
                        std::set<std::uint32_t>& shown)
{
    std::vector<const StageRow*> stages;
    std::map<std::uint32_t, std::uint64_t> spans;
    for (const StageRow& stage : pipeline.stages) {
        if (shown.insert(stage.task.tgid).second) stages.push_back(&stage);
        spans[stage.task.tgid] = stage.span_ns;
    }
    if (stages.empty()) return {};
    Table table(with_time({{"STAGE", Align::left, kLeastName}, {"", Align::left}, {"SPAN"}}));
    const auto slow = diagnose::slow_stage_of(pipeline, page.findings);
    const bool detailed = pipeline.stages.size() <= kDetailedStages;
    for (const ProcessLine& line : stage_lines(page, stages, detailed)) {
        const decode::Task& task = line.row.task;
        std::vector<Table::Cell> cells = {
            cell(task, line.processes, page.style), slow == task.tgid ? "slow" : "",
            page.style.time(line.processes == 1 ? spans[task.tgid] : line.row.time.span_ns)};
        for (Table::Cell& share : time_cells(line.row.time)) cells.push_back(std::move(share));
        table.row(std::move(cells));
        if (detailed) table.detail(diagnose::where_time_went(line.row.time));
    }
    return table.str(page.width, page.style);
}

std::set<std::uint32_t> stages(const aggregate::Report& report)
{
    std::set<std::uint32_t> pids;
    for (const aggregate::Pipeline& pipeline : report.pipelines)
        for (const StageRow& stage : pipeline.stages) pids.insert(stage.task.tgid);
    return pids;
}

}  // namespace

std::string pipe_table(const Page& page)
{
    const auto [pipes, others] = notable_pipes(page);
    if (pipes.size() + others == 0) return {};
    Table table({{"KIND", Align::left},
                 {"INODE", Align::right, 6},
                 {"PAGES", Align::right, 6},
                 {"WRITES"},
                 {"READS"},
                 {"BYTES"},
                 {"RATE"},
                 {"FULL"},
                 {"EMPTY"},
                 {"OCCUPANCY", Align::left}});
    for (const ChannelRow* row : std::span(pipes).first(page.top(pipes.size()))) {
        const ChannelRow& pipe = *row;
        const std::uint64_t span = since(pipe.last_ns, pipe.first_ns);
        const std::uint64_t moved = std::max(pipe.reads.bytes, pipe.writes.bytes);
        const std::string speed = rate(moved, span);
        table.row({std::string(decode::object_name(pipe.type)), std::to_string(pipe.object.object),
                   count(pipe.ring_slots), calls_of(pipe.writes, page.style),
                   calls_of(pipe.reads, page.style),
                   bytes(moved), speed.empty() ? page.style.none() : speed,
                   waited(pipe.writes, pipe.full_ns, span, page.style),
                   waited(pipe.reads, pipe.empty_ns, span, page.style),
                   "|" + sparkline(pipe.occupancy, page.style) + "|"});
        if (!pipe.path.empty()) table.detail(pipe.path.str());
        if (pipes.size() > kDetailedPipes) continue;
        table.detail(ends("write end", pipe.writers, page.style));
        table.detail(ends("read end", pipe.readers, page.style));
        table.detail(calls("writes:", pipe.writes, page.style));
        table.detail(calls("reads:", pipe.reads, page.style));
    }
    return page.title("Pipes (full, empty: share of the time in which a side waited)") +
           (pipes.empty() ? "" : table.str(page.width, page.style)) + page.more(pipes.size()) +
           page.others(others, "pipes with at most one write");
}

std::string pipeline_tables(const Page& page)
{
    const auto [pipelines, others] = notable_pipelines(page);
    if (pipelines.size() + others == 0) return {};
    std::string out = page.title("Pipelines: where the time of each stage went");
    std::set<std::uint32_t> shown;
    for (const aggregate::Pipeline* pipeline : std::span(pipelines).first(page.top(pipelines.size()))) {
        out += wrap(page.style.plain(diagnose::chain(*pipeline)), page.width, "  ", "    ");
        out += stage_table(page, *pipeline, shown);
    }
    return out + page.more(pipelines.size()) +
           page.others(others, "pipelines, each over in less than 1 % of the time");
}

/// Those that did something, and are not in a pipeline's table already.
std::string process_table(const Page& page)
{
    const std::set<std::uint32_t> shown = stages(page.report);
    std::vector<const aggregate::ProcessRow*> rows;
    for (const aggregate::ProcessRow& row : page.report.processes)
        if (!at_least(row.time.at(aggregate::Part::sleeping), row.time.span_ns, 99, 100) &&
            !shown.contains(row.task.tgid))
            rows.push_back(&row);
    if (rows.empty()) return {};
    Table table(with_time({{"PROCESS", Align::left, kLeastName}, {"THREADS"}, {"SPAN"}}));
    const std::vector<ProcessLine> lines = folded(page, rows);
    for (const ProcessLine& line : std::span(lines).first(page.top(lines.size()))) {
        std::vector<Table::Cell> cells = {cell(line.row.task, line.processes, page.style),
                                          count(line.row.threads),
                                          page.style.time(line.row.time.span_ns)};
        for (Table::Cell& share : time_cells(line.row.time)) cells.push_back(std::move(share));
        table.row(std::move(cells));
    }
    return page.title("Processes: where the time of their threads went") +
           table.str(page.width, page.style) + page.more(lines.size());
}

}  // namespace ipcscope::render
