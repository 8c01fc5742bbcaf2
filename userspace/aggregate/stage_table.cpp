// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stage_table.hpp"

#include <algorithm>

#include "aggregate/pipe_table.hpp"

namespace ipcscope::aggregate {

void StageTable::call(const decode::Event& event, const decode::PipeOp& call)
{
    Stage& stage = stages_[event.task.tgid];
    stage.first_ns = std::min(stage.first_ns, call.enter_ns);
    stage.last_ns = std::max(stage.last_ns, event.time_ns);
    const Span blocked = blocked_span(event, call);
    (call.write ? stage.output : stage.input).add(blocked.start_ns, blocked.end_ns);
    stage.either.add(blocked.start_ns, blocked.end_ns);
}

StageRow StageTable::row(std::uint32_t tgid, const Names& names) const
{
    StageRow row;
    row.task = names.process(tgid);
    const auto at = stages_.find(tgid);
    if (at == stages_.end()) return row;
    const Stage& stage = at->second;
    row.span_ns = stage.last_ns - std::min(stage.first_ns, stage.last_ns);
    row.waiting_for_input_ns = stage.input.total_ns();
    row.waiting_for_output_ns = stage.output.total_ns();
    row.own_ns = row.span_ns - std::min(stage.either.total_ns(), row.span_ns);
    return row;
}

std::uint64_t StageTable::first_ns(std::uint32_t tgid) const
{
    const auto at = stages_.find(tgid);
    return at == stages_.end() ? 0 : at->second.first_ns;
}

std::uint64_t StageTable::last_ns(std::uint32_t tgid) const
{
    const auto at = stages_.find(tgid);
    return at == stages_.end() ? 0 : at->second.last_ns;
}

}  // namespace ipcscope::aggregate
