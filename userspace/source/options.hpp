// SPDX-License-Identifier: GPL-2.0-only
// What a live source is asked to trace.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ipcscope/stat.h>

#include "base/family.hpp"

namespace ipcscope::source {

struct Filters {
    std::vector<std::uint32_t> pids;
    std::vector<std::uint32_t> tids;
    std::vector<std::string> comms;        ///< at most 15 bytes each
    std::vector<std::string> cgroups;      ///< directories of cgroup v2
    std::vector<unsigned> signals;         ///< 1..64
    bool follow = false;                   ///< children of wanted tasks too
    /// Of calls only; the collector sees to them, and any() not.
    std::vector<std::string> objects;      ///< "pipe:[12]", as parse_object() takes them
    std::vector<std::string> paths;        ///< of FIFOs, sockets and queues; with * and ?

    bool any() const
    {
        return !pids.empty() || !tids.empty() || !comms.empty() || !cgroups.empty() ||
               !signals.empty();
    }
};

/// Of `ipcscope stat`.
struct StatOptions {
    unsigned by = IPCSCOPE_STAT_BY_NONE;
    std::uint32_t max_rows = 256;          ///< keys with an event of their own
    std::uint32_t max_pending = 16384;     ///< targets and numbers of pending signals
};

struct Options {
    Filters filters;
    /// A process that is traced whatever the filters say, with its children;
    /// 0: none.  Without filters nothing else is traced.
    std::uint32_t command_pid = 0;
    std::vector<std::string> command;      ///< its words, for the record
    FamilyMask families = IPCSCOPE_FAMILY_DEFAULT;
    std::size_t ring_bytes = 4 << 20;      ///< per CPU; rounded up to 2^n pages
    std::uint32_t max_threads = 65536;     ///< whose time is accounted for at once
    /// A process that is still there so long after a signal that should end it is
    /// looked at.
    std::uint64_t stuck_after_ns = 100'000'000;
    std::optional<StatOptions> stat = std::nullopt;   ///< aggregate; make no records
};

}  // namespace ipcscope::source
