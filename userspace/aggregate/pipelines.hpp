// SPDX-License-Identifier: GPL-2.0-only
// Which processes are joined by pipes, and in which order.  The rules are in
// docs/matching.md.
#pragma once

#include <vector>

#include "aggregate/report.hpp"
#include "aggregate/stage_table.hpp"

namespace ipcscope::aggregate {

/// `lives`: by process number.
std::vector<Pipeline> find_pipelines(const std::vector<ChannelRow>& channels,
                                     const std::vector<LifeRow>& lives, const StageTable& stages);

}  // namespace ipcscope::aggregate
