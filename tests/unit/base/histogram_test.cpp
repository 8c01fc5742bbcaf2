// SPDX-License-Identifier: GPL-2.0-only
#include "base/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope {
namespace {

Histogram histogram_of(const std::vector<std::uint64_t>& values)
{
    Histogram histogram;
    for (const std::uint64_t value : values) histogram.add(value);
    return histogram;
}

/// Of every magnitude, unlike rapidcheck's small integers.
rc::Gen<std::uint64_t> any_value()
{
    return rc::gen::map(
        rc::gen::pair(rc::gen::arbitrary<std::uint64_t>(), rc::gen::inRange(0, 64)),
        [](const auto& pair) { return pair.first * 0x9e3779b97f4a7c15 >> pair.second; });
}

void expect_equal(const Histogram& a, const Histogram& b)
{
    EXPECT_EQ(a.count(), b.count());
    EXPECT_EQ(a.sum(), b.sum());
    EXPECT_EQ(a.min(), b.min());
    EXPECT_EQ(a.max(), b.max());
    const auto left = a.buckets();
    const auto right = b.buckets();
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
        EXPECT_EQ(left[i].low, right[i].low);
        EXPECT_EQ(left[i].count, right[i].count);
    }
}

TEST(Histogram, AddsManyAtOnce)
{
    Histogram many, none;
    many.add(7, 3);
    many.add(1000, 2);
    none.add(7, 0);
    expect_equal(many, histogram_of({7, 7, 7, 1000, 1000}));
    expect_equal(none, Histogram{});
}

TEST(Histogram, DividedIsEachValueDividedWithinItsBucket)
{
    EXPECT_TRUE(rc::check([] {
        const auto values = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(
            rc::gen::inRange<std::uint64_t>(0, 1'000'000)));
        const auto by = *rc::gen::inRange<std::uint64_t>(1, 100);
        const Histogram divided = histogram_of(values).divided(by);
        RC_ASSERT(divided.count() == values.size());
        // A bucket is at most a 32nd of its values wide.
        std::uint64_t least = 0, most = 0;
        for (const std::uint64_t value : values) {
            least += (value - value / 32) / by;
            most += (value + value / 32) / by;
        }
        RC_ASSERT(divided.sum() >= least);
        RC_ASSERT(divided.sum() <= most);
        const auto [min, max] = std::ranges::minmax(values);
        RC_ASSERT(divided.min() >= min / by);
        RC_ASSERT(divided.max() <= max / by);
    }));
}

TEST(Histogram, BucketsCoverEveryValueOnceAndInOrder)
{
    EXPECT_EQ(Histogram::low(0), 0U);
    for (unsigned i = 0; i + 1 < Histogram::kBuckets; ++i)
        ASSERT_EQ(Histogram::high(i) + 1, Histogram::low(i + 1)) << i;
    EXPECT_EQ(Histogram::high(Histogram::kBuckets - 1), UINT64_MAX);
}

TEST(Histogram, BoundsLieInTheirBucket)
{
    for (unsigned i = 0; i < Histogram::kBuckets; ++i) {
        ASSERT_EQ(Histogram::index(Histogram::low(i)), i);
        ASSERT_EQ(Histogram::index(Histogram::high(i)), i);
    }
}

TEST(Histogram, BucketsAreNarrow)
{
    for (unsigned i = 0; i < Histogram::kBuckets; ++i) {
        const std::uint64_t width = Histogram::high(i) - Histogram::low(i);
        if (i < 64)
            ASSERT_EQ(width, 0U);
        else
            ASSERT_LE(width, Histogram::low(i) / 32);
    }
}

TEST(Histogram, KnownBuckets)
{
    EXPECT_EQ(Histogram::index(63), 63U);
    EXPECT_EQ(Histogram::index(64), 64U);
    EXPECT_EQ(Histogram::index(65), 64U);
    EXPECT_EQ(Histogram::index(66), 65U);
    EXPECT_EQ(Histogram::index(127), 95U);
    EXPECT_EQ(Histogram::index(128), 96U);
    EXPECT_EQ(Histogram::index(UINT64_MAX), Histogram::kBuckets - 1);
}

TEST(Histogram, EmptyIsZero)
{
    const Histogram empty;
    EXPECT_EQ(empty.count(), 0U);
    EXPECT_EQ(empty.min(), 0U);
    EXPECT_EQ(empty.max(), 0U);
    EXPECT_EQ(empty.sum(), 0U);
    EXPECT_EQ(empty.quantile(0.5), 0U);
    EXPECT_TRUE(empty.buckets().empty());
}

TEST(Histogram, SumSaturates)
{
    Histogram histogram = histogram_of({UINT64_MAX, 5});
    EXPECT_EQ(histogram.sum(), UINT64_MAX);
    histogram.merge(histogram_of({7}));
    EXPECT_EQ(histogram.sum(), UINT64_MAX);
    EXPECT_EQ(histogram.count(), 3U);
}

TEST(Histogram, QuantilesOfOneToSixty)
{
    std::vector<std::uint64_t> values(60);
    std::iota(values.begin(), values.end(), 1);
    const Histogram histogram = histogram_of(values);  // exact below 64
    EXPECT_EQ(histogram.quantile(0), 1U);
    EXPECT_EQ(histogram.quantile(0.5), 30U);
    EXPECT_EQ(histogram.quantile(0.05), 3U);
    EXPECT_EQ(histogram.quantile(0.9), 54U);
    EXPECT_EQ(histogram.quantile(1), 60U);
}

TEST(Histogram, QuantileIgnoresRounding)
{
    std::vector<std::uint64_t> values(100, 1);
    std::fill(values.begin() + 7, values.end(), 2);
    EXPECT_EQ(histogram_of(values).quantile(0.07), 1U);  // 0.07 * 100 > 7 in binary
}

TEST(Histogram, QuantileOutsideItsRange)
{
    const Histogram histogram = histogram_of({10, 20, 30});
    EXPECT_EQ(histogram.quantile(-1), 10U);
    EXPECT_EQ(histogram.quantile(2), 30U);
    EXPECT_EQ(histogram.quantile(std::numeric_limits<double>::quiet_NaN()), 10U);
    EXPECT_EQ(histogram.quantile(std::numeric_limits<double>::infinity()), 30U);
}

TEST(Histogram, QuantileStaysWithinTheValues)
{
    EXPECT_EQ(histogram_of({1'000'000}).quantile(0.5), 1'000'000U);
    EXPECT_EQ(histogram_of({1'000'001, 1'000'001}).quantile(0), 1'000'001U);
}

TEST(Histogram, QuantileIsNearTheTrueOne)
{
    EXPECT_TRUE(rc::check("at most 1/32 above, never below", [] {
        auto values =
            *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(any_value()));
        const Histogram histogram = histogram_of(values);
        std::sort(values.begin(), values.end());
        const auto percent = *rc::gen::inRange<std::uint64_t>(0, 101);
        const std::uint64_t rank =
            std::max<std::uint64_t>(1, (percent * values.size() + 99) / 100);
        const std::uint64_t truth = values[rank - 1];
        const std::uint64_t got = histogram.quantile(static_cast<double>(percent) / 100);
        RC_ASSERT(got >= truth);
        RC_ASSERT(got - truth <= truth / 32);
        RC_ASSERT(got <= values.back());
    }));
}

TEST(Histogram, CountsWhatWasAdded)
{
    EXPECT_TRUE(rc::check("totals and buckets", [] {
        const auto values =
            *rc::gen::nonEmpty(rc::gen::container<std::vector<std::uint64_t>>(any_value()));
        const Histogram histogram = histogram_of(values);
        RC_ASSERT(histogram.count() == values.size());
        RC_ASSERT(histogram.min() == *std::min_element(values.begin(), values.end()));
        RC_ASSERT(histogram.max() == *std::max_element(values.begin(), values.end()));
        std::size_t total = 0;
        for (const auto& bucket : histogram.buckets()) {
            const auto inside = std::count_if(
                values.begin(), values.end(),
                [&](std::uint64_t v) { return v >= bucket.low && v <= bucket.high; });
            RC_ASSERT(bucket.count == static_cast<std::uint64_t>(inside));
            total += bucket.count;
        }
        RC_ASSERT(total == values.size());
    }));
}

TEST(Histogram, MergeIsAddingAll)
{
    EXPECT_TRUE(rc::check("merge(a, b) = all of a and b", [] {
        const auto values = rc::gen::container<std::vector<std::uint64_t>>(any_value());
        auto left = *values;
        const auto right = *values;
        Histogram merged = histogram_of(left);
        merged.merge(histogram_of(right));
        left.insert(left.end(), right.begin(), right.end());
        expect_equal(merged, histogram_of(left));
        RC_ASSERT(!testing::Test::HasFailure());
    }));
}

std::optional<Histogram> restored(const Histogram& from)
{
    return Histogram::restore(from.buckets(), from.sum(), from.min(), from.max());
}

TEST(HistogramRestore, IsTheSameAgain)
{
    EXPECT_TRUE(rc::check("restore(buckets, sum, min, max) = what they were of", [] {
        const auto values = *rc::gen::container<std::vector<std::uint64_t>>(any_value());
        const auto more = *rc::gen::container<std::vector<std::uint64_t>>(any_value());
        Histogram whole = histogram_of(values);
        auto again = restored(whole);
        RC_ASSERT(again.has_value());
        expect_equal(*again, whole);
        for (const double q : {0.0, 0.5, 0.99, 1.0})
            RC_ASSERT(again->quantile(q) == whole.quantile(q));
        whole.merge(histogram_of(more));   // and it goes on alike
        again->merge(histogram_of(more));
        expect_equal(*again, whole);
        RC_ASSERT(!testing::Test::HasFailure());
    }));
}

TEST(HistogramRestore, OfNothing)
{
    const auto empty = Histogram::restore({}, 0, 0, 0);
    ASSERT_TRUE(empty);
    EXPECT_EQ(empty->count(), 0U);
    EXPECT_FALSE(Histogram::restore({}, 1, 0, 0));
    EXPECT_FALSE(Histogram::restore({}, 0, 1, 0));
    EXPECT_FALSE(Histogram::restore({}, 0, 0, 1));
}

TEST(HistogramRestore, RefusesWhatNoValuesGive)
{
    using Buckets = std::vector<Histogram::Bucket>;
    const auto refused = [](const Buckets& buckets, std::uint64_t sum, std::uint64_t min,
                            std::uint64_t max) {
        return !Histogram::restore(buckets, sum, min, max);
    };
    const Buckets good{{10, 10, 2}, {64, 65, 1}};
    EXPECT_FALSE(refused(good, 84, 10, 64));
    EXPECT_FALSE(refused(good, 85, 10, 65));
    EXPECT_TRUE(refused(good, 83, 10, 64)) << "sum too small";
    EXPECT_TRUE(refused(good, 85, 10, 64)) << "sum too large for the max";
    EXPECT_TRUE(refused(good, 84, 9, 64)) << "min below the first bucket";
    EXPECT_TRUE(refused(good, 84, 11, 64)) << "min above the first bucket";
    EXPECT_TRUE(refused(good, 84, 10, 63)) << "max below the last bucket";
    EXPECT_TRUE(refused(good, 84, 10, 66)) << "max above the last bucket";
    EXPECT_TRUE(refused({{64, 65, 1}, {10, 10, 2}}, 84, 10, 64)) << "out of order";
    EXPECT_TRUE(refused({{10, 10, 1}, {10, 10, 1}}, 20, 10, 10)) << "twice";
    EXPECT_TRUE(refused({{10, 10, 0}}, 0, 10, 10)) << "holds nothing";
    EXPECT_TRUE(refused({{10, 11, 1}}, 10, 10, 10)) << "too wide";
    EXPECT_TRUE(refused({{65, 66, 1}}, 65, 65, 65)) << "across two buckets";
    EXPECT_TRUE(refused({{64, 64, 1}}, 64, 64, 64)) << "too narrow";
    EXPECT_TRUE(refused({{64, 65, 1}}, 64, 65, 64)) << "min above max";
    EXPECT_TRUE(refused({{64, 65, 1}}, 65, 64, 65)) << "two ends of one value";
    EXPECT_TRUE(refused({{10, 10, UINT64_MAX}, {11, 11, 1}}, UINT64_MAX, 10, 11))
        << "more than can be counted";
}

TEST(HistogramRestore, SumThatDoesNotFit)
{
    const auto full = restored(histogram_of({UINT64_MAX, UINT64_MAX, 7}));
    ASSERT_TRUE(full);
    EXPECT_EQ(full->sum(), UINT64_MAX);
    EXPECT_FALSE(Histogram::restore(full->buckets(), 5, full->min(), full->max()));
}

TEST(HistogramInterpolated, BetweenTheBucketsBounds)
{
    EXPECT_EQ(Histogram{}.interpolated(0.5), 0);
    EXPECT_EQ(histogram_of({1000}).interpolated(0.5), 1000);
    EXPECT_EQ(histogram_of({10, 20, 30}).interpolated(0), 10);
    EXPECT_EQ(histogram_of({10, 20, 30}).interpolated(1), 30);
    // Evenly spread values: it is their quantile, to a part of a bucket (3.2 %).
    std::vector<std::uint64_t> values;
    for (std::uint64_t i = 100'000; i < 300'000; i += 7) {
        values.push_back(i);
    }
    const Histogram even = histogram_of(values);
    for (const double q : {0.1, 0.25, 0.5, 0.77, 0.99}) {
        EXPECT_NEAR(even.interpolated(q), 100'000 + q * 200'000, 200) << q;
    }
}

TEST(HistogramInterpolated, ShiftOfLessThanABucketShows)
{
    std::vector<std::uint64_t> some, more;
    for (std::uint64_t i = 0; i < 4096; i++) {
        some.push_back(2000 + i % 512);
        more.push_back(2020 + i % 512);   // 1 % more
    }
    EXPECT_NEAR(histogram_of(more).interpolated(0.5) / histogram_of(some).interpolated(0.5),
                1.009, 0.002);
}

TEST(HistogramOfCounts, IsTheOneThatWasCounted)
{
    EXPECT_TRUE(rc::check([] {
        const auto values = *rc::gen::container<std::vector<std::uint64_t>>(any_value());
        const Histogram whole = histogram_of(values);
        std::vector<std::uint64_t> counts(Histogram::kBuckets);
        for (const std::uint64_t value : values) ++counts[Histogram::index(value)];
        expect_equal(Histogram::of_counts(counts, whole.sum(), whole.min(), whole.max()), whole);
    }));
}

TEST(HistogramOfCounts, OfAnotherInstantTheRestIsCorrected)
{
    const std::vector<std::uint64_t> counts{0, 0, 0, 2, 0, 1};
    const Histogram made = Histogram::of_counts(counts, 1, 0, 1'000);
    EXPECT_EQ(made.count(), 3u);
    EXPECT_EQ(made.min(), 3u);
    EXPECT_EQ(made.max(), 5u);
    EXPECT_EQ(made.sum(), 11u);
    EXPECT_EQ(Histogram::of_counts(counts, 99, UINT64_MAX, 0).sum(), 11u);
    EXPECT_EQ(Histogram::of_counts({}, 5, 1, 9).max(), 0u);
}

}  // namespace
}  // namespace ipcscope
