// SPDX-License-Identifier: GPL-2.0-only
// Two runs, case by case: what changed, and whether the change exceeds the noise.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/model.hpp"

namespace ipcscope::bench {

/// In the order in which they are shown.
enum class Verdict {
    broken,    ///< measured in A, not in B: counts as worse
    worse,     ///< the interval excludes 1 and the estimate is beyond the limit
    better,    ///< the same the other way
    unclear,   ///< neither a change nor its absence is significant
    same,      ///< the whole interval is within the limit, or so is a proven change
    unmeasured,  ///< failed in A, whatever B says: there is nothing to compare with
    only_a,
    only_b,
};
std::string_view name_of(Verdict verdict);   ///< "only_a"

/// Fewer rounds than give an interval this much are never called better or worse.
inline constexpr double kMinConfidence = 0.95;
inline constexpr double kFailAbovePercent = 10;

struct Change {
    std::string key;
    Case what;                      ///< of B where it is there
    Verdict verdict = Verdict::unclear;
    std::optional<Estimate> a;      ///< unit of Round::value; nothing where not measured
    std::optional<Estimate> b;
    std::optional<Estimate> ratio;  ///< B / A of the value
    std::string why;                ///< one line, where there is no ratio

    bool higher_is_better() const { return what.metric == Metric::throughput; }
};

/// A property of the machine in which the runs differ.
struct Difference {
    std::string what;   ///< "kernel"
    std::string a;
    std::string b;
};

struct Comparison {
    std::string name_a{};           ///< of the files; may be empty
    std::string name_b{};
    std::vector<Change> changes;    ///< in the order of B, then what only A has
    std::vector<Difference> differences;
    std::vector<std::string> warnings;   ///< of both runs: "A: the machine was not quiet"
    double fail_above_percent = kFailAbovePercent;

    std::size_t count(Verdict verdict) const;
    /// Something is worse, or broken.
    bool regressed() const { return count(Verdict::worse) + count(Verdict::broken) != 0; }
    /// Nothing was measured in both.
    bool no_common_cases() const;
};

/// `fail_above_percent`: how much slower is too much; at least 0.
Comparison compare(const Run& a, const Run& b,
                   double fail_above_percent = kFailAbovePercent);

/// By the interval of B's slowness against A; `limit`: 1.1 is 10 % slower.
Verdict verdict_of(const Estimate& slowness, double limit);

std::vector<Difference> differences(const Environment& a, const Environment& b);

}  // namespace ipcscope::bench
