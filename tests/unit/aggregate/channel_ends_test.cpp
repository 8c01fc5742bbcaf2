// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/channel_ends.hpp"

#include <gtest/gtest.h>

namespace ipcscope::aggregate {
namespace {

TEST(ChannelEnds, KeepsWhatWasPutIntoEach)
{
    ChannelEnds ends;
    for (std::uint32_t tgid = 1; tgid <= 5; ++tgid) ends.use(tgid).count = tgid;
    ends.use(3).count += 10;
    ASSERT_EQ(ends.rows().size(), 5U);
    for (std::uint32_t tgid = 1; tgid <= 5; ++tgid) {
        ASSERT_NE(ends.find(tgid), nullptr);
        EXPECT_EQ(ends.find(tgid)->count, tgid == 3 ? 13U : tgid);
    }
    EXPECT_EQ(ends.find(6), nullptr);
    EXPECT_EQ(ends.evicted(), 0U);
}

TEST(ChannelEnds, TheOneThatWasNotUsedForTheLongestTimeGoes)
{
    ChannelEnds ends;
    for (std::uint32_t tgid = 1; tgid <= kMostChannelEnds; ++tgid) ends.use(tgid).count = 1;
    ends.use(1);
    EXPECT_EQ(ends.use(1000).count, 0U);   // in the place of 2, and nothing of it is left
    EXPECT_EQ(ends.use(1001).count, 0U);
    EXPECT_EQ(ends.rows().size(), kMostChannelEnds);
    EXPECT_EQ(ends.evicted(), 2U);
    EXPECT_NE(ends.find(1), nullptr);
    EXPECT_EQ(ends.find(2), nullptr);
    EXPECT_EQ(ends.find(3), nullptr);
    EXPECT_NE(ends.find(4), nullptr);
}

TEST(ChannelEnds, TakeLeavesNoneButTheCountOfThoseThatWent)
{
    ChannelEnds ends;
    for (std::uint32_t tgid = 0; tgid <= kMostChannelEnds; ++tgid) ends.use(tgid);
    EXPECT_EQ(ends.take().size(), kMostChannelEnds);
    EXPECT_TRUE(ends.rows().empty());
    EXPECT_EQ(ends.evicted(), 1U);
    ends.use(7).count = 7;
    EXPECT_EQ(ends.use(7).count, 7U);
    EXPECT_EQ(ends.rows().size(), 1U);
}

}  // namespace
}  // namespace ipcscope::aggregate
