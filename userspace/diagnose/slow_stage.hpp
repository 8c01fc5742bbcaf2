// SPDX-License-Identifier: GPL-2.0-only
// The stage that holds a pipeline up, as it is found and as it is said.
#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "diagnose/finding.hpp"
#include "diagnose/stages.hpp"
#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

/// Who holds others up, and what each waits for that is none of that: an answer, of partners
/// that take turns, or of a process that it made for it ($(…), popen(), a pool), which it asked
/// for.  A wait for room is none for an answer.
struct SortedEdges {
    Edges holds;     ///< by holder
    Edges answers;   ///< by waiter
};

/// What one stage waited for the slow one.
struct StageWait {
    const aggregate::StageRow* stage;
    const aggregate::ChannelRow* channel = nullptr;   ///< one of those waited for
    std::uint64_t ns = 0;
    std::uint64_t polled_ns = 0;
    std::uint64_t output_ns = 0;
};

struct SlowStage {
    aggregate::StageRow stage;
    std::uint64_t ns = 0;
    std::vector<Pid> children{};   ///< that do its work, where it is not it itself
    std::set<Pid> all() const
    {
        std::set<Pid> pids(children.begin(), children.end());
        pids.insert(stage.task.tgid);
        return pids;
    }
};

/// The finding: who waited, and what the stage did meanwhile.
Finding slow_stage_finding(const WaitGraph& graph, const SortedEdges& edges,
                           const aggregate::Pipeline& pipeline, const SlowStage& slow,
                           const std::vector<StageWait>& waits);

}  // namespace ipcscope::diagnose
