// SPDX-License-Identifier: GPL-2.0-only
// The clocks that records are stamped with.
#pragma once

#include <cstdint>

#include <time.h>

namespace ipcscope {

inline std::uint64_t clock_ns(clockid_t clock)
{
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(now.tv_nsec);
}

/// Nanoseconds of CLOCK_MONOTONIC.
inline std::uint64_t monotonic_ns() { return clock_ns(CLOCK_MONOTONIC); }

}  // namespace ipcscope
