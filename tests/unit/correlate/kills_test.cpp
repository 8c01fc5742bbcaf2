// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kKill = 9, kTerm = 15, kChld = 17;

/// A fatal send to 2, whose thread 3 is stuck: its kill record and its generation.
void stuck_kill(Scenario& s, std::uint64_t t, Outcome outcome = Outcome::delivered,
                unsigned signal = kKill)
{
    s.kill(t, task(1), task(2, 3), signal).outcome(outcome);
    s.generate(t, task(1), task(2), signal).shared().fatal().outcome(outcome);
}

/// The last context switch comes after the parent was notified.
void die(Scenario& s, std::uint64_t t)
{
    s.group_exit(t, task(2), GroupCause::exit, kKill);
    s.generate(t + 1, task(2), task(1), kChld).shared().code(2).pid(2);
    s.exit(t + 2, task(2), 9, true);
    s.freed(t + 3, task(2));
}

TEST(Kill, RunsFromTheSendToTheParentsSignal)
{
    Scenario s;
    s.symbol(7, "pipe_wait+0x6f/0xa0");
    s.kill(100, task(1), task(2, 3), kKill).stack({7, 8});
    s.generate(100, task(1), task(2), kKill).shared().fatal();
    die(s, 500);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    const auto& kill = out.kills[0];
    EXPECT_EQ(kill.sent_ns, 100u);
    EXPECT_EQ(kill.gone_ns, 501u);
    EXPECT_EQ(kill.reaped_ns, 503u);
    EXPECT_EQ(kill.repeats, 0u);
    EXPECT_EQ(kill.signal, kKill);
    EXPECT_EQ(kill.sender, task(1));
    EXPECT_EQ(kill.target, task(2, 3));
    EXPECT_EQ(kill.state, State::uninterruptible);
    EXPECT_EQ(kill.stuck_threads, 1u);
    EXPECT_EQ(kill.stack, (std::vector<SafeText>{SafeText::escape("pipe_wait+0x6f/0xa0"),
                                                 SafeText::escape("?")}));
    EXPECT_EQ(kill.time_to_die_ns(), 401u);
}

TEST(Kill, IsThatOfAProcessAndNotOfItsThread)
{
    Scenario s;
    decode::Task worker = task(1, 11);
    worker.comm = Comm("worker");
    s.kill(100, worker, task(2, 3), kKill);
    s.events.back().process = Comm("server");
    const auto out = run(s, 900);
    EXPECT_EQ(out.kills.at(0).sender.comm, Comm("server"));
    EXPECT_EQ(out.kills.at(0).sender.tid, 11u);
}

TEST(Kill, ASymbolMayComeAfterIt)
{
    Scenario s;
    s.kill(100, task(1), task(2, 3), kKill).stack({7});
    s.symbol(7, "late");
    EXPECT_EQ(run(s, 900).kills.at(0).stack.at(0).str(), "late");
}

TEST(Kill, CountsEveryFurtherFatalSendOnce)
{
    Scenario s;
    stuck_kill(s, 100);
    stuck_kill(s, 200, Outcome::ignored);          // with a kill record
    stuck_kill(s, 210, Outcome::ignored);
    s.generate(300, task(1), task(2), kKill).shared().fatal()  // not stuck just then
        .outcome(Outcome::ignored);
    s.generate(310, task(4), task(2), kTerm).shared().fatal().outcome(Outcome::ignored);
    s.generate(320, task(4), task(2), kTerm + 8).shared();     // not fatal
    s.generate(330, task(4), task(5), kKill).shared().fatal(); // another's
    s.generate(340, task(1), task(2), kKill).shared().fatal().cpu(1);
    stuck_kill(s, 350, Outcome::ignored);
    die(s, 500);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].repeats, 6u);
}

TEST(Kill, ItsGenerationIsTheNextRecordOfItsCpu)
{
    Scenario s;
    s.kill(100, task(1), task(2, 3), kKill).cpu(0);
    s.generate(100, task(1), task(2), kKill).fatal().cpu(1);   // of an equal send, elsewhere
    s.generate(100, task(1), task(2), kKill).fatal().cpu(0);
    s.generate(100, task(1), task(2), kKill).fatal().cpu(0);   // no kill record before it
    EXPECT_EQ(run(s, 900).kills.at(0).repeats, 2u);
}

TEST(Kill, AfterALossTheNextGenerationIsAnothers)
{
    Scenario s;
    s.kill(100, task(1), task(2, 3), kKill);
    s.lose(1);
    s.generate(200, task(1), task(2), kKill).fatal().outcome(Outcome::ignored);
    EXPECT_EQ(run(s, 900).kills.at(0).repeats, 1u);
}

TEST(Kill, WhatIsStillStuckIsShownAtTheEnd)
{
    Scenario s;
    stuck_kill(s, 100);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].trace_end_ns, 900u);
    EXPECT_FALSE(out.kills[0].gone_ns);
    EXPECT_FALSE(out.kills[0].reaped_ns);
    EXPECT_FALSE(out.kills[0].time_to_die_ns());
}

TEST(Kill, TheLastExitCountsWhereTheParentIsNotNotified)
{
    Scenario s;
    stuck_kill(s, 100);
    s.exit(400, task(2, 3), 9, false);
    s.exit(500, task(2), 9, true);
    s.freed(600, task(2, 3));            // a thread is not the process
    s.freed(700, task(2));
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].gone_ns, 500u);
    EXPECT_EQ(out.kills[0].reaped_ns, 700u);
}

TEST(Kill, TheFreeCountsWhereNothingElseIsSeen)
{
    Scenario s;
    stuck_kill(s, 100);
    s.freed(700, task(2));
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].gone_ns, 700u);
}

TEST(Kill, ItsThreadsTimeAtTheEndIsNoExit)
{
    Scenario s;
    stuck_kill(s, 100);
    decode::ThreadTime body{};
    body.group_dead = 1;
    s.add(800, task(2), IPCSCOPE_THREAD_TIME, body);
    EXPECT_FALSE(run(s, 900).kills.at(0).gone_ns);
}

TEST(Kill, ItsChildrensDeathsAreNotItsOwn)
{
    Scenario s;
    stuck_kill(s, 100);
    s.generate(400, task(2), task(1), kChld).shared().code(1).pid(33);  // an orphan's
    s.generate(410, task(2), task(1), kChld).shared().code(2).pid(2);
    s.generate(420, task(2), task(1), kChld).shared().code(1).pid(34);
    s.generate(430, task(2), task(1), kChld).shared().code(5).pid(2);   // stopped
    s.generate(440, task(8), task(1), kChld).shared().code(1).pid(8);
    const auto out = run(s, 900);
    EXPECT_EQ(out.kills.at(0).gone_ns, 410u);
}

TEST(Kill, FromAnotherNamespaceTheLastNotificationCounts)
{
    Scenario s;
    stuck_kill(s, 100);
    s.generate(400, task(2), task(1), kChld).shared().code(1).pid(71);
    s.generate(410, task(2), task(1), kChld).shared().code(2).pid(70);
    EXPECT_EQ(run(s, 900).kills.at(0).gone_ns, 410u);
}

TEST(Kill, OfAReusedNumberIsAnother)
{
    Scenario s;
    stuck_kill(s, 100);
    s.generate(400, task(2), task(1), kChld).shared().code(2).pid(2);
    stuck_kill(s, 500);
    s.thread(600, task(2, 3), decode::ThreadReason::fork);    // a thread, not the process
    s.thread(700, task(2), decode::ThreadReason::fork);
    stuck_kill(s, 800);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 3u);
    EXPECT_EQ(out.kills[0].gone_ns, 400u);
    EXPECT_FALSE(out.kills[1].gone_ns);
    EXPECT_EQ(out.kills[2].sent_ns, 800u);
    for (const auto& kill : out.kills) EXPECT_EQ(kill.repeats, 0u);
}

TEST(Kill, TheSignalItselfEndsToo)
{
    Scenario s;
    stuck_kill(s, 100);
    die(s, 500);
    const auto out = run(s, 900);
    EXPECT_EQ(of(out, 100).end, End::death);
    EXPECT_EQ(of(out, 100).ended_ns, 500u);
}

}  // namespace
}  // namespace ipcscope::correlate::test
