// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope pipes`: pipelines as pictures, a stage or a pipe a line.
#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/live_line.hpp"
#include "render/names.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using diagnose::LiveLink;
using diagnose::LivePipeline;
using diagnose::LiveStage;

constexpr std::size_t kLabel = 22;
constexpr std::size_t kRate = 11;
constexpr std::size_t kShare = 10;   ///< "full 100 %"
constexpr std::size_t kRest = 120;    ///< to the end of the line
constexpr std::size_t kReaders = 3;

std::string share(const char* what, std::uint64_t ns, std::uint64_t over_ns)
{
    return fmt::format("{} {}", what, whole_percent(ns, over_ns));
}

/// "cat/12, tee/13 and 4 more"
std::string readers(const LiveLink& link, std::size_t width, const Style& style)
{
    std::string text;
    for (std::size_t at = 0; at < std::min(link.readers.size(), kReaders); ++at) {
        text += (at == 0 ? "" : ", ") + fit_task(link.readers[at], width, style);
    }
    if (link.readers.size() > kReaders) {
        text += fmt::format(" and {} more", link.readers.size() - kReaders);
    }
    return text;
}

/// "read of pipe 12345", "poll", "system call 230", "no system call"
std::string doing(const LiveStage::Doing& now)
{
    if (!now.number) {
        return "no system call";
    }
    if (now.call.empty()) {
        return fmt::format("system call {}", *now.number);
    }
    return now.pipe == 0 ? now.call : fmt::format("{} of pipe {}", now.call, now.pipe);
}

std::string stage_line(const LiveStage& stage, const LiveOptions& options)
{
    Line line(options);
    line.left("", 1).task(stage.task).left(stage.slow ? "slow" : "", 4);
    if (stage.over_ns == 0) {
        const std::string quiet = line.style().time(stage.quiet_ns);
        const std::string text =
            stage.ended   ? "ended"
            : stage.doing ? fmt::format("quiet for {}, in {}", quiet, doing(*stage.doing))
                          : "no call has ended for " + quiet;
        line.left(text, kRest);
        return line.str();
    }
    std::string text = fmt::format("waits: input {}, room {}",
                                   whole_percent(stage.input_ns, stage.over_ns),
                                   whole_percent(stage.output_ns, stage.over_ns));
    if (stage.wait) {
        text += ", most for " + fit_task(stage.wait->whom, line.width().task, line.style());
    }
    line.left(text + (stage.ended ? ", ended" : ""), kRest);
    return line.str();
}

std::string link_line(const LiveLink& link, const LiveOptions& options)
{
    Line line(options);
    const Style& style = line.style();
    const std::string name = fmt::format(
        "{} {} {}", options.utf8 ? "│" : "|", kind_text(link.type),
        object_text(link.type, link.channel.object));
    line.left("", 2).left(name, kLabel);
    if (link.over_ns == 0) {
        line.left("quiet for " + style.time(link.quiet_ns), kRate + 2 * kShare + 2);
    } else {
        const std::string speed = rate(link.bytes, link.over_ns);
        line.right(speed.empty() ? style.none() : speed, kRate)
            .left(share("full", link.full_ns, link.over_ns), kShare)
            .left(share("empty", link.empty_ns, link.over_ns), kShare + 1);
    }
    line.left(fmt::format("{} {}", style.arrow(), readers(link, line.width().task, style)), kRest);
    return line.str();
}

}  // namespace

std::string pipelines_page(const std::vector<LivePipeline>& pipelines, std::uint64_t now_ns,
                           std::uint64_t start_ns, std::size_t most, const LiveOptions& options)
{
    const std::size_t shown = most == 0 ? pipelines.size() : std::min(most, pipelines.size());
    const Style style{options.utf8, options.colour};
    std::string out = style.bold(fmt::format("{} s: {}", clock(now_ns, start_ns, options),
                                             counted(pipelines.size(), "pipeline", "pipelines"))) +
                      '\n';
    for (const LivePipeline& pipeline : std::span(pipelines).first(shown)) {
        for (const LiveStage& stage : pipeline.stages) {
            const std::string line = stage_line(stage, options);
            out += (stage.slow ? style.red(line) : line) + '\n';
            for (const LiveLink& link : stage.writes) {
                out += link_line(link, options) + '\n';
            }
        }
        out += '\n';
    }
    if (shown < pipelines.size()) {
        out += fmt::format("{} {} more (--top=0 shows all)\n", style.dots(),
                           grouped(pipelines.size() - shown));
    }
    return out;
}

}  // namespace ipcscope::render
