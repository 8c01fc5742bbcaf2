// SPDX-License-Identifier: GPL-2.0-only
// The ends of processes and threads, and what becomes of their signals.
#include <gtest/gtest.h>

#include "expect.hpp"
#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

using decode::ThreadReason;

constexpr unsigned kUsr1 = 10, kTerm = 15, kKill = 9, kSegv = 11, kInt = 2;

// --- fatal signals ---

TEST(Fatal, TermIsMatchedByTheGroupExitThatItCaused)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.group_exit(130, task(2, 4), GroupCause::exit, kTerm);
    s.group_exit(140, task(2), GroupCause::exit, kTerm);
    s.group_exit(150, task(2, 3), GroupCause::exit, kTerm);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 130);
    EXPECT_EQ(of(out, 100).receiver, task(2, 4));
    ASSERT_EQ(out.orphans.size(), 2u);
    for (const auto& orphan : out.orphans) {
        EXPECT_EQ(orphan.why, Orphan::Why::group_exit);
        EXPECT_EQ(orphan.signal, kKill);
    }
}

TEST(Fatal, TheKernelSaysWhichSignalItWas)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();   // a debugger's tracee
    s.generate(110, task(1), task(2, 3), kKill).fatal().blocked();
    s.generate(120, task(1), task(2), kUsr1).shared();
    s.generate(125, task(1), task(2), kSegv).fatal();
    s.generate(126, task(1), task(5), kKill).shared().fatal();
    s.group_exit(130, task(2, 4), GroupCause::exit, kKill);
    s.exit(160, task(2), 9, true);
    const auto out = run(s);
    EXPECT_END(out, 110, End::death, 130);
    for (const std::uint64_t t : {100, 120, 125}) EXPECT_END(out, t, End::target_exited, 0);
    EXPECT_END(out, 126, End::pending, 0);
}

TEST(Fatal, OfSeveralSendsItIsTheLast)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kTerm).fatal();     // to a thread that was exiting
    s.generate(110, task(1), task(2), kTerm).shared().fatal();
    s.group_exit(130, task(2), GroupCause::exit, kTerm);
    s.exit(140, task(2, 3), 0, false);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::target_exited, 0);
    EXPECT_END(out, 110, End::death, 130);
}

TEST(Fatal, WhereNothingWasGeneratedTheKernelSaysSo)
{
    const std::pair<GroupCause, unsigned> causes[] = {
        {GroupCause::exit, 0}, {GroupCause::exec, 0}, {GroupCause::core_dump, kSegv}};
    for (const auto& [cause, signal] : causes) {
        Scenario s;
        s.generate(100, task(1), task(2), kTerm).shared().fatal().blocked();
        s.group_exit(130, task(2, 4), cause, signal);
        const auto out = run(s);
        EXPECT_END(out, 100, End::pending, 0);
        ASSERT_EQ(out.orphans.size(), 1u);
        EXPECT_EQ(out.orphans[0].why, Orphan::Why::group_exit);
    }
}

TEST(Fatal, BlockedByTheLeaderButTakenByAnotherThread)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().blocked();
    s.group_exit(130, task(2, 4), GroupCause::exit, kTerm);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 130);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Fatal, ABlockedOneStaysPending)
{
    Scenario s;
    s.generate(100, task(1), task(2, 4), kTerm).blocked();
    s.group_exit(130, task(2, 4), GroupCause::exit, kTerm);   // by one that was not seen
    s.exit(160, task(2), 15, true);
    EXPECT_END(run(s), 100, End::target_exited, 0);
}

TEST(Fatal, WithoutATakingTheExitEndsIt)
{
    for (const std::int32_t code : {9, 9 | 0x80}) {
        Scenario s;
        s.generate(100, task(1), task(2), kKill).shared().fatal();
        s.exit(160, task(2), code, true);
        const auto out = run(s);
        EXPECT_EQ(out.before_finish, 1u);
        EXPECT_END(out, 100, End::death, 160);
    }
}

TEST(Fatal, AThreadThatEndsByItselfJustThenIsNotTheDeath)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kKill).fatal();
    s.exit(110, task(2, 3), 0, false);
    s.freed(115, task(2, 3));
    s.group_exit(120, task(2), GroupCause::exit, kKill);
    EXPECT_END(run(s), 100, End::death, 120);
}

TEST(Fatal, AnyThreadWhoseExitNamesTheSignalIs)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.exit(110, task(2, 3), 15, false);
    EXPECT_END(run(s), 100, End::death, 110);
}

TEST(Fatal, AProcessThatLeftByItselfWasNotKilled)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.exit(110, task(2), 0x300, true);
    EXPECT_END(run(s), 100, End::target_exited, 0);
}

TEST(Fatal, AKillEndsACoreDump)
{
    Scenario s;
    s.generate(100, task(2), task(2), kSegv).fatal().given(1, 0);
    s.take(110, task(2), kSegv, How::standard).dequeued(0).given(1, 0);
    s.group_exit(120, task(2, 3), GroupCause::core_dump, kSegv);
    s.generate(200, task(1), task(2), kKill).shared().fatal();
    s.exit(300, task(2), 11, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::standard, 110);
    EXPECT_END(out, 200, End::death, 300);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Fatal, ADebuggedOneIsDequeuedLikeAnyOther)
{
    Scenario s;
    s.generate(90, task(1), task(2, 3), kTerm).fatal();
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.take(120, task(2), kTerm, How::standard).dequeued(110).traced();
    s.group_exit(130, task(2, 3), GroupCause::exit, kTerm);
    s.exit(140, task(2, 3), 15, false);
    s.exit(150, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::standard, 120);
    EXPECT_END(out, 90, End::target_exited, 0);    // it did not end anything
    EXPECT_EQ(out.orphans.size(), 1u);
}

// --- threads and processes ---

TEST(Ends, FinishLeavesThePendingOnes)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared().blocked();
    decode::ThreadTime body{};
    s.add(110, task(2), IPCSCOPE_THREAD_TIME, body);    // lives at the end of the trace
    const auto out = run(s);
    EXPECT_END(out, 100, End::pending, 0);
    EXPECT_FALSE(out.signals[0].matched());
}

TEST(Ends, AThreadTakesItsPrivateOnesWithIt)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kUsr1);
    s.generate(101, task(1), task(2), kUsr1).shared();
    s.exit(110, task(2, 3), 0, false);
    s.generate(120, task(1), task(2, 3), kTerm);
    s.freed(130, task(2, 3));
    s.generate(140, task(1), task(2, 3), kUsr1);     // the number is used again
    const auto out = run(s);
    EXPECT_END(out, 100, End::target_exited, 0);
    EXPECT_END(out, 101, End::pending, 0);
    EXPECT_END(out, 120, End::target_exited, 0);
    EXPECT_END(out, 140, End::pending, 0);
}

TEST(Ends, AProcessTakesAll)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kUsr1);
    s.generate(101, task(1), task(2), kUsr1).shared();
    s.exit(110, task(2), 0, true);
    s.generate(120, task(1), task(2), kTerm).shared().state(State::zombie);
    const auto out = run(s);
    EXPECT_EQ(out.before_finish, 3u);
    for (const std::uint64_t t : {100, 101, 120}) EXPECT_END(out, t, End::target_exited, 0);
}

TEST(Ends, SeveralThreadsMaySayThatAllAreDead)
{
    Scenario s;
    s.exit(110, task(2, 3), 0, true);
    s.exit(111, task(2), 0, true);
    s.generate(120, task(1), task(2), kTerm).shared().state(State::zombie);
    s.freed(130, task(2, 3));
    s.freed(131, task(2));
    EXPECT_END(run(s), 120, End::target_exited, 0);
}

TEST(Ends, FreeingTheLeaderForgetsTheProcess)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.freed(110, task(2));
    s.waited(120, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::target_exited, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Reuse, WhoTakesASignalLives)
{
    Scenario s;
    s.exit(110, task(2), 0, true);
    s.waited(200, task(2), kTerm);        // the free was lost
    s.generate(210, task(1), task(2), kUsr1).shared();
    s.waited(220, task(2), kUsr1);
    EXPECT_END(run(s), 210, End::sigwait, 220);
}

TEST(Reuse, WhatIsSentToARunningTargetIsSentToAnother)
{
    Scenario s;
    s.exit(110, task(2), 0, true);
    // The send looked at it before it died.
    s.generate(120, task(1), task(2), kUsr1).entered(109).shared().state(State::running);
    s.generate(210, task(1), task(2), kUsr1).shared().state(State::running);
    s.waited(220, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 120, End::target_exited, 0);
    EXPECT_END(out, 210, End::sigwait, 220);
}

TEST(Reuse, AThreadsStartTellsItFromItsPredecessor)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(110, task(1), task(5, 6), kUsr1);
    s.generate(160, task(1), task(2), kTerm).shared();    // before its first record
    s.thread(170, task(2), ThreadReason::fork, 150);
    s.thread(170, task(5, 6), ThreadReason::seen, 150);
    s.generate(180, task(1), task(2), kInt).shared();
    s.thread(190, task(2), ThreadReason::rename, 150);
    const auto out = run(s);
    EXPECT_END(out, 100, End::target_exited, 0);
    EXPECT_END(out, 110, End::target_exited, 0);
    EXPECT_END(out, 160, End::pending, 0);
    EXPECT_END(out, 180, End::pending, 0);
}

TEST(Reuse, ASweepTellsNoStart)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.thread(110, task(2), ThreadReason::sweep, 0);
    EXPECT_END(run(s), 100, End::pending, 0);
}

// --- execve() by a thread that is not the leader ---

/// In which order the kernel's hooks may see it.
struct ExecOrder {
    bool exits_as_leader;   ///< the old leader: before the numbers are exchanged
    bool exec_record;
    bool freed_first;
};

class Exec : public testing::TestWithParam<ExecOrder> {};

TEST_P(Exec, KeepsTheSignalsOfItsThread)
{
    const auto& order = GetParam();
    Scenario s;
    s.generate(100, task(1), task(2, 5), kUsr1).blocked();
    s.generate(101, task(1), task(2), kTerm).blocked();
    s.group_exit(110, task(2), GroupCause::exec);
    s.exit(120, order.exits_as_leader ? task(2) : task(2, 5), 0, false);
    if (order.exec_record) s.thread(125, task(2), ThreadReason::exec, 50);
    if (order.freed_first) s.freed(130, task(2, 5));    // the old leader, numbers exchanged
    s.handled(141, task(2), kUsr1).dequeued(140);
    if (!order.freed_first) s.freed(150, task(2, 5));
    s.generate(160, task(1), task(2), kInt);
    s.waited(170, task(2), kInt);
    const auto out = run(s);
    EXPECT_END(out, 100, End::handler, 141);
    EXPECT_END(out, 160, End::sigwait, 170);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].why, Orphan::Why::group_exit);
}

INSTANTIATE_TEST_SUITE_P(Orders, Exec,
                         testing::Values(ExecOrder{true, true, true},
                                         ExecOrder{true, true, false},
                                         ExecOrder{true, false, true},
                                         ExecOrder{true, false, false},
                                         ExecOrder{false, true, true},
                                         ExecOrder{false, true, false},
                                         ExecOrder{false, false, true},
                                         ExecOrder{false, false, false}));

TEST(ExecOnce, ItsRecordMayComeBeforeTheOldLeadersExit)
{
    Scenario s;
    s.generate(100, task(1), task(2, 5), kUsr1).blocked();
    s.group_exit(110, task(2), GroupCause::exec);
    s.thread(115, task(2), ThreadReason::exec, 50);
    s.exit(120, task(2, 5), 0, false);
    s.handled(141, task(2), kUsr1);
    s.freed(150, task(2, 5));
    EXPECT_END(run(s), 100, End::handler, 141);
}

TEST(ExecOnce, ByTheLeaderChangesNothing)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).blocked();
    s.generate(101, task(1), task(2, 5), kUsr1).blocked();
    s.group_exit(110, task(2, 5), GroupCause::exec);
    s.exit(120, task(2, 5), 0, false);
    s.thread(125, task(2), ThreadReason::exec, 50);
    s.freed(130, task(2, 5));
    s.handled(140, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::handler, 140);
    EXPECT_END(out, 101, End::target_exited, 0);
}

TEST(ExecOnce, ANewLeaderThatHasNotActedTakesPrivateSignals)
{
    Scenario s;
    s.exit(120, task(2), 0, false);
    s.generate(130, task(1), task(2), kUsr1).state(State::running);
    s.waited(140, task(2), kUsr1);
    EXPECT_END(run(s), 130, End::sigwait, 140);
}

}  // namespace
}  // namespace ipcscope::correlate::test
