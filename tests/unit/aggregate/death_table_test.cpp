// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/death_table.hpp"

#include <gtest/gtest.h>

#include "deaths.hpp"

namespace ipcscope::aggregate::test {
namespace {

using decode::Outcome;
using decode::State;

constexpr std::uint32_t kParent = 5, kTarget = 6, kOther = 7;

struct Family : Life {
    Family()
    {
        process(kParent, "parent");
        process(kTarget, "target", kParent);
        process(kOther, "other");
    }
};

TEST(Deaths, SendersAreKeptApartAndRepeatsCounted)
{
    Family life;
    life.send(10, kParent, kTarget, kTerm);
    life.send(20, kParent, kTarget, kTerm, {.result = IPCSCOPE_RESULT_ALREADY_PENDING});
    life.send(30, kOther, kTarget, kTerm);
    life.send(40, kParent, kTarget, kKill);
    life.exit(50, kTarget, 9);
    life.reap(60, kTarget);
    const auto deaths = life.report(1000).deaths;
    ASSERT_EQ(deaths.size(), 1u);
    const Death& death = deaths[0];
    EXPECT_EQ(name(death.target), "target");
    ASSERT_EQ(death.sends.size(), 3u);
    EXPECT_EQ(death.sends[0].count, 2u);
    EXPECT_EQ(death.sends[0].first_ns, Life::ns(10));
    EXPECT_EQ(death.sends[0].last_ns, Life::ns(20));
    EXPECT_EQ(death.sends[0].at(Outcome::already_pending), 1u);
    EXPECT_EQ(name(death.sends[1].sender), "other");
    EXPECT_EQ(death.sends[2].signal, kKill);
    EXPECT_EQ(death.gone_ns, Life::ns(50));
    EXPECT_EQ(death.exit_code, 9);
    EXPECT_EQ(death.reaped_ns, Life::ns(60));
    EXPECT_EQ(name(death.parent), "parent");
    EXPECT_TRUE(death.traced);
}

TEST(Deaths, WhatEndsItHasRoomAmongMany)
{
    Family life;
    for (std::uint32_t i = 0; i < 16; ++i) {
        life.process(100 + i, "kill");
        life.send(10 + i, 100 + i, kTarget, kTerm, {.blocked = true});
    }
    life.send(40, kParent, kTarget, kKill);
    const Death death = life.report(1000).deaths.at(0);
    EXPECT_EQ(death.sends.size(), 16u);
    EXPECT_EQ(death.sends.front().first_ns, Life::ns(10));
    EXPECT_EQ(death.sends.back().signal, kKill);
    EXPECT_EQ(death.other_sends, 1u);
}

TEST(Deaths, AHandledFaultIsKeptWhereTheProcessSendsItOnceMore)
{
    Family life;
    const Life::Send fault{.disposition = IPCSCOPE_DISPOSITION_HANDLER,
                           .origin = IPCSCOPE_ORIGIN_FAULT};
    life.send(10, kTarget, kTarget, 11, fault);
    EXPECT_TRUE(life.report(1000).deaths.empty());
    life.send(20, kTarget, kTarget, 11);
    const Death death = life.report(1000).deaths.at(0);
    ASSERT_EQ(death.sends.size(), 2u);
    EXPECT_EQ(death.sends[0].origin, decode::Origin::fault);
    EXPECT_EQ(death.sends[0].count, 1u);
    EXPECT_TRUE(death.sends[1].fatal);
}

TEST(Deaths, OnlyOfSignalsThatShouldEndAProcess)
{
    Family life;
    life.send(10, kParent, kTarget, kChld);
    life.send(10, kParent, kTarget, kStop);
    life.send(10, kParent, kTarget, 10, {.disposition = IPCSCOPE_DISPOSITION_HANDLER});
    EXPECT_TRUE(life.report(1000).deaths.empty());
    life.send(20, kParent, kTarget, 10);   // SIGUSR1, fatal
    EXPECT_EQ(life.report(1000).deaths.size(), 1u);
}

TEST(Deaths, WhatHinderedIt)
{
    Family life;
    life.send(5, kOther, kTarget, kStop);
    life.send(10, kParent, kTarget, kTerm);
    life.send(300, kParent, kTarget, kCont);
    life.stay(kTarget, IPCSCOPE_STATE_STOPPED, 5, 300);      // 290 of it after the signal
    life.stay(kTarget, IPCSCOPE_STATE_INTERRUPTIBLE, 300, 400);
    life.stay(kTarget, IPCSCOPE_STATE_UNINTERRUPTIBLE, 400, 600);
    life.stay(kTarget, IPCSCOPE_STATE_KILLABLE, 600, 650);
    life.stay(kTarget, IPCSCOPE_STATE_FROZEN, 650, 660);
    life.stay(kTarget, IPCSCOPE_STATE_TRACED, 660, 690);
    life.exit(700, kTarget, 15);
    const auto deaths = life.report(1000).deaths;
    ASSERT_EQ(deaths.size(), 1u);
    const Hindrance& kept = deaths[0].sends[0].hindrance;
    EXPECT_EQ(kept.stopped_ns, 290 * kMs);
    EXPECT_EQ(kept.uninterruptible_ns, 200 * kMs);
    EXPECT_EQ(kept.killable_ns, 50 * kMs);
    EXPECT_EQ(kept.frozen_ns, 10 * kMs);
    EXPECT_EQ(kept.traced_ns, 30 * kMs);
    EXPECT_EQ(kept.sleeper_tid, kTarget);
    EXPECT_EQ(kept.sleep_start_ns, Life::ns(400));
    EXPECT_EQ(kept.sleep_end_ns, Life::ns(600));
    ASSERT_TRUE(kept.stop);
    EXPECT_EQ(name(kept.stop->sender), "other");
    EXPECT_EQ(kept.stop->at_ns, Life::ns(5));
    EXPECT_EQ(name(kept.stop->continuer), "parent");
    EXPECT_EQ(kept.stop->continued_ns, Life::ns(300));
}

TEST(Deaths, AZombieHadItsEndBefore)
{
    Family life;
    life.exit(1, kTarget, 3 << 8);
    life.send(500, kOther, kTarget, kKill, {.result = IPCSCOPE_RESULT_IGNORED,
                                            .state = IPCSCOPE_STATE_ZOMBIE, .dying = true});
    const auto report = life.report(1000);
    ASSERT_EQ(report.deaths.size(), 1u);
    EXPECT_EQ(report.deaths[0].gone_ns, Life::ns(1));
    EXPECT_EQ(report.deaths[0].exit_code, 3 << 8);
    EXPECT_EQ(name(report.deaths[0].parent), "parent");
    EXPECT_FALSE(report.deaths[0].reaped_ns);
    EXPECT_TRUE(report.unreaped.empty()) << "its parent took no SIGCHLD";
}

TEST(Deaths, AChildIsUnreapedWhileItsParentDoesNothing)
{
    Family life;
    life.send(500, kOther, kTarget, kKill);
    life.exit(501, kTarget, 9);
    life.stay(kParent, IPCSCOPE_STATE_INTERRUPTIBLE, 400, 900);
    life.stay(kParent, IPCSCOPE_STATE_RUNNABLE, 900, 950);
    life.stay(kParent, IPCSCOPE_STATE_INTERRUPTIBLE, 960, 1200);   // it ran, and may have reaped it
    life.reap(1300, kTarget);
    EXPECT_EQ(life.report(2000).deaths.at(0).unreaped_ns, Life::ns(950));
}

TEST(Deaths, ATaskThatIsFreedLateWasNotReapedLate)
{
    for (const bool threads : {false, true}) {
        Family life;
        if (threads) {
            life.process(kParent, "parent");
            life.stay(kParent, IPCSCOPE_STATE_INTERRUPTIBLE, 400, 501);   // in wait4()
        }
        life.send(500, kOther, kTarget, kKill);
        life.exit(501, kTarget, 9);
        life.reap(1400, kTarget);
        EXPECT_EQ(life.report(2000).deaths.at(0).unreaped_ns, Life::ns(501));
    }
}

TEST(Deaths, AParentThatIgnoresSigchldReapsNothing)
{
    Family life;
    life.send(500, kOther, kTarget, kKill);
    life.send(501, kTarget, kParent, kChld, {.disposition = IPCSCOPE_DISPOSITION_IGNORE,
                                             .child = kTarget});
    life.exit(502, kTarget, 9);
    life.stay(kParent, IPCSCOPE_STATE_INTERRUPTIBLE, 400, 900);
    life.reap(950, kTarget);
    EXPECT_EQ(life.report(2000).deaths.at(0).unreaped_ns, Life::ns(501));
}

TEST(Unreaped, IsWhatAParentLeavesThoughItTookASigchld)
{
    Family life;
    for (std::uint32_t child = 20; child < 24; ++child) {
        life.process(child, "job", kParent, 1, IPCSCOPE_THREAD_FORK);
        life.exit(10, child, 0);
    }
    life.take(100, kParent, kChld);
    life.reap(100, 20);
    life.reap(150, 21);
    life.exit(500, kParent, 0);   // the rest is init's
    life.reap(900, 22);
    const auto report = life.report(1000);
    ASSERT_EQ(report.unreaped.size(), 1u);
    EXPECT_EQ(name(report.unreaped[0].parent), "parent");
    ASSERT_EQ(report.unreaped[0].children.size(), 2u) << "the kernel may free a child late";
    EXPECT_EQ(report.unreaped[0].children[0].left_ns, 400 * kMs);
    EXPECT_EQ(report.unreaped[0].children[0].exited_ns, Life::ns(10));
    EXPECT_EQ(name(report.unreaped[0].children[0].task), "job");
}

TEST(Deaths, LooksAndChildren)
{
    Family life;
    life.process(8, "sleep", kTarget);
    life.send(10, kParent, kTarget, kTerm, {.disposition = IPCSCOPE_DISPOSITION_HANDLER});
    life.take(10, kTarget, kTerm);
    auto look = life.look_of(IPCSCOPE_STATE_TRACED);
    look.record.tracer_pid = kOther;
    look.record.ppid = kParent;
    look.record.missing = IPCSCOPE_MISSING_STACK;
    life.look(110, kTarget, look);
    life.look(1010, kTarget, IPCSCOPE_STATE_INTERRUPTIBLE, "do_wait");
    const auto deaths = life.report(2000).deaths;
    ASSERT_EQ(deaths.size(), 1u);
    const Death& death = deaths[0];
    ASSERT_EQ(death.takings.size(), 1u);
    EXPECT_EQ(death.takings[0].at_ns, Life::ns(10));
    ASSERT_EQ(death.looks.size(), 2u);
    EXPECT_EQ(name(death.looks[0].tracer), "other");
    EXPECT_EQ(death.looks[0].state, State::traced);
    EXPECT_EQ(death.looks[0].missing, IPCSCOPE_MISSING_STACK);
    ASSERT_EQ(death.looks[1].stack.size(), 1u);
    EXPECT_EQ(death.looks[1].stack[0].str(), "do_wait+0x1");
    EXPECT_EQ(death.alive_ns, Life::ns(1010));
    ASSERT_EQ(death.children.size(), 1u);
    EXPECT_EQ(name(death.children[0]), "sleep");
}

TEST(Deaths, ANewProcessOfTheNumberIsAnother)
{
    Family life;
    life.send(10, kParent, kTarget, kTerm);
    life.process(kTarget, "again", kParent, 20, IPCSCOPE_THREAD_FORK);
    life.send(30, kParent, kTarget, kTerm);
    const auto deaths = life.report(1000).deaths;
    ASSERT_EQ(deaths.size(), 2u);
    EXPECT_EQ(name(deaths[0].target), "target");
    EXPECT_FALSE(deaths[0].gone_ns);
    EXPECT_EQ(name(deaths[1].target), "again");
}

TEST(Deaths, AreBoundedAndTheLongestKept)
{
    Life life;
    for (std::uint32_t pid = 10; pid < 10 + 2 * DeathTable::kMostDeaths; ++pid) {
        life.process(pid, "p");
        life.send(pid, 5, pid, kTerm);
        life.exit(pid + pid, pid, 15);
        life.reap(pid + pid, pid);
    }
    const auto deaths = life.report(100'000).deaths;
    ASSERT_EQ(deaths.size(), DeathTable::kMostDeaths);
    EXPECT_EQ(deaths[0].target.tgid, 10 + DeathTable::kMostDeaths);
}

TEST(SignalWaits, SayWhatTheReceiverDid)
{
    Family life;
    life.send(5, kOther, kTarget, kStop);
    life.stay(kTarget, IPCSCOPE_STATE_STOPPED, 6, 300);
    correlate::SignalInterval signal;
    signal.generated_ns = Life::ns(100);
    signal.ended_ns = Life::ns(310);
    signal.target = task(kTarget, "target");
    signal.signal = 10;
    signal.shared = true;
    signal.end = End::handler;
    life.aggregator.interval(signal);
    signal.generated_ns = Life::ns(200);
    signal.end = End::pending;
    signal.blocked = true;
    life.aggregator.interval(signal);
    const auto rows = life.report(1000).signals;
    ASSERT_EQ(rows.size(), 1u);
    ASSERT_TRUE(rows[0].longest);
    EXPECT_EQ(rows[0].longest->hindrance.stopped_ns, 200 * kMs);
    EXPECT_EQ(name(rows[0].longest->hindrance.stop->sender), "other");
    EXPECT_FALSE(rows[0].longest->blocked);
    ASSERT_TRUE(rows[0].still_pending);
    EXPECT_EQ(rows[0].still_pending->generated_ns, Life::ns(200));
    EXPECT_EQ(rows[0].still_pending->ended_ns, 0u);
    EXPECT_TRUE(rows[0].still_pending->blocked);
    EXPECT_EQ(rows[0].still_pending->hindrance.stopped_ns, 100 * kMs);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
