// SPDX-License-Identifier: GPL-2.0-only
// Commands that one process runs one after the other, to read or write a pipe for it: the
// commands of xargs, find -exec, or a loop of a shell.
#pragma once

#include <vector>

#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

struct Family {
    Pid parent = 0;
    std::vector<Pid> children;   ///< by birth, two or more
};

/// Of the stages of a pipeline.
std::vector<Family> find_families(const WaitGraph& graph, const aggregate::Pipeline& pipeline);

}  // namespace ipcscope::diagnose
