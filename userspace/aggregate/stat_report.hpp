// SPDX-License-Identifier: GPL-2.0-only
// What `ipcscope stat` shows, from what the kernel has aggregated.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include <ipcscope/stat.h>

#include "base/histogram.hpp"
#include "base/safe_text.hpp"
#include "source/stat.hpp"

namespace ipcscope::aggregate {

/// One row of the table.
struct StatLine {
    ipcscope_stat_key key{};
    SafeText name;              ///< of what it is aggregated by; empty: by nothing, or none
    std::uint64_t count = 0;    ///< events, with a latency or without
    std::uint64_t bytes = 0;
    Histogram latency;          ///< of a taking: since the generation; of a call: its own

    unsigned kind() const { return IPCSCOPE_STAT_EVENT_KIND(key.event); }
    unsigned what() const { return IPCSCOPE_STAT_EVENT_WHAT(key.event); }
    unsigned outcome() const { return IPCSCOPE_STAT_EVENT_OUTCOME(key.event); }
    bool is_signal() const { return kind() < IPCSCOPE_CALL_FIRST; }
};

/// generated = paired + sum(unpaired) + pending, where the trace has ended.
struct StatPairing {
    unsigned signal = 0;
    source::StatSignal counts;
};

/// generated = aggregated + filtered + sum(lost)
struct StatEvents {
    unsigned kind = 0;
    std::uint64_t aggregated = 0;   ///< in the rows
    std::uint64_t filtered = 0;
    std::array<std::uint64_t, IPCSCOPE_LOST_COUNT> lost{};

    std::uint64_t all_lost() const;
    std::uint64_t generated() const { return aggregated + filtered + all_lost(); }
};

struct StatReport {
    source::Host host;
    unsigned by = IPCSCOPE_STAT_BY_NONE;
    bool final = false;             ///< of the whole trace, which has ended
    bool of_capture = false;        ///< counted from records, not in the kernel
    std::uint64_t start_ns = 0;     ///< of the trace; CLOCK_MONOTONIC, as the next two
    std::uint64_t from_ns = 0;
    std::uint64_t to_ns = 0;
    std::vector<StatLine> lines;    ///< by event; where `by` is set, the most first
    std::vector<StatPairing> pairings;   ///< of the whole trace: where final
    std::vector<StatEvents> events;
    std::size_t rows = 0;           ///< in use
    std::size_t max_rows = 0;

    std::uint64_t lost() const;
};

/// The name of what a key is aggregated by; not called where it is nothing.
using StatName = std::function<SafeText(const ipcscope_stat_key&)>;

/// What was counted between `before` and `now`; `before` is empty for all of it.
/// Least and most of an interval are bounds of buckets.  The caller fills the rest.
StatReport stat_report(const source::Stat& now, const source::Stat& before, unsigned by,
                       const StatName& name);

/// By event; where `by` is set, the most first.
void sort_lines(StatReport& report);

/// The pairings of the signals that were generated.
std::vector<StatPairing> stat_pairings(const source::Stat& stat);

}  // namespace ipcscope::aggregate
