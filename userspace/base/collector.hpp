// SPDX-License-Identifier: GPL-2.0-only
// Records that the collector adds beside the backend's.
#pragma once

#include <cstddef>

namespace ipcscope {

/// Their CPU, and the ring that they are passed on from: no CPU has that number.
inline constexpr unsigned kCollectorCpu = 0xffff;

/// A place for each CPU and the collector, without a gap: for tables by CPU.
constexpr std::size_t place_of_cpu(unsigned cpu)
{
    return cpu == kCollectorCpu ? 0 : std::size_t{cpu} + 1;
}

}  // namespace ipcscope
