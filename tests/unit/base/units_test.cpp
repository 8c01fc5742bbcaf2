// SPDX-License-Identifier: GPL-2.0-only
#include "base/units.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ipcscope {
namespace {

/// Of text that has no wide characters: those that continue one take none.
std::size_t columns(const std::string& text)
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](unsigned char byte) { return (byte & 0xc0) != 0x80; }));
}

TEST(Duration, HasThreeDigits)
{
    EXPECT_EQ(duration(0), "0 ns");
    EXPECT_EQ(duration(7), "7 ns");
    EXPECT_EQ(duration(1'234), "1.23 µs");
    EXPECT_EQ(duration(12'345), "12.3 µs");
    EXPECT_EQ(duration(123'456'789), "123 ms");
    EXPECT_EQ(duration(4'020'000'000), "4.02 s");
}

TEST(Duration, RoundsHalfUp)
{
    EXPECT_EQ(duration(1'234'999), "1.23 ms");
    EXPECT_EQ(duration(1'235'000), "1.24 ms");
    EXPECT_EQ(duration(9'994'999), "9.99 ms");
    EXPECT_EQ(duration(9'995'000), "10.0 ms");
    EXPECT_EQ(duration(99'949'999), "99.9 ms");
    EXPECT_EQ(duration(99'950'000), "100 ms");
}

TEST(Duration, ChangesUnitWhereRoundingReachesIt)
{
    EXPECT_EQ(duration(999), "999 ns");
    EXPECT_EQ(duration(1'000), "1.00 µs");
    EXPECT_EQ(duration(999'499), "999 µs");
    EXPECT_EQ(duration(999'500), "1.00 ms");
    EXPECT_EQ(duration(999'900), "1.00 ms");
    EXPECT_EQ(duration(999'499'999), "999 ms");
    EXPECT_EQ(duration(999'500'000), "1.00 s");
}

TEST(Duration, GoesOnInMinutesHoursDaysYears)
{
    constexpr std::uint64_t s = 1'000'000'000;
    EXPECT_EQ(duration(999 * s), "999 s");
    EXPECT_EQ(duration(1'000 * s), "16.7 min");
    EXPECT_EQ(duration(3'596 * s), "59.9 min");
    EXPECT_EQ(duration(3'597 * s), "1.00 h");
    EXPECT_EQ(duration(86'400 * s - 1), "1.00 d");
    EXPECT_EQ(duration(86'400 * s * 30), "30.0 d");
    EXPECT_EQ(duration(UINT64_MAX), "585 y");
}

TEST(Bytes, AreBinary)
{
    EXPECT_EQ(bytes(0), "0 B");
    EXPECT_EQ(bytes(1'023), "1023 B");
    EXPECT_EQ(bytes(1'024), "1.00 KiB");
    EXPECT_EQ(bytes(1'536), "1.50 KiB");
    EXPECT_EQ(bytes(1'023 * 1'024 + 511), "1023 KiB");
    EXPECT_EQ(bytes(1'023 * 1'024 + 512), "1.00 MiB");
    EXPECT_EQ(bytes(UINT64_MAX), "16.0 EiB");
}

TEST(Counts, AreGroupedOrShort)
{
    EXPECT_EQ(grouped(0), "0");
    EXPECT_EQ(grouped(999), "999");
    EXPECT_EQ(grouped(1'234), "1,234");
    EXPECT_EQ(grouped(UINT64_MAX), "18,446,744,073,709,551,615");
    EXPECT_EQ(count(999'999), "999,999");
    EXPECT_EQ(count(1'000'000), "1.00 M");
    EXPECT_EQ(count(UINT64_MAX), "18.4 E");
}

TEST(Percent, NamesWhatItCannotShow)
{
    EXPECT_EQ(percent(0, 10), "0 %");
    EXPECT_EQ(percent(1, 0), "0 %");
    EXPECT_EQ(percent(1, 100'000), "<0.1 %");
    EXPECT_EQ(percent(1, 1'000), "0.1 %");
    EXPECT_EQ(percent(312, 1'000), "31.2 %");
    EXPECT_EQ(percent(9'994, 10'000), "99.9 %");
    EXPECT_EQ(percent(9'995, 10'000), "100 %");
    EXPECT_EQ(percent(UINT64_MAX, UINT64_MAX), "100 %");
    EXPECT_EQ(percent(UINT64_MAX, 1), ">999 %");
}

TEST(WholePercent, IsShort)
{
    EXPECT_EQ(whole_percent(0, 10), "0 %");
    EXPECT_EQ(whole_percent(1, 101), "<1 %");
    EXPECT_EQ(whole_percent(1, 100), "1 %");
    EXPECT_EQ(whole_percent(995, 1000), "100 %");
    EXPECT_EQ(whole_percent(9'994, 1'000), "999 %");
    EXPECT_EQ(whole_percent(9'995, 1'000), ">999%");
}

TEST(Rate, IsPerSecond)
{
    EXPECT_EQ(rate(1 << 20, 500'000'000), "2.00 MiB/s");
    EXPECT_EQ(rate(5, 0), "");
    EXPECT_EQ(rate(UINT64_MAX, 1), "16.0 EiB/s");
}

RC_GTEST_PROP(Units, NeverAreWiderThanTheyPromise, ())
{
    const auto shift = *rc::gen::inRange(0, 64);
    const auto value = *rc::gen::arbitrary<std::uint64_t>() >> shift;
    RC_ASSERT(columns(duration(value)) <= 8u);
    RC_ASSERT(columns(bytes(value)) <= 8u);
    RC_ASSERT(columns(count(value)) <= 7u);
    const auto whole = *rc::gen::arbitrary<std::uint64_t>();
    RC_ASSERT(columns(percent(value, whole)) <= 6u);
    RC_ASSERT(columns(whole_percent(value, whole)) <= 5u);
    RC_ASSERT(columns(rate(value, whole)) <= 10u);
}

}  // namespace
}  // namespace ipcscope
