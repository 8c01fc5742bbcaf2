// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

using decode::Disposition;

constexpr unsigned kUsr1 = 10, kTerm = 15, kKill = 9, kSegv = 11, kChld = 17, kCont = 18,
                   kStop = 19, kTstp = 20, kRt = 40, kAlrm = 14;

#define EXPECT_END(outcomes, generated, wanted_end, wanted_ended)                        \
    do {                                                                                 \
        const auto interval_ = of(outcomes, generated);                                  \
        EXPECT_EQ(interval_.generated_ns, std::uint64_t{generated});                     \
        EXPECT_EQ(interval_.end, wanted_end);                                            \
        EXPECT_EQ(interval_.ended_ns, std::uint64_t{wanted_ended});                      \
    } while (false)

TEST(Signals, HandlerEndsAtTheDelivery)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared().state(State::interruptible);
    s.dequeue(150, task(2), kUsr1);
    s.deliver(160, task(2), kUsr1);
    const auto out = run(s);
    ASSERT_EQ(out.signals.size(), 1u);
    EXPECT_EQ(out.before_finish, 1u);
    EXPECT_END(out, 100, End::handler, 160);
    EXPECT_EQ(out.signals[0].receiver, task(2));
    EXPECT_EQ(out.signals[0].sender, task(1));
    EXPECT_EQ(out.signals[0].target_state, State::interruptible);
    EXPECT_EQ(out.signals[0].latency_ns(), 60u);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Signals, DefaultActionIsStandard)
{
    Scenario s;
    s.generate(100, task(1), task(2), kSegv).fatal();
    s.dequeue(150, task(2), kSegv);
    s.deliver(160, task(2), kSegv, Disposition::standard);
    EXPECT_END(run(s), 100, End::standard, 160);
}

TEST(Signals, WhatIsNotQueuedEndsAtOnce)
{
    for (const auto outcome : {Outcome::ignored, Outcome::already_pending, Outcome::overflow}) {
        Scenario s;
        s.generate(100, task(1), task(2), kUsr1).outcome(outcome);
        const auto out = run(s);
        EXPECT_EQ(out.before_finish, 1u);
        EXPECT_END(out, 100, End::not_queued, 0);
    }
}

TEST(Signals, DequeueWithoutDeliveryIsAcceptedAtTheDequeue)
{
    using Then = void (*)(Scenario&);
    const Then thens[] = {
        [](Scenario& s) { s.dequeue(200, task(2), kTerm); },
        [](Scenario& s) { s.got(200, task(2)); },
        [](Scenario& s) { s.pipe(200, task(2)); },
        [](Scenario& s) { s.exit(200, task(2), 0, true); },
        [](Scenario& s) { s.deliver(200, task(2), kTerm); },
        [](Scenario& s) { s.got(151 + 100 * kMs, task(9)); },
    };
    for (const auto then : thens) {
        Scenario s;
        s.generate(100, task(1), task(2), kUsr1).shared();
        s.dequeue(150, task(2), kUsr1);
        then(s);
        const auto out = run(s);
        EXPECT_EQ(out.before_finish, 1u);
        EXPECT_END(out, 100, End::accepted, 150);
    }
}

TEST(Signals, TheLastDequeueIsAcceptedAtFinish)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.dequeue(150, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_EQ(out.before_finish, 0u);
    EXPECT_END(out, 100, End::accepted, 150);
}

TEST(Signals, OtherThreadsDoNotEndAHold)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.dequeue(150, task(2), kUsr1);
    s.dequeue(151, task(2, 3), kTerm);
    s.pipe(152, task(2, 4));
    s.generate(153, task(2), task(7), kTerm);   // its own send, before it goes on
    s.deliver(160, task(2), kUsr1);
    EXPECT_END(run(s), 100, End::handler, 160);
}

TEST(Signals, ADebuggerMayHoldTheDeliveryForLong)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.dequeue(150, task(2), kUsr1);
    s.generate(155, task(2), task(1), kChld).shared().code(4).outcome(Outcome::ignored);
    s.deliver(500 * kMs, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::handler, 500 * kMs);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Signals, PrivateIsTakenBeforeShared)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(110, task(1), task(2, 3), kUsr1);
    s.dequeue(150, task(2, 3), kUsr1);
    s.deliver(151, task(2, 3), kUsr1);
    s.dequeue(160, task(2, 3), kUsr1);
    s.deliver(161, task(2, 3), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 110, End::handler, 151);
    EXPECT_END(out, 100, End::handler, 161);
}

TEST(Signals, AnotherThreadsPrivateOneIsNotTaken)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kUsr1);
    s.dequeue(150, task(2, 4), kUsr1);
    s.deliver(151, task(2, 4), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::pending, 0);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].why, Orphan::Why::unknown);
    EXPECT_EQ(out.orphans[0].time_ns, 151u);
}

TEST(Signals, SynchronousOneIsDeliveredWithoutADequeue)
{
    Scenario s;
    s.generate(90, task(1), task(2, 3), kSegv);      // also pending, on another thread
    s.generate(100, task(2), task(2), kSegv);
    s.deliver(110, task(2), kSegv, Disposition::standard);
    const auto out = run(s);
    EXPECT_END(out, 100, End::standard, 110);
    EXPECT_END(out, 90, End::pending, 0);
}

TEST(Signals, DeliveryFallsBackToTheSharedQueue)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.deliver(110, task(2, 3), kUsr1);
    EXPECT_END(run(s), 100, End::handler, 110);
}

TEST(Signals, WhatCameFromBeforeTheTraceIsAnOrphan)
{
    Scenario s;
    s.deliver(100, task(2), kUsr1);
    s.dequeue(120, task(2), kTerm);
    s.deliver(121, task(2), kTerm);
    s.dequeue(130, task(3), kTerm);
    const auto out = run(s);
    ASSERT_EQ(out.orphans.size(), 3u);
    for (const auto& orphan : out.orphans) EXPECT_EQ(orphan.why, Orphan::Why::unknown);
    EXPECT_EQ(out.orphans[1].time_ns, 121u);   // dequeue and delivery are one
}

// --- fatal signals ---

TEST(Fatal, TermIsMatchedByTheKillThatTheGroupExitDelivers)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.deliver(130, task(2, 4), kKill, Disposition::standard);
    s.deliver(140, task(2), kKill, Disposition::standard);
    s.deliver(150, task(2, 3), kKill, Disposition::standard);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 130);
    EXPECT_EQ(of(out, 100).receiver, task(2, 4));
    ASSERT_EQ(out.orphans.size(), 2u);
    for (const auto& orphan : out.orphans) EXPECT_EQ(orphan.why, Orphan::Why::group_exit);
}

TEST(Fatal, TheFirstDeliveryAnswersForAllFatalSends)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.generate(110, task(1), task(2, 3), kKill).fatal().blocked();
    s.generate(120, task(1), task(2), kUsr1).shared();
    s.generate(125, task(1), task(2), kSegv).fatal();       // dumps core: not at once
    s.generate(126, task(1), task(5), kTerm).shared().fatal();
    s.deliver(130, task(2, 4), kKill, Disposition::standard);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 130);
    EXPECT_END(out, 110, End::death, 130);
    EXPECT_END(out, 120, End::target_exited, 0);
    EXPECT_END(out, 125, End::target_exited, 0);
    EXPECT_END(out, 126, End::pending, 0);
}

TEST(Fatal, ExitGroupsOwnKillIsAnOrphan)
{
    Scenario s;
    s.deliver(130, task(2, 4), kKill, Disposition::standard);
    const auto out = run(s);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].why, Orphan::Why::group_exit);
}

TEST(Fatal, ABlockedOneStaysPending)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal().blocked();
    s.deliver(130, task(2, 4), kKill, Disposition::standard);   // an exit_group()
    s.exit(160, task(2), 0, true);
    EXPECT_END(run(s), 100, End::target_exited, 0);
}

TEST(Fatal, BlockedByTheLeaderButTakenByAnotherThreadShowsInTheExitCode)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().blocked().does(Disposition::standard);
    s.deliver(130, task(2, 4), kKill, Disposition::standard);
    s.exit(150, task(2, 4), 15, false);
    s.exit(160, task(2), 15, true);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 130);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Fatal, WithoutADeliveryTheExitEndsIt)
{
    Scenario s;
    s.generate(100, task(1), task(2), kKill).shared().fatal();
    s.exit(160, task(2), 9, true);
    const auto out = run(s);
    EXPECT_EQ(out.before_finish, 1u);
    EXPECT_END(out, 100, End::death, 160);
}

TEST(Fatal, AThreadThatEndsByItselfJustThenIsNotTheDeath)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kKill).fatal();
    s.exit(110, task(2, 3), 0, false);
    s.freed(115, task(2, 3));
    s.deliver(120, task(2), kKill, Disposition::standard);
    EXPECT_END(run(s), 100, End::death, 120);
}

TEST(Fatal, AnyThreadWhoseExitNamesTheSignalIs)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.exit(110, task(2, 3), 15, false);
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 110);
}

TEST(Fatal, AProcessThatLeftByItselfWasNotKilled)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.exit(110, task(2), 0x300, true);
    EXPECT_END(run(s), 100, End::target_exited, 0);
}

TEST(Fatal, ADebuggedOneIsDequeuedLikeAnyOther)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    s.dequeue(110, task(2), kTerm);
    s.deliver(120, task(2), kTerm, Disposition::standard);
    EXPECT_END(run(s), 100, End::standard, 120);
}

// --- queues ---

TEST(Queues, RealTimeSignalsAreFirstInFirstOut)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 5; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(7);
    for (std::uint64_t i = 0; i < 5; ++i) s.queued_value(200 + i, task(2), kRt, 7);
    const auto out = run(s);
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_END(out, 100 + i, End::accepted, 200 + i);
}

TEST(Queues, ALostDequeueDoesNotShiftTheOthers)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 4; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(i);
    s.lose(1);                                        // the dequeue of value 0
    for (std::uint64_t i = 1; i < 4; ++i) s.queued_value(200 + i, task(2), kRt, i);
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    for (std::uint64_t i = 1; i < 4; ++i) EXPECT_END(out, 100 + i, End::accepted, 200 + i);
}

TEST(Queues, ALostGenerationLeavesAnOrphanAndNoWrongPair)
{
    Scenario s;
    s.lose(1);
    s.generate(101, task(1), task(2), kRt).shared().value(1);
    s.queued_value(200, task(2), kRt, 0);
    s.queued_value(201, task(2), kRt, 1);
    const auto out = run(s);
    EXPECT_END(out, 101, End::accepted, 201);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].time_ns, 200u);
}

TEST(Queues, EqualValuesRecoverFromALostDequeue)
{
    Scenario s;
    s.generate(100, task(1), task(2), kRt).shared().value(7);
    s.lose(1);
    for (std::uint64_t i = 1; i < 4; ++i) {
        s.generate(100 * i + 100, task(1), task(2), kRt).shared().value(7);
        s.queued_value(100 * i + 150, task(2), kRt, 7);
    }
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    for (std::uint64_t i = 1; i < 4; ++i)
        EXPECT_END(out, 100 * i + 100, End::accepted, 100 * i + 150);
}

TEST(Queues, ABlockedBacklogSurvivesALossElsewhere)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 3; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(7).blocked();
    s.lose(1);
    s.generate(110, task(1), task(2), kRt).shared().value(7).blocked();
    for (std::uint64_t i = 0; i < 4; ++i) s.queued_value(200 + i, task(2), kRt, 7);
    const auto out = run(s);
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_END(out, 100 + i, End::accepted, 200 + i);
    EXPECT_END(out, 110, End::accepted, 203);
}

TEST(Queues, ARealTimeDeliveryWithoutItsDequeueIsPairedOnlyWithoutLoss)
{
    Scenario quiet;
    quiet.generate(100, task(1), task(2), kRt).shared().value(1);
    quiet.deliver(110, task(2), kRt);
    EXPECT_END(run(quiet), 100, End::handler, 110);

    Scenario lossy;
    lossy.generate(100, task(1), task(2), kRt).shared().value(1);
    lossy.lose(1);
    lossy.deliver(110, task(2), kRt);
    const auto out = run(lossy);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Queues, ASecondStandardSignalProvesThatTheFirstHasGone)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(200, task(1), task(2), kUsr1).shared();
    s.dequeue(250, task(2), kUsr1);
    s.deliver(251, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_END(out, 200, End::handler, 251);
}

TEST(Queues, TwoTimersMayHaveTheSameStandardSignalPending)
{
    Scenario s;
    s.generate(100, task(0), task(2), kAlrm).shared().timer(1);
    s.generate(110, task(0), task(2), kAlrm).shared().timer(2);
    s.generate(120, task(0), task(2), kAlrm).shared().timer(1);   // 1 had been dropped
    s.dequeue(200, task(2), kAlrm, 0, -2, 2);
    s.dequeue(210, task(2), kAlrm, 0, -2, 1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::flushed, 0);
    EXPECT_END(out, 110, End::accepted, 200);
    EXPECT_END(out, 120, End::accepted, 210);
}

TEST(Queues, BitsWithoutInformationEndWithTheLastEntry)
{
    Scenario s;
    s.generate(100, task(1), task(2), kRt).shared().value(1);
    s.generate(101, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.generate(102, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.generate(103, task(1), task(2), kRt).shared().value(2);
    s.queued_value(200, task(2), kRt, 1);
    s.queued_value(201, task(2), kRt, 2);
    s.generate(300, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.dequeue(310, task(2), kRt);
    const auto out = run(s);
    EXPECT_END(out, 100, End::accepted, 200);
    for (const std::uint64_t t : {101, 102, 103}) EXPECT_END(out, t, End::accepted, 201);
    EXPECT_END(out, 300, End::accepted, 310);
}

TEST(Queues, ContinueDiscardsStopsAndTheReverse)
{
    Scenario s;
    s.generate(100, task(1), task(2), kStop).shared();
    s.generate(101, task(1), task(2, 3), kTstp);
    s.generate(102, task(1), task(2), kUsr1).shared();
    s.generate(110, task(1), task(2), kCont).shared().outcome(Outcome::ignored);
    s.generate(120, task(1), task(2), kCont).shared();
    s.generate(130, task(1), task(2), kTstp).shared();
    s.dequeue(140, task(2), kTstp);
    s.deliver(141, task(2), kTstp, Disposition::standard);
    const auto out = run(s);
    EXPECT_END(out, 100, End::flushed, 0);
    EXPECT_END(out, 101, End::flushed, 0);
    EXPECT_END(out, 102, End::pending, 0);
    EXPECT_END(out, 120, End::flushed, 0);
    EXPECT_END(out, 130, End::standard, 141);
}

TEST(Queues, ADyingProcessDiscardsNothing)
{
    const auto ignored_stop = [](Scenario& s) {
        return s.generate(120, task(1), task(2), kTstp).shared().outcome(Outcome::ignored);
    };
    Scenario refused;
    refused.generate(100, task(1), task(2), kCont).shared().blocked();
    ignored_stop(refused).does(Disposition::handler);
    EXPECT_END(run(refused), 100, End::pending, 0);

    Scenario killed;
    killed.generate(100, task(1), task(2), kCont).shared().blocked();
    killed.generate(110, task(1), task(2), kTerm).shared().fatal();
    ignored_stop(killed).does(Disposition::ignore);
    EXPECT_END(run(killed), 100, End::pending, 0);

    Scenario alive;
    alive.generate(100, task(1), task(2), kCont).shared().blocked();
    ignored_stop(alive).does(Disposition::ignore);
    EXPECT_END(run(alive), 100, End::flushed, 0);
}

// --- the ends of threads and processes ---

TEST(Ends, FinishLeavesThePendingOnes)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared().blocked();
    const auto out = run(s);
    EXPECT_END(out, 100, End::pending, 0);
    EXPECT_FALSE(out.signals[0].matched());
}

TEST(Ends, ALossInItsLifeMakesItUnseen)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.lose(3);
    s.pipe(200, task(9));
    s.generate(300, task(1), task(3), kUsr1).shared();
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_END(out, 300, End::pending, 0);
}

TEST(Ends, AnotherCpusCountIsItsOwn)
{
    Scenario s;
    s.lose(3);
    s.pipe(50, task(9));
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.lose(-2);                     // cpu 1 has lost one, at 60
    s.generate(60, task(1), task(3), kUsr1).shared().cpu(1);
    s.generate(210, task(1), task(4), kUsr1).shared().cpu(1);
    EXPECT_END(run(s), 100, End::pending, 0);
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

TEST(Ends, FreeingTheLeaderForgetsTheProcess)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.freed(110, task(2));
    s.dequeue(120, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::target_exited, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Ends, AReusedNumberIsAnotherProcess)
{
    Scenario s;
    s.exit(110, task(2), 0, true);
    s.dequeue(200, task(2), kTerm);       // alive: the free was lost
    s.got(201, task(2));
    s.generate(210, task(1), task(2), kUsr1).shared();
    s.dequeue(220, task(2), kUsr1);
    EXPECT_END(run(s), 210, End::accepted, 220);
}

TEST(Ends, AReusedNumberIsToldByItsStateAfterALoss)
{
    Scenario s;
    s.exit(110, task(2), 0, true);
    s.lose(1);
    s.generate(210, task(1), task(2), kUsr1).shared().state(State::running);
    s.dequeue(220, task(2), kUsr1);
    EXPECT_END(run(s), 210, End::accepted, 220);
}

TEST(Exec, ByAThreadThatIsNotTheLeaderKeepsItsSignals)
{
    for (const bool freed_first : {true, false}) {
        Scenario s;
        s.generate(100, task(1), task(2, 5), kUsr1).blocked();
        s.deliver(110, task(2), kKill, Disposition::standard);
        s.exit(120, task(2), 0, false);
        if (freed_first) s.freed(130, task(2, 5));      // the old leader, numbers swapped
        s.dequeue(140, task(2), kUsr1);
        s.deliver(141, task(2), kUsr1);
        if (!freed_first) s.freed(150, task(2, 5));
        s.generate(160, task(1), task(2), kTerm);
        s.dequeue(170, task(2), kTerm);
        const auto out = run(s);
        EXPECT_END(out, 100, End::handler, 141);
        EXPECT_END(out, 160, End::accepted, 170);
        ASSERT_EQ(out.orphans.size(), 1u);
        EXPECT_EQ(out.orphans[0].why, Orphan::Why::group_exit);
    }
}

TEST(Exec, ANewLeaderThatHasNotActedTakesPrivateSignals)
{
    Scenario s;
    s.exit(120, task(2), 0, false);
    s.generate(130, task(1), task(2), kUsr1).state(State::running);
    s.dequeue(140, task(2), kUsr1);
    EXPECT_END(run(s), 130, End::accepted, 140);
}

TEST(Ends, ADeliveryAfterAGapTellsHowButNotWhen)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.dequeue(110, task(2), kUsr1);
    s.lose(3);                            // its delivery, and another's dequeue
    s.deliver(900, task(2), kUsr1);
    EXPECT_END(run(s), 100, End::handler, 110);
}

// --- disorder ---

TEST(Disorder, ALateGenerationFindsItsDelivery)
{
    Scenario s;
    s.dequeue(150, task(2), kUsr1);
    s.deliver(160, task(2), kUsr1);
    s.generate(100, task(1), task(2), kUsr1).shared();
    const auto out = run(s);
    EXPECT_END(out, 100, End::handler, 160);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Disorder, ALateGenerationFindsItsDequeue)
{
    Scenario s;
    s.dequeue(150, task(2), kUsr1);
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.deliver(160, task(2), kUsr1);
    EXPECT_END(run(s), 100, End::handler, 160);
}

TEST(Disorder, ALateFatalOneFindsTheGroupExit)
{
    Scenario s;
    s.deliver(150, task(2, 3), kKill, Disposition::standard);
    s.generate(100, task(1), task(2), kTerm).shared().fatal();
    const auto out = run(s);
    EXPECT_END(out, 100, End::death, 150);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Disorder, ANewerGenerationDoesNotFitAnOlderDelivery)
{
    Scenario s;
    s.deliver(150, task(2), kUsr1);
    s.generate(151, task(1), task(2), kUsr1).shared();
    const auto out = run(s);
    EXPECT_END(out, 151, End::pending, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Disorder, AnEndIsNeverBeforeItsBeginning)
{
    Scenario s;
    s.generate(200, task(1), task(2), kUsr1).shared();
    s.dequeue(199, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 200, End::accepted, 200);
    EXPECT_EQ(out.signals[0].latency_ns(), 0u);
}

}  // namespace
}  // namespace ipcscope::correlate::test
