// SPDX-License-Identifier: GPL-2.0-only
// Which processes are joined by pipes, in which order, and for which of them
// the others wait.  The rules are in docs/matching.md.
#pragma once

#include <vector>

#include "aggregate/report.hpp"
#include "aggregate/stage_table.hpp"

namespace ipcscope::aggregate {

std::vector<Pipeline> find_pipelines(const std::vector<PipeRow>& pipes,
                                     const StageTable& stages, const Names& names);

}  // namespace ipcscope::aggregate
