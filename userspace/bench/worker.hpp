// SPDX-License-Identifier: GPL-2.0-only
// The workers of one round, and the memory that they share with the supervisor.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include <sys/types.h>

#include "base/histogram.hpp"
#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

inline constexpr unsigned kMaxWorkers = 64;

/// A value alone in its cache line.
template <typename T>
struct alignas(64) CacheLine {
    std::atomic<T> value{};
};

enum class Phase : std::uint32_t { warm_up, measure, last };

/// A histogram of samples in ticks, of fixed size and without allocation.
struct Samples {
    std::array<std::uint64_t, Histogram::kBuckets> counts{};
    std::uint64_t sum = 0;
    std::uint64_t min = UINT64_MAX;
    std::uint64_t max = 0;

    Histogram histogram() const;
};

/// A worker's report; complete once it has exited with 0.
struct alignas(64) WorkerReport {
    Peer self;
    int error = 0;                ///< errno of what failed
    std::uint64_t messages = 0;   ///< moved in all, warm-up too
    std::uint64_t numbers = 0;    ///< sum of their numbers, compared between senders and receivers
    std::uint64_t involuntary_switches = 0;
    std::array<char, 160> error_text{};  ///< why it failed, if errno is not enough
};

/// Shared by the supervisor and the workers; one round.
struct Shared {
    CacheLine<std::uint32_t> arrived[3];    ///< workers at each barrier
    CacheLine<std::uint32_t> phase;         ///< a Phase; end a sets it before the message it applies to
    CacheLine<std::uint64_t> last_number[2];    ///< number of the newest message from each end
    CacheLine<std::uint64_t> sent_ns;       ///< one way: when the newest message was sent
    CacheLine<std::uint64_t> tickets;       ///< several consumers: messages claimed
    CacheLine<std::uint64_t> window_from_ns;  ///< the warm-up has ended
    CacheLine<std::uint64_t> window_to_ns;    ///< the last sample, the last message
    std::array<WorkerReport, kMaxWorkers> reports;
    Samples latency;                   ///< by the one worker that measures; in ticks
};

/// One round of one case.
struct Job {
    const Case& what;
    Channel& channel;
    Shared& shared;
    std::uint64_t warm_up_ns = 0;   ///< latency: before the first sample
    std::uint64_t slice_ns = 0;     ///< latency: samples are taken for this long
    std::uint64_t group = 1;        ///< call, round trip: operations timed together
    std::uint64_t messages = 0;     ///< throughput: in all, a multiple of the producers
    std::uint64_t warm_up_messages = 0;  ///< throughput: received before the window
    std::uint64_t corrupt_number = UINT64_MAX;  ///< tests: the message to corrupt

    /// Resolution of latencies.  The mean of a group is finer than a nanosecond, since a call
    /// may take ten.
    std::uint64_t ticks_per_ns() const { return group == 1 ? 1 : 16; }
};

/// Workers a job needs: 1 for call, producers + consumers else.
unsigned workers(const Case& what);

/// The main function of worker `index`; workers at end a come first.  Sets the report.
/// @return its exit status: 0, or 1 with report.error
int run_worker(const Job& job, unsigned index);

}  // namespace ipcscope::bench
