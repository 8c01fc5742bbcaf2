// SPDX-License-Identifier: GPL-2.0-only
// Which threads there are as a trace begins.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include <ipcscope/record.h>

#include "source/notes.hpp"
#include "source/proc.hpp"

namespace ipcscope::source {

/// Names of processes that the stream has from the collector.
class ProcessNames {
public:
    /// Whether a record of a process's leader says something new; if so, it is
    /// remembered as passed on.
    bool add(const ipcscope_thread& leader);

private:
    using Name = std::array<__u8, IPCSCOPE_COMM_LEN>;
    std::unordered_map<std::uint32_t, Name> names_;   ///< by tgid
};

/// Gives a THREAD record of each thread of the machine, in portions: while it
/// reads /proc, the rings fill.
class ThreadSweep {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    /// All records have `time_ns`.
    ThreadSweep(std::uint64_t time_ns, proc::Cgroups& cgroups, ProcessNames& names);

    /// Goes on until `deadline`.  @return whether all threads were looked at
    bool append(Notes& notes, Deadline deadline);

private:
    bool next_process();

    std::uint64_t time_ns_;
    proc::Cgroups& cgroups_;
    ProcessNames& names_;
    std::vector<std::uint32_t> processes_;   ///< to come, the next one last
    std::uint32_t tgid_ = 0;
    Fd tasks_;                               ///< /proc/TGID/task
    std::vector<std::uint32_t> tids_;        ///< of it, likewise
};

}  // namespace ipcscope::source
