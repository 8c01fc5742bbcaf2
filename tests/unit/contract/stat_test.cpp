// SPDX-License-Identifier: GPL-2.0-only
// The kernel's buckets are the collector's; how a call ended.
#include <ipcscope/stat.h>

#include <cerrno>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/histogram.hpp"

namespace ipcscope {
namespace {

TEST(StatContract, BucketsAreTheCollectors)
{
    static_assert(IPCSCOPE_STAT_SUB_BITS == Histogram::kSubBits);
    for (std::uint64_t ns = 0; ns < 70'000; ++ns) {
        ASSERT_EQ(ipcscope_stat_bucket(ns), Histogram::index(ns)) << ns;
    }
    for (unsigned bit = 6; bit < 64; ++bit) {
        const std::uint64_t ns = std::uint64_t{1} << bit;
        for (const std::uint64_t near : {ns - 1, ns, ns + 1, ns | ns >> 1, ns | ns >> 5}) {
            ASSERT_EQ(ipcscope_stat_bucket(near), Histogram::index(near)) << near;
        }
    }
    EXPECT_TRUE(rc::check(
        [](std::uint64_t ns) { RC_ASSERT(ipcscope_stat_bucket(ns) == Histogram::index(ns)); }));
}

TEST(StatContract, TheLastBucketIsOf78Hours)
{
    const std::uint64_t most = (std::uint64_t{1} << IPCSCOPE_STAT_BITS) - 1;
    EXPECT_EQ(IPCSCOPE_STAT_BUCKETS, 1408);
    EXPECT_EQ(Histogram::index(most), IPCSCOPE_STAT_BUCKETS - 1u);
    EXPECT_EQ(Histogram::index(most + 1), IPCSCOPE_STAT_BUCKETS + 0u);
}

TEST(StatContract, EventsAreTakenApartAgain)
{
    const std::uint32_t event =
        IPCSCOPE_STAT_EVENT(IPCSCOPE_CALL_FUTEX, 64, IPCSCOPE_TAKE_KERNEL_THREAD);
    EXPECT_LT(event, std::uint32_t{IPCSCOPE_STAT_EVENTS});
    EXPECT_EQ(IPCSCOPE_STAT_EVENT_KIND(event), std::uint32_t{IPCSCOPE_CALL_FUTEX});
    EXPECT_EQ(IPCSCOPE_STAT_EVENT_WHAT(event), 64u);
    EXPECT_EQ(IPCSCOPE_STAT_EVENT_OUTCOME(event), std::uint32_t{IPCSCOPE_TAKE_KERNEL_THREAD});
}

TEST(StatContract, HowACallEnded)
{
    const auto read = [](int ret) { return ipcscope_stat_call_outcome(IPCSCOPE_OP_READ, ret); };
    const auto write = [](int ret) { return ipcscope_stat_call_outcome(IPCSCOPE_OP_WRITE, ret); };
    EXPECT_EQ(read(1), std::uint32_t{IPCSCOPE_STAT_CALL_OK});
    EXPECT_EQ(read(0), std::uint32_t{IPCSCOPE_STAT_CALL_END});
    EXPECT_EQ(write(0), std::uint32_t{IPCSCOPE_STAT_CALL_OK});
    EXPECT_EQ(read(-EAGAIN), std::uint32_t{IPCSCOPE_STAT_CALL_AGAIN});
    EXPECT_EQ(write(-EPIPE), std::uint32_t{IPCSCOPE_STAT_CALL_BROKEN});
    EXPECT_EQ(write(-EFAULT), std::uint32_t{IPCSCOPE_STAT_CALL_ERROR});
    for (const int interrupted : {-EINTR, -512, -513, -514, -516}) {
        EXPECT_EQ(read(interrupted), std::uint32_t{IPCSCOPE_STAT_CALL_INTERRUPTED});
    }
    EXPECT_EQ(read(-515), std::uint32_t{IPCSCOPE_STAT_CALL_ERROR});
}

}  // namespace
}  // namespace ipcscope
