// SPDX-License-Identifier: GPL-2.0-only
// Which processes are stages of which pipelines, and for whom those wait: looked up, for
// there may be thousands of each.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "diagnose/blame.hpp"

namespace ipcscope::diagnose {

/// Waits that may be for a slow stage, by whom they are for.
using Edges = std::map<Pid, std::vector<const Blame::Edge*>>;

class Stages {
public:
    Stages(const aggregate::Report& report, const Edges& edges);

    /// nullptr: the process is none of that pipeline.
    const aggregate::StageRow* of(const aggregate::Pipeline& pipeline, Pid pid) const;
    /// The processes for which its stages wait.
    const std::set<Pid>& holders(const aggregate::Pipeline& pipeline) const;

private:
    std::map<std::pair<Pid, const aggregate::Pipeline*>, const aggregate::StageRow*> rows_;
    std::map<const aggregate::Pipeline*, std::set<Pid>> holders_;
};

}  // namespace ipcscope::diagnose
