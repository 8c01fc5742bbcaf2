// SPDX-License-Identifier: GPL-2.0-only
// Synthetic runs for tests, with values as of a real machine.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench::sample {

/// A few of each family and ability; none can be made.
std::span<const Mechanism> mechanisms();

Case round_trip(std::string mechanism, std::size_t bytes, Distance distance);
Case throughput(std::string mechanism, std::size_t bytes, Distance distance);

/// Rounds of these values; latencies have samples about them.
CaseResult result(Case what, const std::vector<double>& values);
CaseResult failed(Case what, std::string why);

/// Call, both round trips and throughput of some mechanisms, one that failed.
Run whole();
/// Every mechanism's round trips between four CPUs.
Run matrix();
/// Text with escape sequences, formulas, markup and bytes that are no UTF-8.
Run hostile();

}  // namespace ipcscope::bench::sample
