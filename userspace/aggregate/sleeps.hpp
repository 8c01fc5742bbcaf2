// SPDX-License-Identifier: GPL-2.0-only
// Long sleeps in system calls that say what for: poll, and waits for a child.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class SleepTable {
public:
    void host(const source::Host& host) { machine_ = host.machine; }
    void slice(const decode::Event& event, const decode::Slice& slice);

    std::vector<SleepRow> rows() const;   ///< by process, then by time
    const std::vector<StuckRow>& stuck() const { return stuck_; }
    std::uint64_t evicted() const { return evicted_; }

    static constexpr std::size_t kMost = 4096;   ///< the longest, of each
    static constexpr std::size_t kMostStuck = 1024;

private:
    std::string machine_;
    std::vector<SleepRow> rows_;   ///< a heap, the shortest first
    std::vector<SleepRow> others_; ///< the same, In::other: they push none of the former out
    std::vector<StuckRow> stuck_;
    std::uint64_t evicted_ = 0;
};

}  // namespace ipcscope::aggregate
