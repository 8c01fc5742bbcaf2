// SPDX-License-Identifier: GPL-2.0-only
// Estimates that assume no distribution: rounds on a real machine are skewed,
// with outliers on one side, and there are few of them.
//
// All values must be finite.
#pragma once

#include <span>
#include <vector>

#include "bench/model.hpp"

namespace ipcscope::bench {

/// The confidence of an interval is the exact probability that it holds the true value.
/// With too few samples it is below the requested one; the interval is then the whole
/// range of the samples.
inline constexpr double kMedianConfidence = 0.95;
inline constexpr double kRatioConfidence = 0.99;

/// The median and the narrowest symmetric pair of order statistics that holds
/// the true one with `confidence`: 5 values give min..max at 93.75 %.
Estimate estimate(std::vector<double> values, double confidence = kMedianConfidence);

/// How much larger `b` is than `a`: the median of all ratios b/a (Hodges and
/// Lehmann on logarithms), and an interval from the Mann–Whitney distribution.
/// All values must be positive; nothing in either sample: all zero.
Estimate ratio(std::span<const double> a, std::span<const double> b,
               double confidence = kRatioConfidence);

/// Interquartile range divided by the median: the spread of rounds of one case without
/// the outliers.  0 with fewer than two values or no positive median.
double spread(std::vector<double> values);

/// Of n coin tosses, P(at most k heads).
double binomial_cdf(std::size_t n, std::size_t k);

/// P(U <= k) for the Mann–Whitney statistic U of m and n values, for all k up to
/// half of m·n.  Exact up to kExactPairs pairs, normal above.
std::vector<double> mann_whitney_cdf(std::size_t m, std::size_t n);
inline constexpr std::size_t kExactPairs = 2500;

}  // namespace ipcscope::bench
