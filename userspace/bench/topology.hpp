// SPDX-License-Identifier: GPL-2.0-only
// The CPUs that workers may be pinned to.
#pragma once

#include <vector>

#include "base/result.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

/// The CPUs this process may run on, ascending.
std::vector<unsigned> allowed_cpus();

/// How two CPUs sit, by sysfs; without it two different ones are other_cpu.
Distance distance(unsigned cpu_a, unsigned cpu_b);

/// Makes the calling thread run on `cpu` only.  @return 0 or an errno
int pin(unsigned cpu);

}  // namespace ipcscope::bench
