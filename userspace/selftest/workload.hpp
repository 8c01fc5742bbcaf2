// SPDX-License-Identifier: GPL-2.0-only
// What the selftest traces: known numbers of calls and signals, on one CPU.
#pragma once

#include <cstdint>

namespace ipcscope::selftest {

/// Primes, so that no sum hides an exchange.
struct Counts {
    unsigned to_handler = 97;    ///< SIGUSR1 to itself, with a handler
    unsigned queued = 31;        ///< SIGRTMIN+1 by sigqueue(), all at once
    unsigned late = 23;          ///< SIGUSR2, taken kLateMs after it was sent
    unsigned passed = 199;       ///< a write to a pipe and its read, no waiting
    unsigned waited = 19;        ///< a child's read that waits kLateMs
    unsigned notified = 29;      ///< a write to an eventfd and its read
    unsigned sent = 37;          ///< a send on a Unix-domain socket and its receive
};

inline constexpr Counts kCounts;
inline constexpr unsigned kLateMs = 20;

/// Runs it in this process; false where a call of it failed.
bool run_workload();

/// Nanoseconds of one operation, the best of some rounds.
struct Cost {
    double signal_ns = 0;        ///< kill() of itself with a handler
    double pipe_ns = 0;          ///< a write of a byte and its read
};

Cost measure_cost();

}  // namespace ipcscope::selftest
