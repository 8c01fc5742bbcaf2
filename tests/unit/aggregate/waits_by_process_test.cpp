// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "aggregate/waits.hpp"
#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

WaitRow row(std::uint32_t waiter, std::uint32_t waker, std::uint64_t ns, bool output = false)
{
    WaitRow out;
    out.channel = {12, IPCSCOPE_OBJECT_PIPE, 400};
    out.output = output;
    out.waiter = task(waiter / 10, "w", waiter);
    out.waker = task(waker / 10, "k", waker);
    out.count = 1;
    out.total_ns = ns;
    out.longest_ns = ns;
    return out;
}

TEST(WaitsByProcess, AreTheSumsOfTheirThreads)
{
    const auto sums = by_process({row(101, 201, 50), row(102, 201, 30), row(101, 202, 20),
                                  row(101, 201, 500, true), row(101, 301, 70)});
    ASSERT_EQ(sums.size(), 3u);
    EXPECT_EQ(sums[0].total_ns, 500u);
    EXPECT_TRUE(sums[0].output);
    EXPECT_EQ(sums[1].total_ns, 100u);
    EXPECT_EQ(sums[1].count, 3u);
    EXPECT_EQ(sums[1].longest_ns, 50u);
    EXPECT_EQ(sums[1].waiter.tid, 0u);
    EXPECT_EQ(sums[1].waker.tgid, 20u);
    EXPECT_EQ(sums[2].waker.tgid, 30u);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
