// SPDX-License-Identifier: GPL-2.0-only
// Records that the collector adds beside the backend's.
#pragma once

namespace ipcscope {

/// Their CPU, and the ring that they are passed on from: no CPU has that number.
inline constexpr unsigned kCollectorCpu = 0xffff;

}  // namespace ipcscope
