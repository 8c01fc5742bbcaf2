// SPDX-License-Identifier: GPL-2.0-only
// What the stages of a running pipeline are in, whose calls have not ended.
#pragma once

#include <vector>

#include "diagnose/live_pipelines.hpp"
#include "source/thread_stacks.hpp"

namespace ipcscope::cli {

class StageCalls {
public:
    /// Of each stage of which no call has ended for an interval: its main thread's call, by
    /// /proc.
    void add_to(std::vector<diagnose::LivePipeline>& pipelines);

private:
    source::ThreadStacks files_;
};

}  // namespace ipcscope::cli
