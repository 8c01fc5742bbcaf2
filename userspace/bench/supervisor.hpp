// SPDX-License-Identifier: GPL-2.0-only
// The processes of one round: started together, watched, ended together.
#pragma once

#include <csignal>
#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {

/// While it lives, the signals that end a program and those of ended children
/// are waited for instead of interrupting.
class HeldSignals {
public:
    HeldSignals();
    ~HeldSignals();
    HeldSignals(const HeldSignals&) = delete;
    HeldSignals& operator=(const HeldSignals&) = delete;

    /// Sleeps until one comes or CLOCK_MONOTONIC is `until_ns`.
    void wait(std::uint64_t until_ns);
    /// Whether one that ends a program has come; takes what is pending.
    bool interrupted();
    /// What the process had: for its children.
    const sigset_t& before() const { return before_; }

private:
    void take(const timespec& at_most);
    sigset_t held_{};
    sigset_t before_{};
    bool interrupted_ = false;
};

/// How the workers of a round ended.
struct Ending {
    bool interrupted = false;
    std::string failed;   ///< why, in one line; empty where all went well
};

/// Runs the job's workers to their end, `until_ns` (CLOCK_MONOTONIC) at most.
/// None of them is alive on return.
Ending run_workers(const Job& job, HeldSignals& signals, std::uint64_t until_ns);

/// Keeps CPUs from sleeping: on each a process that runs only when nothing else
/// wants to (SCHED_IDLE).
class Awake {
public:
    Awake(const std::vector<unsigned>& cpus, const HeldSignals& signals);
    ~Awake();
    Awake(const Awake&) = delete;
    Awake& operator=(const Awake&) = delete;

private:
    std::vector<pid_t> spinners_;
};

}  // namespace ipcscope::bench
