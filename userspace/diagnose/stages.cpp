// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/stages.hpp"

namespace ipcscope::diagnose {

using aggregate::Pipeline;
using aggregate::StageRow;

Stages::Stages(const aggregate::Report& report, const Edges& edges)
{
    std::multimap<Pid, const Pipeline*> pipelines;
    for (const Pipeline& pipeline : report.pipelines) {
        for (const StageRow& stage : pipeline.stages) {
            rows_.emplace(std::pair(stage.task.tgid, &pipeline), &stage);
            pipelines.emplace(stage.task.tgid, &pipeline);
        }
    }
    for (const auto& [holder, waits] : edges) {
        for (const Blame::Edge* edge : waits) {
            const auto [from, to] = pipelines.equal_range(edge->waiter);
            for (auto at = from; at != to; ++at) {
                holders_[at->second].insert(holder);
            }
        }
    }
}

const StageRow* Stages::of(const Pipeline& pipeline, Pid pid) const
{
    const auto found = rows_.find({pid, &pipeline});
    return found == rows_.end() ? nullptr : found->second;
}

const std::set<Pid>& Stages::holders(const Pipeline& pipeline) const
{
    static const std::set<Pid> none;
    const auto found = holders_.find(&pipeline);
    return found == holders_.end() ? none : found->second;
}

}  // namespace ipcscope::diagnose
