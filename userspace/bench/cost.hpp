// SPDX-License-Identifier: GPL-2.0-only
// The cost of the measurement itself.
#pragma once

#include <cstddef>

namespace ipcscope::bench {

/// Nanoseconds that the loop around a message costs: a clock read, a sample,
/// stamping and checking, with a port that does nothing.
double harness_cost_ns(std::size_t message_bytes);

/// Nanoseconds of one read of CLOCK_MONOTONIC.
double clock_cost_ns();

}  // namespace ipcscope::bench
