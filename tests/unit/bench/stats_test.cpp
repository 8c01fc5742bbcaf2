// SPDX-License-Identifier: GPL-2.0-only
#include "bench/stats.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope::bench {
namespace {

/// Skewed as latencies are; its median is `median`.
class Skewed {
public:
    Skewed(double median, double sigma, std::uint64_t seed)
        : random_(seed), distribution_(std::log(median), sigma)
    {
    }
    std::vector<double> draw(std::size_t n)
    {
        std::vector<double> values(n);
        for (double& value : values) value = distribution_(random_);
        return values;
    }

private:
    std::mt19937_64 random_;
    std::lognormal_distribution<double> distribution_;
};

/// Values as rounds give them: positive, some equal.
rc::Gen<std::vector<double>> samples()
{
    return rc::gen::nonEmpty(rc::gen::container<std::vector<double>>(
        rc::gen::map(rc::gen::inRange(1, 2000), [](int n) { return n / 8.0; })));
}

/// Far more often or seldom than `chance` in `trials` means another chance.
void expect_share(std::size_t hits, std::size_t trials, double chance)
{
    const auto n = static_cast<double>(trials);
    const double tolerance = 4 * std::sqrt(chance * (1 - chance) / n);
    EXPECT_NEAR(static_cast<double>(hits) / n, chance, tolerance);
}

TEST(Binomial, KnownChances)
{
    EXPECT_DOUBLE_EQ(binomial_cdf(5, 0), 1.0 / 32);
    EXPECT_NEAR(binomial_cdf(10, 2), 56.0 / 1024, 1e-15);
    EXPECT_NEAR(binomial_cdf(4, 1), 5.0 / 16, 1e-15);
    EXPECT_EQ(binomial_cdf(4, 4), 1);
    EXPECT_EQ(binomial_cdf(0, 0), 1);
    // Of an odd number of tosses half lie on either side, however many.
    EXPECT_NEAR(binomial_cdf(5001, 2500), 0.5, 1e-9);
}

TEST(MannWhitney, KnownChances)
{
    const auto three = mann_whitney_cdf(3, 3);
    const std::vector<double> wanted{1, 2, 4, 7, 10};   // of the 20 orders
    ASSERT_EQ(three.size(), wanted.size());
    for (std::size_t u = 0; u < wanted.size(); u++) EXPECT_NEAR(three[u], wanted[u] / 20, 1e-15);
    EXPECT_NEAR(mann_whitney_cdf(5, 5)[0], 1.0 / 252, 1e-15);
    EXPECT_NEAR(mann_whitney_cdf(8, 8)[13], 0.024942, 1e-5);   // tables: 13 at 2.5 %
    EXPECT_NEAR(mann_whitney_cdf(1, 1)[0], 0.5, 1e-15);
}

/// Every order of m and n values, one by one.
TEST(MannWhitney, IsTheCountOfAllOrders)
{
    for (std::size_t m = 1; m <= 5; m++) {
        for (std::size_t n = 1; n <= 5; n++) {
            std::vector<std::size_t> orders(m * n + 1, 0);
            std::vector<int> order(m + n, 0);
            std::fill(order.begin() + static_cast<std::ptrdiff_t>(m), order.end(), 1);
            std::size_t all = 0;
            do {
                std::size_t u = 0, below = 0;
                for (const int of_second : order) of_second ? below++ : u += below;
                orders[u]++;
                all++;
            } while (std::next_permutation(order.begin(), order.end()));
            const auto cdf = mann_whitney_cdf(m, n);
            std::size_t sum = 0;
            for (std::size_t u = 0; u < cdf.size(); u++) {
                sum += orders[u];
                ASSERT_NEAR(cdf[u], static_cast<double>(sum) / static_cast<double>(all), 1e-12)
                    << m << " " << n << " " << u;
            }
        }
    }
}

TEST(MannWhitney, NormalTakesOverSmoothly)
{
    const auto exact = mann_whitney_cdf(50, 50);    // 2500 pairs
    const auto normal = mann_whitney_cdf(50, 51);
    for (const double z : {-3.0, -2.0, -1.0}) {
        const auto at = [&](std::size_t m, std::size_t n) {
            const double pairs = static_cast<double>(m * n);
            return static_cast<std::size_t>(
                pairs / 2 + z * std::sqrt(pairs * static_cast<double>(m + n + 1) / 12));
        };
        EXPECT_NEAR(exact[at(50, 50)], normal[at(50, 51)], 0.003) << z;
    }
}

TEST(MedianInterval, OfFewIsAllThereIs)
{
    const Estimate five = estimate({5, 1, 4, 2, 3});
    EXPECT_EQ(five.median, 3);
    EXPECT_EQ(five.low, 1);
    EXPECT_EQ(five.high, 5);
    EXPECT_DOUBLE_EQ(five.confidence, 0.9375);
    const Estimate one = estimate({7});
    EXPECT_EQ(one.median, 7);
    EXPECT_EQ(one.low, 7);
    EXPECT_EQ(one.high, 7);
    EXPECT_EQ(one.confidence, 0);
    EXPECT_EQ(estimate({}).confidence, 0);
    EXPECT_EQ(estimate({}).median, 0);
    EXPECT_EQ(estimate({1, 2}).median, 1.5);
}

TEST(MedianInterval, OfManyIsNarrower)
{
    std::vector<double> ten(10);
    std::iota(ten.begin(), ten.end(), 1);
    const Estimate found = estimate(ten);
    EXPECT_EQ(found.median, 5.5);
    EXPECT_EQ(found.low, 2);    // k = 2 would give 89 %
    EXPECT_EQ(found.high, 9);
    EXPECT_NEAR(found.confidence, 1 - 2 * 11.0 / 1024, 1e-15);
}

TEST(MedianInterval, HoldsTheTrueMedianAsOftenAsItSays)
{
    for (const std::size_t n : {2, 5, 9, 20}) {
        Skewed rounds(2000, 0.4, n);
        constexpr std::size_t kTrials = 20'000;
        std::size_t hits = 0;
        double confidence = 0;
        for (std::size_t trial = 0; trial < kTrials; trial++) {
            const Estimate found = estimate(rounds.draw(n));
            confidence = found.confidence;
            hits += found.low <= 2000 && 2000 <= found.high;
        }
        SCOPED_TRACE(n);
        expect_share(hits, kTrials, confidence);
    }
}

TEST(MedianInterval, DoesNotCareForOrderAndScale)
{
    EXPECT_TRUE(rc::check("permutation and scale", [] {
        auto values = *samples();
        const double factor = *rc::gen::element(0.25, 3.0, 1e6);
        const Estimate before = estimate(values);
        RC_ASSERT(before.low <= before.median && before.median <= before.high);
        RC_ASSERT(before.confidence >= 0 && before.confidence < 1);
        std::reverse(values.begin(), values.end());
        std::rotate(values.begin(), values.begin() + 1, values.end());
        for (double& value : values) value *= factor;
        const Estimate after = estimate(values);
        const auto near = [&](double a, double b) { return std::abs(a * factor - b) <= 1e-9 * b; };
        RC_ASSERT(near(before.median, after.median));
        RC_ASSERT(near(before.low, after.low));
        RC_ASSERT(near(before.high, after.high));
        RC_ASSERT(before.confidence == after.confidence);
    }));
}

TEST(Ratio, OfFewTakesAllPairs)
{
    const std::vector<double> a{100, 110, 120}, b{200, 220, 240};
    const Estimate found = ratio(a, b);
    EXPECT_NEAR(found.median, 2, 1e-12);
    EXPECT_NEAR(found.low, 200.0 / 120, 1e-12);
    EXPECT_NEAR(found.high, 240.0 / 100, 1e-12);
    EXPECT_NEAR(found.confidence, 0.9, 1e-12);
    EXPECT_EQ(ratio({}, b).confidence, 0);
    const std::vector<double> five{1, 2, 3, 4, 5};
    EXPECT_NEAR(ratio(five, five).confidence, 1 - 2.0 / 252, 1e-12);
}

TEST(Ratio, OfManyIsNarrower)
{
    std::vector<double> many(30);
    for (std::size_t i = 0; i < many.size(); i++) many[i] = 100 + static_cast<double>(i);
    const Estimate found = ratio(many, many);
    EXPECT_DOUBLE_EQ(found.median, 1);
    EXPECT_GT(found.low, 0.9);
    EXPECT_LT(found.high, 1.1);
    EXPECT_GE(found.confidence, 0.99);
    EXPECT_LT(found.confidence, 0.992);
}

TEST(Ratio, HoldsTheTrueOneAsOftenAsItSays)
{
    for (const std::size_t n : {3, 5, 8}) {
        Skewed before(2000, 0.3, n), after(2400, 0.3, 100 + n);
        constexpr std::size_t kTrials = 20'000;
        std::size_t hits = 0;
        double confidence = 0;
        for (std::size_t trial = 0; trial < kTrials; trial++) {
            const Estimate found = ratio(before.draw(n), after.draw(n));
            confidence = found.confidence;
            hits += found.low <= 1.2 && 1.2 <= found.high;
        }
        SCOPED_TRACE(n);
        expect_share(hits, kTrials, confidence);
    }
}

TEST(Ratio, IsTheInverseTheOtherWay)
{
    EXPECT_TRUE(rc::check("ratio(b, a) = 1 / ratio(a, b)", [] {
        const auto a = *samples();
        const auto b = *samples();
        const Estimate there = ratio(a, b);
        const Estimate back = ratio(b, a);
        const auto inverse = [](double x, double y) { return std::abs(x * y - 1) < 1e-9; };
        RC_ASSERT(inverse(there.median, back.median));
        RC_ASSERT(inverse(there.low, back.high));
        RC_ASSERT(inverse(there.high, back.low));
        RC_ASSERT(std::abs(there.confidence - back.confidence) < 1e-12);
        RC_ASSERT(there.low <= there.median * (1 + 1e-12));
        RC_ASSERT(there.median <= there.high * (1 + 1e-12));
    }));
}

TEST(Spread, IsThatOfTheQuartiles)
{
    EXPECT_DOUBLE_EQ(spread({80, 90, 100, 110, 120}), 0.2);
    EXPECT_DOUBLE_EQ(spread({1, 90, 100, 110, 1e9}), 0.2);   // whatever the farthest do
    EXPECT_EQ(spread({5}), 0);
    EXPECT_EQ(spread({}), 0);
    EXPECT_EQ(spread({0, 0, 0}), 0);
}

}  // namespace
}  // namespace ipcscope::bench
