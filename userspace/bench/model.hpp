// SPDX-License-Identifier: GPL-2.0-only
// What a benchmark run is made of and what it found.  Plain data: the runner
// fills it, the outputs and the comparison read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.hpp"

namespace ipcscope::bench {

/// What is measured.
enum class Metric {
    call,        ///< one thread does both ends: the bare cost of send + receive
    round_trip,  ///< there and back between two workers
    one_way,     ///< from before the send to after the receive, by one clock
    throughput,  ///< messages per second at full rate; not computed from latencies
};

/// How the two ends sit on the machine.
enum class Distance {
    same_cpu,   ///< both on one CPU, one runs at a time
    smt,        ///< on two hardware threads of one core
    other_cpu,  ///< on two cores
};

/// How a receiver waits for what has not come yet.
enum class WaitMode {
    block,  ///< sleeps in the kernel
    spin,   ///< polls, never sleeps
};

struct Placement {
    unsigned cpu_a = 0;  ///< CPU of the sender (and of end a of a round trip)
    unsigned cpu_b = 0;
    Distance distance = Distance::same_cpu;

    friend bool operator==(const Placement&, const Placement&) = default;
};

/// One thing to measure.
struct Case {
    std::string mechanism;      ///< name in the list: "pipe", "shm-futex"
    Metric metric = Metric::round_trip;
    std::size_t message_bytes = 0;  ///< 0: the mechanism carries no bytes
    Placement placement;
    WaitMode waiting = WaitMode::block;
    bool threads = false;       ///< two threads of one process, not two processes
    bool awake = false;         ///< idle CPUs were kept from sleeping (SCHED_IDLE)
    unsigned producers = 1;     ///< throughput only
    unsigned consumers = 1;
    double rate_hz = 0;         ///< paced: intended starts per second; 0: as fast as it goes

    friend bool operator==(const Case&, const Case&) = default;
};

/// "pipe/round_trip/1B/same_cpu": every field that differs from the default is
/// in it, CPU numbers are not, so that runs on other machines can be compared.
std::string key(const Case& one);

/// One round of one case.
struct Round {
    double value = 0;   ///< latency: median in ns; throughput: messages per second
    std::uint64_t messages = 0;           ///< samples, or messages moved
    std::uint64_t wall_ns = 0;            ///< throughput: first send to last receive
    std::uint64_t involuntary_switches = 0;  ///< of all workers, getrusage
    std::uint64_t stolen_ns = 0;          ///< by the hypervisor, of all CPUs, /proc/stat
    bool noisy = false;                   ///< marked, never left out
};

/// A median and the interval that holds the true one with at least
/// `confidence` (0..1), by order statistics: no distribution is assumed.
struct Estimate {
    double median = 0;
    double low = 0;
    double high = 0;
    double confidence = 0;   ///< what n values allow; 0 with fewer than two
};

/// The same round trips as the kernel recorded them, in rounds of their own.
struct KernelView {
    struct Part {
        std::string name;
        double ns = 0;             ///< mean of a round trip
    };
    std::uint64_t round_trips = 0;  ///< that the parts are the mean of
    std::uint64_t left_out = 0;     ///< of which a record is missing
    std::uint64_t lost = 0;         ///< records that the rings could not take
    double kernel_ns = 0;           ///< sum of the parts
    double user_ns = 0;             ///< mean that user space measured of the same ones
    double untraced_ns = 0;         ///< mean without tracing, in the rounds before
    std::vector<Part> parts;        ///< in the order in which they follow each other
};

struct CaseResult {
    Case what;
    std::vector<Round> rounds;       ///< in the order measured, interleaved with other cases
    Estimate estimate;               ///< over the rounds' values; unit as Round::value
    Histogram latency_ns;            ///< all samples of all rounds; empty for throughput
    std::optional<KernelView> kernel;   ///< with --trace, where there are hooks
    std::optional<std::string> failed;  ///< why there is no value: one line with the fix

    bool higher_is_better() const { return what.metric == Metric::throughput; }
    /// Throughput in bytes/s; 0 where the mechanism carries none.
    double bytes_per_s() const
    {
        return higher_is_better() ? estimate.median * static_cast<double>(what.message_bytes)
                                  : 0;
    }
};

/// Where and how it was measured: the properties that may explain a difference.
struct Environment {
    std::string tool_version;
    std::string hostname;
    std::string kernel;        ///< uname -r
    std::string kernel_version;  ///< uname -v
    std::string machine;       ///< uname -m
    std::string cpu_model;
    unsigned cpus_online = 0;
    std::vector<unsigned> cpus_allowed;  ///< of this process
    std::string governor;      ///< cpufreq; "none" where there is no cpufreq
    std::string smt;           ///< "on", "off", "notsupported", …
    std::vector<std::string> mitigations;  ///< "spectre_v2: Mitigation: …", affected ones only
    std::string hypervisor;    ///< "none", "KVM", "TCG", …
    std::string clocksource;
    std::string preemption;    ///< "none", "voluntary", "full", "lazy"; "" unknown
    double load_average = 0;   ///< 1 min, at the start
    double clock_cost_ns = 0;  ///< one read of CLOCK_MONOTONIC
    double harness_cost_ns = 0;  ///< per sample: clock, histogram, stamping and checking
    bool ipcns = false;        ///< ran in an IPC namespace of its own
    std::uint64_t started_unix_ns = 0;  ///< CLOCK_REALTIME
};

struct Run {
    Environment environment;
    std::vector<CaseResult> results;   ///< in the order of the plan
    std::vector<std::string> warnings; ///< "the machine was not quiet: …"
    double elapsed_s = 0;
    bool interrupted = false;          ///< Ctrl-C: what was measured until then
};

}  // namespace ipcscope::bench
