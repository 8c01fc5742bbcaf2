// SPDX-License-Identifier: GPL-2.0-only
// What of a report is compared, by names that two traces have in common.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "aggregate/report.hpp"
#include "base/histogram.hpp"

namespace ipcscope::compare {

/// By what is measured, the latencies of all rows that are called so.
std::map<std::string, Histogram> latencies_of(const aggregate::Report& report);

/// By who may wait for what, the time: 0 of one that is there and did not.
std::map<std::string, std::uint64_t> waits_of(const aggregate::Report& report);

/// From when all hooks counted to the end.
std::uint64_t window_ns(const aggregate::Report& report);

}  // namespace ipcscope::compare
