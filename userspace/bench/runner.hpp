// SPDX-License-Identifier: GPL-2.0-only
// Runs cases in interleaved rounds (A B C A B C …, not A A B B C C), so that changes
// of the machine's load affect all cases alike.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

/// A successful latency round, reported after its workers have ended.
struct Observed {
    Peer a, b;
    std::uint64_t from_ns = 0;   ///< CLOCK_MONOTONIC: the first sample begins
    std::uint64_t to_ns = 0;     ///< the last one ends
    std::uint64_t count = 0;
    std::uint64_t sum_ns = 0;
};

/// Receives the details of each successful round.
class Observer {
public:
    virtual ~Observer() = default;
    virtual void measured(const Case& what, const Observed& seen) = 0;
};

struct Options {
    /// As many rounds as the budget allows, within these limits.
    unsigned min_rounds = 5;
    unsigned max_rounds = 15;
    /// For all cases and rounds together; each case of a round gets an equal
    /// share, but no less than kMinSlice.
    std::chrono::nanoseconds budget = std::chrono::seconds(60);
    bool ipcns = false;   ///< in an IPC namespace of its own
    Observer* observer = nullptr;
};

/// A shorter round is mostly warm-up.
inline constexpr std::chrono::milliseconds kMinSlice{5};
/// More rounds are preferred over longer slices: each round starts new workers, whose
/// pages lie at other places in the caches.
inline constexpr std::chrono::milliseconds kPreferredSlice{10};

class Progress {
public:
    virtual ~Progress() = default;
    /// About to measure `now`, after `done` of `all` steps (case × round).
    virtual void step(std::size_t done, std::size_t all, const Case& now) = 0;
};

/// Measures.  A case that cannot be measured has its reason in `failed`; the
/// others still run.  SIGINT, SIGTERM and SIGHUP end the run in
/// order: all objects are removed, and what was measured is returned.
/// Exit::permission or Exit::kernel where nothing at all can be run (--ipcns).
Result<Run> run(const std::vector<Case>& cases, const Options& options, Progress& progress);

}  // namespace ipcscope::bench
