// SPDX-License-Identifier: GPL-2.0-only
#include "bench/stats.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

namespace ipcscope::bench {
namespace {

/// Of sorted values.
double middle(std::span<const double> sorted)
{
    const std::size_t half = sorted.size() / 2;
    if (sorted.size() % 2 == 1) return sorted[half];
    return sorted[half - 1] + (sorted[half] - sorted[half - 1]) / 2;
}

/// Of sorted values: the k-th from either end, counted from 0, for the largest k
/// whose interval still has the confidence asked for; the ends where none has.
/// `tail(k)`: the chance that the true value lies beyond the k-th of one end.
template <typename Tail>
Estimate symmetric_interval(std::span<const double> sorted, double confidence, Tail tail)
{
    std::size_t k = 0;
    while (2 * (k + 1) < sorted.size() && 1 - 2 * tail(k + 1) >= confidence) k++;
    return {middle(sorted), sorted[k], sorted[sorted.size() - 1 - k],
            std::max(0.0, 1 - 2 * tail(k))};
}

/// Counts, as chances, of U = 0..limit: P(m, n, u) of an n-th value above all
/// others, or an m-th one.  Nothing is subtracted, so nothing is lost.
std::vector<double> exact_mann_whitney(std::size_t m, std::size_t n, std::size_t limit)
{
    // chances[j][u]: of i values of the one sample, for as many i as were added.
    std::vector<std::vector<double>> chances(n + 1, std::vector<double>(limit + 1, 0));
    for (auto& of_none : chances) of_none[0] = 1;
    for (std::size_t i = 1; i <= m; i++) {
        for (std::size_t j = 1; j <= n; j++) {
            const double first = static_cast<double>(i) / static_cast<double>(i + j);
            // Downwards, for chances[j][u - j] must still be that of i - 1.
            for (std::size_t u = limit + 1; u-- > 0;) {
                const double largest_is_first = u >= j ? chances[j][u - j] : 0;
                chances[j][u] = first * largest_is_first + (1 - first) * chances[j - 1][u];
            }
        }
    }
    return chances[n];
}

double normal_cdf(double z) { return std::erfc(-z / std::numbers::sqrt2) / 2; }

/// Linear interpolation between the nearest values.
double quartile(std::span<const double> sorted, double part)
{
    const double at = part * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return std::lerp(sorted[below], sorted[above], at - static_cast<double>(below));
}

}  // namespace

double binomial_cdf(std::size_t n, std::size_t k)
{
    if (k >= n) return 1;
    // In logarithms, since 2^-n underflows for more than a thousand tosses.
    double log_chance = -static_cast<double>(n) * std::numbers::ln2;
    double sum = std::exp(log_chance);
    for (std::size_t i = 1; i <= k; i++) {
        log_chance += std::log(static_cast<double>(n - i + 1) / static_cast<double>(i));
        sum += std::exp(log_chance);
    }
    return sum;
}

std::vector<double> mann_whitney_cdf(std::size_t m, std::size_t n)
{
    const std::size_t limit = m * n / 2;
    std::vector<double> cdf;
    if (m * n <= kExactPairs) {
        cdf = exact_mann_whitney(m, n, limit);
        for (std::size_t u = 1; u < cdf.size(); u++) cdf[u] += cdf[u - 1];
        return cdf;
    }
    const double pairs = static_cast<double>(m) * static_cast<double>(n);
    const double deviation = std::sqrt(pairs * static_cast<double>(m + n + 1) / 12);
    for (std::size_t u = 0; u <= limit; u++)
        cdf.push_back(normal_cdf((static_cast<double>(u) + 0.5 - pairs / 2) / deviation));
    return cdf;
}

Estimate estimate(std::vector<double> values, double confidence)
{
    if (values.empty()) return {};
    std::ranges::sort(values);
    return symmetric_interval(values, confidence, [n = values.size()](std::size_t k) {
        return binomial_cdf(n, k);
    });
}

Estimate ratio(std::span<const double> a, std::span<const double> b, double confidence)
{
    if (a.empty() || b.empty()) return {};
    std::vector<double> logs;
    logs.reserve(a.size() * b.size());
    for (const double base : a) {
        for (const double other : b) logs.push_back(std::log(other) - std::log(base));
    }
    std::ranges::sort(logs);
    const auto cdf = mann_whitney_cdf(a.size(), b.size());
    Estimate found = symmetric_interval(logs, confidence, [&](std::size_t k) {
        return k < cdf.size() ? cdf[k] : 0.5;
    });
    found.median = std::exp(found.median);
    found.low = std::exp(found.low);
    found.high = std::exp(found.high);
    return found;
}

double spread(std::vector<double> values)
{
    if (values.size() < 2) return 0;
    std::ranges::sort(values);
    const double median = middle(values);
    if (!(median > 0)) return 0;
    return (quartile(values, 0.75) - quartile(values, 0.25)) / median;
}

}  // namespace ipcscope::bench
