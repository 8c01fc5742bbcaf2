// SPDX-License-Identifier: GPL-2.0-only
// Turns a request (the command line) into the list of cases to measure.
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
    std::vector<std::string> names;     ///< names or globs; empty: all but other mappings
    bool all = false;                   ///< without names: other mappings, too
    std::vector<Metric> metrics;        ///< empty: chosen by the other fields
    std::vector<std::size_t> sizes;     ///< bytes; empty: chosen by the metric
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

/// The CPUs that can be used.
struct Machine {
    std::vector<unsigned> cpus;         ///< allowed ones, ascending
    std::function<Distance(unsigned, unsigned)> distance;
};

struct Plan {
    std::vector<Case> cases;
    /// Named in full, but not supported by the mechanism; `failed` has the reason.
    std::vector<CaseResult> refused;
};

/// A mechanism that does not support a requested property (a size, spinning, threads,
/// …) is left out silently, unless it was named in full.
/// Exit::usage: an unknown name (with the nearest ones), a CPU that is not
/// there, or nothing left to measure.
Result<Plan> plan(const Request& request, std::span<const Mechanism> mechanisms,
                  const Machine& machine);

/// Up to three names similar to `word`, or that have it in their title, also as a plural;
/// nearest first.
std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const Mechanism> mechanisms);

}  // namespace ipcscope::bench
