// SPDX-License-Identifier: GPL-2.0-only
// The order of a report's rows, where another one is asked for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "aggregate/report.hpp"
#include "aggregate/stat_report.hpp"

namespace ipcscope::aggregate {

enum class SortKey : std::uint8_t {
    count,     ///< signals, calls, sends
    bytes,     ///< that were moved
    waited,    ///< time blocked, and in poll
    latency,   ///< the longest; of a kill, until the process was gone
};
inline constexpr std::array<std::string_view, 4> kSortKeys{"count", "bytes", "waited", "latency"};

/// Nothing for a name that is not among kSortKeys.
std::optional<SortKey> find_sort_key(std::string_view name);

/// The rows of each table, the largest first; a table that has no such figure keeps its order.
void sort(Report& report, SortKey key);
void sort(StatReport& report, SortKey key);

/// The figure of a row of signals; nothing: there is none.
std::optional<std::uint64_t> sort_value(const SignalRow& row, SortKey key);

}  // namespace ipcscope::aggregate
