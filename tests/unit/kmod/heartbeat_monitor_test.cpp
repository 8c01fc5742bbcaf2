// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "source/kmod/heartbeat_monitor.hpp"

namespace ipcscope::source::kmod {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

/// Checks every 100 ms a heartbeat that stays at `heartbeat`.
/// @return the time until the monitor reports it dead, 0 if not within 10 s
std::uint64_t timeout_of(HeartbeatMonitor& monitor, std::uint64_t heartbeat, std::uint64_t now)
{
    for (std::uint64_t passed = 0; passed <= 10'000 * kMs; passed += 100 * kMs) {
        if (!monitor.alive(heartbeat, now + passed)) {
            return passed;
        }
    }
    return 0;
}

TEST(HeartbeatMonitor, AliveWhileItAdvances)
{
    HeartbeatMonitor monitor;
    for (std::uint64_t i = 1; i < 1000; i++) {
        // The heartbeat advances every 250 ms and is checked every 100 ms.
        EXPECT_TRUE(monitor.alive(i * 100 / 250 * 250 * kMs, i * 100 * kMs)) << i;
    }
}

TEST(HeartbeatMonitor, TimeoutWithinTwoSeconds)
{
    HeartbeatMonitor monitor;
    EXPECT_TRUE(monitor.alive(7 * kMs, 1000 * kMs));
    const std::uint64_t after = timeout_of(monitor, 7 * kMs, 1000 * kMs);
    EXPECT_GE(after, HeartbeatMonitor::kTimeoutNs);
    EXPECT_LE(after, 2'000 * kMs);
}

/// A reader that was stopped for a minute has made no checks in that time: one check
/// is not enough to report a timeout.
TEST(HeartbeatMonitor, StoppedReaderReportsNoTimeout)
{
    HeartbeatMonitor monitor;
    EXPECT_TRUE(monitor.alive(100 * kMs, 100 * kMs));
    EXPECT_TRUE(monitor.alive(100 * kMs, 60'100 * kMs));
    EXPECT_TRUE(monitor.alive(60'200 * kMs, 60'200 * kMs));
}

TEST(HeartbeatMonitor, AliveAgainWhenItAdvancesAgain)
{
    HeartbeatMonitor monitor;
    EXPECT_NE(timeout_of(monitor, 5 * kMs, 0), 0u);
    EXPECT_TRUE(monitor.alive(20'000 * kMs, 20'000 * kMs));
}

}  // namespace
}  // namespace ipcscope::source::kmod
