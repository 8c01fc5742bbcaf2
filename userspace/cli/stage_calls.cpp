// SPDX-License-Identifier: GPL-2.0-only
#include "cli/stage_calls.hpp"

#include <fcntl.h>

#include <fmt/format.h>

#include "inspect/calls.hpp"
#include "source/holders.hpp"
#include "source/proc.hpp"

namespace ipcscope::cli {
namespace {

using Doing = diagnose::LiveStage::Doing;

/// What poll() and its like wait for is not asked: it would need the thread's memory.
std::optional<inspect::Call> parse(std::string_view text)
{
    return inspect::parse_call(
        text, [](std::uint64_t, std::size_t) { return std::string(); },
        [](std::uint32_t) { return std::vector<std::uint32_t>(); });
}

std::optional<source::PipeEnd> pipe_of(std::uint32_t tgid, const inspect::Call& call)
{
    const Fd descriptors =
        source::proc::open_directory(AT_FDCWD, fmt::format("/proc/{}/fd", tgid).c_str());
    for (const std::uint32_t descriptor : call.descriptors) {
        if (auto pipe = source::find_pipe(descriptors, std::to_string(descriptor))) {
            return pipe;
        }
    }
    return std::nullopt;
}

}  // namespace

void StageCalls::add_to(std::vector<diagnose::LivePipeline>& pipelines)
{
    for (diagnose::LivePipeline& pipeline : pipelines) {
        for (diagnose::LiveStage& stage : pipeline.stages) {
            if (stage.over_ns != 0) {
                continue;
            }
            const std::uint32_t tgid = stage.task.tgid;
            const auto call =
                parse(files_.read(tgid, tgid, source::ThreadStacks::File::syscall));
            if (!call) {
                continue;   // refused, or gone
            }
            Doing doing{std::string(call->name), call->number, 0};
            if (const auto pipe = pipe_of(tgid, *call)) {
                doing.pipe = pipe->inode;
            }
            stage.doing = std::move(doing);
        }
    }
}

}  // namespace ipcscope::cli
