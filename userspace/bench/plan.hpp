// SPDX-License-Identifier: GPL-2.0-only
// From what the command line asks to the cases that are measured.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

struct Request {
    std::vector<std::string> names;     ///< names or globs; empty: all mechanisms
    std::vector<Metric> metrics;        ///< empty: what suits the rest
    std::vector<std::size_t> sizes;     ///< bytes; empty: what suits the metric
    std::optional<std::pair<unsigned, unsigned>> cpus;   ///< of ends a and b
    bool quick = false;     ///< call and round trips only
    bool matrix = false;    ///< every pair of CPUs
    bool threads = false;
    bool spin = false;
    bool awake = false;
    double rate_hz = 0;
    unsigned producers = 1;
    unsigned consumers = 1;
};

/// Where it can be measured.
struct Machine {
    std::vector<unsigned> cpus;         ///< allowed ones, ascending
    std::function<Distance(unsigned, unsigned)> distance;
};

struct Plan {
    std::vector<Case> cases;
    /// Asked for by name, but not within what the mechanism can do: `failed`
    /// says what it takes.
    std::vector<CaseResult> refused;
};

/// What the request asks of some mechanisms only (a size, spinning, threads, …)
/// is left out silently for those that cannot, unless they were named in full.
/// Exit::usage: an unknown name (with the nearest ones), a CPU that is not
/// there, or nothing left to measure.
Result<Plan> plan(const Request& request, std::span<const Mechanism> mechanisms,
                  const Machine& machine);

/// The up to three names that `word` may have been meant to be, nearest first.
std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const Mechanism> mechanisms);

}  // namespace ipcscope::bench
