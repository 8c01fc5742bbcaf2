// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "source/kmod/pulse.hpp"

namespace ipcscope::source::kmod {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

/// Looked at every 100 ms while the heart stands still at `heartbeat`: the time
/// until it is called dead, 0 where it is not within 10 s.
std::uint64_t dies_after(Pulse& pulse, std::uint64_t heartbeat, std::uint64_t now)
{
    for (std::uint64_t passed = 0; passed <= 10'000 * kMs; passed += 100 * kMs) {
        if (!pulse.beats(heartbeat, now + passed)) {
            return passed;
        }
    }
    return 0;
}

TEST(Pulse, BeatsWhileItMoves)
{
    Pulse pulse;
    for (std::uint64_t i = 1; i < 1000; i++) {
        // Every 250 ms, looked at every 100 ms.
        EXPECT_TRUE(pulse.beats(i * 100 / 250 * 250 * kMs, i * 100 * kMs)) << i;
    }
}

TEST(Pulse, DeadIsNoticedWithinTwoSeconds)
{
    Pulse pulse;
    EXPECT_TRUE(pulse.beats(7 * kMs, 1000 * kMs));
    const std::uint64_t after = dies_after(pulse, 7 * kMs, 1000 * kMs);
    EXPECT_GE(after, Pulse::kDeadNs);
    EXPECT_LE(after, 2'000 * kMs);
}

/// A reader that was stopped for a minute finds the heart beating: it had not
/// looked, so it does not judge by one look.
TEST(Pulse, StoppedReaderDoesNotJudge)
{
    Pulse pulse;
    EXPECT_TRUE(pulse.beats(100 * kMs, 100 * kMs));
    EXPECT_TRUE(pulse.beats(100 * kMs, 60'100 * kMs));
    EXPECT_TRUE(pulse.beats(60'200 * kMs, 60'200 * kMs));
}

TEST(Pulse, AHeartThatBeginsAgainLives)
{
    Pulse pulse;
    EXPECT_NE(dies_after(pulse, 5 * kMs, 0), 0u);
    EXPECT_TRUE(pulse.beats(20'000 * kMs, 20'000 * kMs));
}

}  // namespace
}  // namespace ipcscope::source::kmod
