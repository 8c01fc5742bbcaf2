// SPDX-License-Identifier: GPL-2.0-only
// What a live source is asked to trace.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ipcscope::source {

struct Filters {
    std::vector<std::uint32_t> pids;
    std::vector<std::uint32_t> tids;
    std::vector<std::string> comms;        ///< at most 15 bytes each
    std::vector<std::string> cgroups;      ///< directories of cgroup v2
    std::vector<unsigned> signals;         ///< 1..64
    bool follow = false;                   ///< children of wanted tasks too

    bool any() const
    {
        return !pids.empty() || !tids.empty() || !comms.empty() || !cgroups.empty() ||
               !signals.empty();
    }
};

struct Options {
    Filters filters;
    /// A process that is traced whatever the filters say, with its children;
    /// 0: none.  Without filters nothing else is traced.
    std::uint32_t command_pid = 0;
    std::vector<std::string> command;      ///< its words, for the record
    bool signals = true;
    bool pipes = true;
    bool kills = true;
    std::size_t ring_bytes = 4 << 20;      ///< per CPU; rounded up to 2^n pages
    std::uint32_t max_calls = 32768;       ///< calls in flight at once
};

}  // namespace ipcscope::source
