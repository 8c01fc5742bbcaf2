// SPDX-License-Identifier: GPL-2.0-only
#include "source/watch.hpp"

#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kStart = 5'000 * kMs;
constexpr unsigned kTerm = 15, kUsr1 = 10, kChld = 17, kKill = 9, kHup = 1;

ipcscope_signal_generate send(std::uint64_t time_ns, unsigned signal, bool fatal = true,
                              std::uint32_t target = 7)
{
    ipcscope_signal_generate sent{};
    sent.header.time_ns = time_ns;
    sent.target_tgid = target;
    sent.sig = static_cast<__u8>(signal);
    sent.fatal = fatal;
    sent.target_state = IPCSCOPE_STATE_INTERRUPTIBLE;
    sent.disposition = fatal ? IPCSCOPE_DISPOSITION_DEFAULT : IPCSCOPE_DISPOSITION_HANDLER;
    return sent;
}

/// Times at which looks are due, until `end_ns`.
std::vector<std::uint64_t> looks(Watch& watch, std::uint64_t end_ns)
{
    std::vector<std::uint64_t> times;
    while (watch.next_ns() <= end_ns) {
        times.push_back((watch.next_ns() - kStart) / kMs);
        EXPECT_TRUE(watch.take_due(watch.next_ns()));
    }
    return times;
}

using Times = std::vector<std::uint64_t>;

TEST(Watch, LooksAfterOneTenHundredTimes)
{
    Watch watch(100 * kMs, {});
    watch.saw(send(kStart, kTerm));
    EXPECT_EQ(watch.next_ns(), kStart + 100 * kMs);
    EXPECT_FALSE(watch.take_due(kStart + 99 * kMs));
    EXPECT_EQ(looks(watch, kStart + 200'000 * kMs), (Times{100, 1'000, 10'000, 100'000}));
}

TEST(Watch, ALookThatComesLateIsMadeOnce)
{
    Watch watch(100 * kMs, {});
    watch.saw(send(kStart, kTerm));
    const auto target = watch.take_due(kStart + 1'500 * kMs);
    ASSERT_TRUE(target);
    EXPECT_EQ(target->tgid, 7u);
    EXPECT_EQ(target->sent_ns, kStart);
    EXPECT_EQ(target->signal, kTerm);
    EXPECT_EQ(target->looks, 0u);
    EXPECT_EQ(watch.next_ns(), kStart + 10'000 * kMs);
}

TEST(Watch, EndsWithTheProcess)
{
    Watch watch(100 * kMs, {});
    watch.saw(send(kStart, kTerm));
    watch.freed(7);
    watch.saw(send(kStart, kTerm, true, 8));
    watch.gone(8);
    EXPECT_EQ(watch.size(), 0u);
    EXPECT_EQ(watch.next_ns(), UINT64_MAX);
}

TEST(Watch, WhatCannotEndAProcessIsNotWatched)
{
    Watch watch(100 * kMs, {6});
    watch.saw(send(kStart, kUsr1, false));
    watch.saw(send(kStart, kChld, false));
    watch.saw(send(kStart, 19, false));        // SIGSTOP
    watch.saw(send(kStart, 0));
    watch.saw(send(kStart, 65));
    watch.saw(send(kStart, kKill, true, 6));   // itself
    auto ignored = send(kStart, kTerm, false);
    ignored.result = IPCSCOPE_RESULT_IGNORED;
    watch.saw(ignored);
    EXPECT_EQ(watch.size(), 0u);
    watch.saw(send(kStart, kUsr1));
    watch.saw(send(kStart, kTerm, false, 8));
    EXPECT_EQ(watch.size(), 2u);
}

TEST(Watch, AZombieIsLookedAtAtOnce)
{
    Watch watch(100 * kMs, {});
    auto sent = send(kStart, kKill);
    sent.target_state = IPCSCOPE_STATE_ZOMBIE;
    sent.result = IPCSCOPE_RESULT_IGNORED;
    sent.dying = 1;
    watch.saw(sent);
    EXPECT_EQ(looks(watch, kStart + 2'000 * kMs), (Times{0, 100, 1'000}));
}

TEST(Watch, TheInitOfANamespaceThatIgnoresItMayHandleItLater)
{
    Watch watch(100 * kMs, {});
    auto sent = send(kStart, kTerm, false);
    sent.result = IPCSCOPE_RESULT_IGNORED;
    watch.saw(sent);
    EXPECT_EQ(watch.next_ns(), UINT64_MAX);
    sent.unkillable = 1;
    watch.saw(sent);
    EXPECT_EQ(watch.next_ns(), kStart + 100 * kMs);
}

TEST(Watch, AnotherSignalBeginsTheScheduleAnew)
{
    Watch watch(100 * kMs, {});
    watch.saw(send(kStart, kTerm));
    EXPECT_EQ(looks(watch, kStart + 3'000 * kMs), (Times{100, 1'000}));
    watch.saw(send(kStart + 3'000 * kMs, kTerm));   // again: the same one
    EXPECT_EQ(watch.next_ns(), kStart + 10'000 * kMs);
    watch.saw(send(kStart + 4'000 * kMs, kKill));
    EXPECT_EQ(looks(watch, kStart + 6'000 * kMs), (Times{4'100, 5'000}));
}

TEST(Watch, AThousandHandledSignalsASecondAreTwoLooksInTenSeconds)
{
    Watch watch(100 * kMs, {});
    std::size_t taken = 0;
    for (std::uint64_t ms = 0; ms < 60'000; ++ms) {
        watch.saw(send(kStart + ms * kMs, kHup, false));
        while (watch.take_due(kStart + ms * kMs)) ++taken;
    }
    EXPECT_EQ(taken, 12u);
}

TEST(Watch, IsBounded)
{
    Watch watch(100 * kMs, {});
    for (std::uint32_t pid = 1; pid <= 2 * Watch::kMost; ++pid) {
        watch.saw(send(kStart + pid, kTerm, true, pid));
    }
    EXPECT_EQ(watch.size(), Watch::kMost);
    EXPECT_EQ(watch.next_ns(), kStart + 1 + 100 * kMs) << "the oldest stay";
}

TEST(Watch, TheLastLookIsOfThoseThatAreOverdue)
{
    Watch watch(100 * kMs, {});
    watch.saw(send(kStart, kTerm, true, 7));
    watch.saw(send(kStart, kTerm, true, 8));
    watch.saw(send(kStart + 400 * kMs, kTerm, true, 9));
    const std::uint64_t now = kStart + 450 * kMs;
    ASSERT_TRUE(watch.take_due(now));   // 7, just now
    const auto all = watch.take_all(now);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].tgid, 8u);
}

}  // namespace
}  // namespace ipcscope::source
