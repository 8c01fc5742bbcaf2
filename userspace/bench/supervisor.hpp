// SPDX-License-Identifier: GPL-2.0-only
// Starts, monitors and ends the worker processes of one round.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// Blocks the termination signals and SIGCHLD during its lifetime; wait() receives them
/// synchronously.
class BlockedSignals {
public:
    BlockedSignals();
    ~BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

    /// Sleeps until a blocked signal arrives or CLOCK_MONOTONIC is `until_ns`.
    void wait(std::uint64_t until_ns);
    /// Whether a termination signal has arrived; consumes the pending signals.
    bool interrupted();
    /// The signal mask before, to be restored in children.
    const sigset_t& before() const { return before_; }

private:
    void take(const timespec& at_most);
    sigset_t blocked_{};
    sigset_t before_{};
    bool interrupted_ = false;
};

/// How the workers of a round ended.
struct WorkersResult {
    bool interrupted = false;
    std::string failed;   ///< why, in one line; empty where all went well
};

/// Runs the job's workers to their end, `until_ns` (CLOCK_MONOTONIC) at most.
/// None of them is alive on return.
WorkersResult run_workers(const Job& job, BlockedSignals& signals, std::uint64_t until_ns);

/// Keeps CPUs out of idle states: a SCHED_IDLE process spins on each.
class IdleInhibitor {
public:
    IdleInhibitor(const std::vector<unsigned>& cpus, const BlockedSignals& signals);
    ~IdleInhibitor();
    IdleInhibitor(const IdleInhibitor&) = delete;
    IdleInhibitor& operator=(const IdleInhibitor&) = delete;

private:
    std::vector<pid_t> spinners_;
};

}  // namespace ipcscope::bench
