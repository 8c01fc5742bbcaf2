// SPDX-License-Identifier: GPL-2.0-only
// What a backend has aggregated in the kernel: a source of rows, not of records.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <vector>

#include <ipcscope/stat.h>

#include "base/result.hpp"
#include "source/source.hpp"

namespace ipcscope::source {

/// One row, over all CPUs.
struct StatRow {
    ipcscope_stat_key key{};
    std::uint64_t untimed = 0;               ///< events without a latency
    std::uint64_t sum_ns = 0;                ///< of latencies
    std::uint64_t min_ns = UINT64_MAX;
    std::uint64_t max_ns = 0;
    std::uint64_t bytes = 0;
    std::vector<std::uint64_t> buckets;      ///< by index; shorter where the rest is 0
};

/// How the generations of one signal number ended, over all CPUs.  Of a trace that
/// has ended: generated == paired + sum(unpaired) + pending.
struct StatSignal {
    std::uint64_t generated = 0;             ///< that the kernel queued
    std::uint64_t paired = 0;
    std::array<std::uint64_t, IPCSCOPE_UNPAIRED_COUNT> unpaired{};
    std::uint64_t pending = 0;
};

/// All that was counted from the start of the trace until `time_ns`.
struct Stat {
    std::uint64_t time_ns = 0;               ///< CLOCK_MONOTONIC
    std::vector<StatRow> rows;               ///< in no order
    std::array<StatSignal, IPCSCOPE_SIGNALS_COUNT> signals{};   ///< [n - 1]: signal n
    Ledger ledger;                           ///< filtered and lost; nothing is emitted
};

/// Adds a cell of one CPU to its row.
void add_cell(StatRow& row, const ipcscope_stat_cell& cell);

/// Adds the tallies of one CPU.
void add_tallies(Stat& stat, const ipcscope_stat_tallies& tallies);

/// Adds what is in the queue of a key: pending, or flushed and not counted yet.
void add_queue(Stat& stat, std::uint64_t key, const ipcscope_stat_queue& queue);

class StatSource {
public:
    virtual ~StatSource() = default;

    virtual const Host& host() const = 0;

    /// While the trace runs the numbers are not of one instant.
    virtual Result<Stat> read() = 0;

    /// Takes every hook away; what is read afterwards is final.
    virtual Result<void> stop() = 0;
};

}  // namespace ipcscope::source
