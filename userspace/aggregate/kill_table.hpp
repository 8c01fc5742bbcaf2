// SPDX-License-Identifier: GPL-2.0-only
// Fatal signals to sleepers: those that took longest.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class KillTable {
public:
    void add(const correlate::KillInterval& kill);
    std::vector<correlate::KillInterval> rows() const;   ///< by time
    std::uint64_t evicted() const { return evicted_; }

private:
    std::vector<correlate::KillInterval> kills_;   ///< full: a heap, the quickest first
    std::uint64_t evicted_ = 0;
};

}  // namespace ipcscope::aggregate
