// SPDX-License-Identifier: GPL-2.0-only
// What may explain a figure: read from the machine, not assumed.
#pragma once

#include <cstdint>

#include "bench/model.hpp"

namespace ipcscope::bench {

/// Of this machine, now.  What cannot be read is empty (a list) or "unknown".
Environment look_at_environment();

/// Time of all CPUs since boot, from /proc/stat; 10 ms steps.
struct CpuTimes {
    std::uint64_t busy_ns = 0;    ///< user, nice, system, irq, softirq
    std::uint64_t stolen_ns = 0;  ///< the hypervisor ran somebody else
};
CpuTimes cpu_times();

}  // namespace ipcscope::bench
