// SPDX-License-Identifier: GPL-2.0-only
// Parses bench's option arguments: lists of sizes, metrics and CPUs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/model.hpp"

namespace ipcscope::cli {

/// "1,64,4K,64K,1M"
Result<std::vector<std::size_t>> parse_sizes(const std::string& text);
/// "call,round-trip,one-way,throughput"
Result<std::vector<bench::Metric>> parse_metrics(const std::string& text);
/// "0,1", or "0" for both ends on one
Result<std::pair<unsigned, unsigned>> parse_cpus(const std::string& text);

}  // namespace ipcscope::cli
