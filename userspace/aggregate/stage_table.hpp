// SPDX-License-Identifier: GPL-2.0-only
// Processes between pipes: how long each waited, and for what.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "aggregate/busy_time.hpp"
#include "aggregate/names.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

/// Threads of a process may wait at the same time: its waiting is the union of
/// theirs, so that a stage is never longer idle than it lived.
class StageTable {
public:
    void call(const decode::Event& event, const decode::PipeOp& call);

    /// The process's row, without its pipes.
    StageRow row(std::uint32_t tgid, const Names& names) const;

    std::uint64_t first_ns(std::uint32_t tgid) const;
    std::uint64_t last_ns(std::uint32_t tgid) const;

private:
    struct Stage {
        std::uint64_t first_ns = UINT64_MAX;
        std::uint64_t last_ns = 0;
        BusyTime input;
        BusyTime output;
        BusyTime either;
    };
    std::unordered_map<std::uint32_t, Stage> stages_;
};

}  // namespace ipcscope::aggregate
