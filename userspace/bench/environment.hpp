// SPDX-License-Identifier: GPL-2.0-only
// The machine's properties that affect a measurement.
#pragma once

#include <cstdint>

#include "bench/model.hpp"

namespace ipcscope::bench {

/// Reads this machine's properties.  What cannot be read is empty (a list) or
/// "unknown".
Environment read_environment();

/// Time of all CPUs since boot, from /proc/stat; 10 ms steps.
struct CpuTimes {
    std::uint64_t busy_ns = 0;    ///< user, nice, system, irq, softirq
    std::uint64_t stolen_ns = 0;  ///< steal time
};
CpuTimes cpu_times();

}  // namespace ipcscope::bench
