// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "diagnose/live_deaths.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::Death;

constexpr std::uint64_t kSecond = 1'000'000'000;

Death death(std::uint32_t pid, std::uint64_t sent_ns)
{
    Death death;
    death.target.tgid = pid;
    death.sends.emplace_back();
    death.sends.back().first_ns = sent_ns;
    return death;
}

Death ended(std::uint32_t pid, std::uint64_t sent_ns, std::uint64_t gone_ns)
{
    Death one = death(pid, sent_ns);
    one.gone_ns = gone_ns;
    return one;
}

TEST(NewDeaths, EachOnceAsItEnds)
{
    NewDeaths deaths(0);
    const std::vector<Death> all{ended(7, kSecond, kSecond + 5)};
    EXPECT_TRUE(deaths.of(all, kSecond + 10, false).empty());   // its exit code may come yet
    const auto shown = deaths.of(all, 2 * kSecond, false);
    ASSERT_EQ(shown.size(), 1u);
    EXPECT_EQ(shown[0].still_ns, 0u);
    EXPECT_TRUE(deaths.of(all, 3 * kSecond, false).empty());
}

TEST(NewDeaths, TwiceWhereItTakesASecond)
{
    NewDeaths deaths(0);
    EXPECT_TRUE(deaths.of({death(7, kSecond)}, 2 * kSecond, false).empty());
    const auto still = deaths.of({death(7, kSecond)}, kSecond * 5 / 2, false);
    ASSERT_EQ(still.size(), 1u);
    EXPECT_EQ(still[0].still_ns, kSecond);
    EXPECT_EQ(still[0].at_ns, 2 * kSecond);
    EXPECT_TRUE(deaths.of({death(7, kSecond)}, 3 * kSecond, false).empty());
    const auto end = deaths.of({ended(7, kSecond, 4 * kSecond)}, 5 * kSecond, false);
    ASSERT_EQ(end.size(), 1u);
    EXPECT_EQ(end[0].still_ns, 0u);
}

TEST(NewDeaths, OnlySlowOnes)
{
    NewDeaths deaths(3 * kSecond);
    EXPECT_TRUE(deaths.of({ended(7, kSecond, 2 * kSecond)}, 9 * kSecond, false).empty());
    EXPECT_TRUE(deaths.of({death(8, kSecond)}, 4 * kSecond, false).empty());
    EXPECT_EQ(deaths.of({death(8, kSecond)}, kSecond * 9 / 2, false).size(), 1u);
}

// The same number is another process's later.
TEST(NewDeaths, OfOneNumberTwice)
{
    NewDeaths deaths(0);
    EXPECT_EQ(deaths.of({ended(7, 1, 2), ended(7, kSecond, kSecond + 1)}, 9 * kSecond, false).size(),
              2u);
}

// A line is never of an earlier time than one that has been shown.
TEST(NewDeaths, InOrder)
{
    NewDeaths deaths(0);
    const std::vector<Death> all{death(6, 0), ended(7, 1, 3 * kSecond), ended(8, 2, kSecond)};
    const auto first = deaths.of(all, kSecond * 5 / 2, false);
    ASSERT_EQ(first.size(), 2u);
    EXPECT_EQ(first[0].death.target.tgid, 8u);
    EXPECT_EQ(first[1].still_ns, 2 * kSecond);
    EXPECT_EQ(first[1].at_ns, 2 * kSecond);
    const auto then = deaths.of(all, 4 * kSecond, false);
    ASSERT_EQ(then.size(), 1u);
    EXPECT_EQ(then[0].at_ns, 3 * kSecond);
}

TEST(NewDeaths, AllAtTheEnd)
{
    NewDeaths deaths(0);
    const auto last = deaths.of({ended(7, 1, 2), death(8, 1)}, 10, true);
    ASSERT_EQ(last.size(), 2u);
    EXPECT_EQ(last[0].still_ns, 0u);
    EXPECT_EQ(last[1].still_ns, 9u);
}

}  // namespace
}  // namespace ipcscope::diagnose
