// SPDX-License-Identifier: GPL-2.0-only
// Runs cases in interleaved rounds: A B C A B C …, never A A B B C C, so that
// what changes on the machine meanwhile meets all of them alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

/// A round of latencies that went well, just after its workers have ended.
struct Observed {
    Peer a, b;
    std::uint64_t from_ns = 0;   ///< CLOCK_MONOTONIC: the first sample begins
    std::uint64_t to_ns = 0;     ///< the last one ends
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;
};

/// Looks on; for it the runner says more than a figure.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void measured(const Case& what, const Observed& seen) = 0;
};

struct Options {
    /// As many as there is time for, within these.
    unsigned least_rounds = 5;
    unsigned most_rounds = 15;
    /// For all cases and rounds together; each case of a round gets an equal
    /// share, but no less than kLeastSlice.
    std::chrono::nanoseconds budget = std::chrono::seconds(60);
    bool ipcns = false;   ///< in an IPC namespace of its own
    Observer* observer = nullptr;
};

/// Below this a round is mostly warm-up.
inline constexpr std::chrono::milliseconds kLeastSlice{5};
/// Rather one round more than longer ones than this: each is another start of the
/// workers, with other places in the caches.
inline constexpr std::chrono::milliseconds kGoodSlice{10};

class Progress {
public:
    virtual ~Progress() = default;
    /// About to measure `now`, after `done` of `all` steps (case × round).
    virtual void step(std::size_t done, std::size_t all, const Case& now) = 0;
};

/// Measures.  A case that cannot be measured has its reason in `failed` and does
/// not keep the others from running.  SIGINT, SIGTERM and SIGHUP end the run in
/// order: nothing is left behind, and what was measured is returned.
/// Exit::permission or Exit::kernel where nothing at all can be run (--ipcns).
Result<Run> run(const std::vector<Case>& cases, const Options& options, Progress& progress);

}  // namespace ipcscope::bench
