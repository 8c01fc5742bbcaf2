// SPDX-License-Identifier: GPL-2.0-only
// How signals are taken, and the queues that they wait in.
#include <gtest/gtest.h>

#include "expect.hpp"
#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kUsr1 = 10, kTerm = 15, kSegv = 11, kCont = 18, kStop = 19, kTstp = 20,
                   kRt = 40, kAlrm = 14;

TEST(Signals, HandlerEndsAtTheDelivery)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared().state(State::interruptible).entered(90);
    s.handled(160, task(2), kUsr1).dequeued(150);
    const auto out = run(s);
    ASSERT_EQ(out.signals.size(), 1u);
    EXPECT_EQ(out.before_finish, 1u);
    EXPECT_END(out, 100, End::handler, 160);
    const auto& signal = out.signals[0];
    EXPECT_EQ(signal.receiver, task(2));
    EXPECT_EQ(signal.sender, task(1));
    EXPECT_EQ(signal.target, task(2));
    EXPECT_EQ(signal.target_state, State::interruptible);
    EXPECT_EQ(signal.send_enter_ns, 90u);
    EXPECT_EQ(signal.dequeued_ns, 150u);
    EXPECT_EQ(signal.latency_ns(), 60u);
    EXPECT_FALSE(signal.traced);
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Signals, EndAsTheKernelSays)
{
    const std::pair<How, End> ends[] = {
        {How::handler, End::handler},   {How::standard, End::standard},
        {How::ignored, End::ignored},   {How::sigwait, End::sigwait},
        {How::signalfd, End::signalfd}, {How::kernel_thread, End::kernel_thread},
    };
    for (const auto& [how, end] : ends) {
        Scenario s;
        s.generate(100, task(1), task(2), kUsr1).shared();
        s.take(160, task(2), kUsr1, how).dequeued(150);
        const auto out = run(s);
        EXPECT_EQ(out.before_finish, 1u);
        EXPECT_END(out, 100, end, 160);
        EXPECT_TRUE(out.signals[0].matched());
    }
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

TEST(Signals, PrivateIsTakenBeforeShared)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(110, task(1), task(2, 3), kUsr1);
    s.handled(151, task(2, 3), kUsr1);
    s.handled(161, task(2, 3), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 110, End::handler, 151);
    EXPECT_END(out, 100, End::handler, 161);
}

TEST(Signals, AnotherThreadsPrivateOneIsNotTaken)
{
    Scenario s;
    s.generate(100, task(1), task(2, 3), kUsr1);
    s.handled(151, task(2, 4), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::pending, 0);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].why, Orphan::Why::unknown);
    EXPECT_EQ(out.orphans[0].time_ns, 151u);
    EXPECT_EQ(out.orphans[0].signal, kUsr1);
}

TEST(Signals, AFaultIsTakenWithoutADequeue)
{
    Scenario s;
    s.generate(90, task(1), task(2, 3), kSegv);      // also pending, on another thread
    s.generate(95, task(1), task(2), kSegv).blocked().given(0, 1);
    s.generate(100, task(2), task(2), kSegv).given(2, 0);
    s.take(110, task(2), kSegv, How::standard).dequeued(0).given(2, 0);
    const auto out = run(s);
    EXPECT_END(out, 100, End::standard, 110);
    EXPECT_EQ(of(out, 100).dequeued_ns, 0u);
    EXPECT_END(out, 90, End::pending, 0);
}

TEST(Signals, WhatCameFromBeforeTheTraceIsAnOrphan)
{
    Scenario s;
    s.handled(100, task(2), kUsr1);
    s.waited(121, task(2), kTerm);
    const auto out = run(s);
    ASSERT_EQ(out.orphans.size(), 2u);
    for (const auto& orphan : out.orphans) EXPECT_EQ(orphan.why, Orphan::Why::unknown);
    EXPECT_EQ(out.orphans[1].time_ns, 121u);
    EXPECT_EQ(out.orphans[1].receiver, task(2));
}

TEST(Signals, SettingItToBeIgnoredDiscardsIt)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared().blocked();
    s.generate(101, task(1), task(2, 3), kUsr1).blocked();
    s.generate(102, task(1), task(2), kTerm).shared().blocked();
    s.take(150, task(2), kUsr1, How::discarded).dequeued(0);
    s.take(160, task(2), kUsr1, How::discarded).dequeued(0);   // of one that was not seen
    const auto out = run(s);
    EXPECT_END(out, 100, End::discarded, 0);
    EXPECT_END(out, 101, End::discarded, 0);
    EXPECT_EQ(of(out, 100).receiver, task(2));
    EXPECT_FALSE(of(out, 100).matched());
    EXPECT_END(out, 102, End::pending, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Signals, AnEndIsNeverBeforeItsBeginning)
{
    Scenario s;
    s.generate(200, task(1), task(2), kUsr1).shared();
    s.waited(199, task(2), kUsr1);
    const auto out = run(s);
    EXPECT_END(out, 200, End::sigwait, 200);
    EXPECT_EQ(out.signals[0].dequeued_ns, 200u);
    EXPECT_EQ(out.signals[0].latency_ns(), 0u);
}

// --- queues ---

TEST(Queues, RealTimeSignalsAreFirstInFirstOut)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 5; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(7);
    for (std::uint64_t i = 0; i < 5; ++i) s.waited(200 + i, task(2), kRt).value(7);
    const auto out = run(s);
    for (std::uint64_t i = 0; i < 5; ++i) EXPECT_END(out, 100 + i, End::sigwait, 200 + i);
}

TEST(Queues, ALostTakingDoesNotShiftTheOthers)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 4; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(i);
    s.lose(1);                                        // the taking of value 0
    for (std::uint64_t i = 1; i < 4; ++i) s.waited(200 + i, task(2), kRt).value(i);
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    for (std::uint64_t i = 1; i < 4; ++i) EXPECT_END(out, 100 + i, End::sigwait, 200 + i);
}

TEST(Queues, ALostGenerationLeavesAnOrphanAndNoWrongPair)
{
    Scenario s;
    s.lose(1);
    s.generate(101, task(1), task(2), kRt).shared().value(1);
    s.waited(200, task(2), kRt).value(0);
    s.waited(201, task(2), kRt).value(1);
    const auto out = run(s);
    EXPECT_END(out, 101, End::sigwait, 201);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].time_ns, 200u);
}

TEST(Queues, EqualValuesRecoverFromALostTaking)
{
    Scenario s;
    s.generate(100, task(1), task(2), kRt).shared().value(7);
    s.lose(1);
    for (std::uint64_t i = 1; i < 4; ++i) {
        s.generate(100 * i + 100, task(1), task(2), kRt).shared().value(7);
        s.waited(100 * i + 150, task(2), kRt).value(7);
    }
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    for (std::uint64_t i = 1; i < 4; ++i)
        EXPECT_END(out, 100 * i + 100, End::sigwait, 100 * i + 150);
}

TEST(Queues, ABlockedBacklogSurvivesALossElsewhere)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 3; ++i)
        s.generate(100 + i, task(1), task(2), kRt).shared().value(7).blocked();
    s.lose(1);
    s.generate(110, task(1), task(2), kRt).shared().value(7).blocked();
    for (std::uint64_t i = 0; i < 4; ++i) s.waited(200 + i, task(2), kRt).value(7);
    const auto out = run(s);
    for (std::uint64_t i = 0; i < 3; ++i) EXPECT_END(out, 100 + i, End::sigwait, 200 + i);
    EXPECT_END(out, 110, End::sigwait, 203);
}

TEST(Queues, ARealTimeOneOfNoKnownValueIsPairedOnlyWithoutLoss)
{
    Scenario quiet;
    quiet.generate(100, task(1), task(2), kRt).shared();
    quiet.handled(110, task(2), kRt).value(1);
    EXPECT_END(run(quiet), 100, End::handler, 110);

    Scenario lossy;
    lossy.generate(100, task(1), task(2), kRt).shared().value(1);
    lossy.lose(1);
    lossy.handled(110, task(2), kRt).value(2);
    const auto out = run(lossy);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
}

TEST(Queues, ASecondStandardSignalProvesThatTheFirstHasGone)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(200, task(1), task(2), kUsr1).shared();
    s.handled(251, task(2), kUsr1).dequeued(250);
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_END(out, 200, End::handler, 251);
}

TEST(Queues, OfThoseThatHaveGoneFewAreKept)
{
    Scenario s;
    for (std::uint64_t i = 0; i < 1000; ++i)
        s.generate(100 + i, task(1), task(2), kUsr1).shared();
    const auto out = run(s);
    EXPECT_EQ(out.signals.size(), 1000u);
    EXPECT_GT(out.before_finish, 900u);
    EXPECT_END(out, 100 + 998, End::unseen, 0);
    EXPECT_END(out, 100 + 999, End::pending, 0);
}

TEST(Queues, TwoTimersMayHaveTheSameStandardSignalPending)
{
    Scenario s;
    s.generate(100, task(0), task(2), kAlrm).shared().timer(1);
    s.generate(110, task(0), task(2), kAlrm).shared().timer(2);
    s.generate(120, task(0), task(2), kAlrm).shared().timer(1);   // 1 had been dropped
    s.waited(200, task(2), kAlrm).given(-2, 2);
    s.waited(210, task(2), kAlrm).given(-2, 1);
    const auto out = run(s);
    EXPECT_END(out, 100, End::flushed, 0);
    EXPECT_END(out, 110, End::sigwait, 200);
    EXPECT_END(out, 120, End::sigwait, 210);
}

TEST(Queues, BitsWithoutInformationEndWithTheLastEntry)
{
    Scenario s;
    s.generate(100, task(1), task(2), kRt).shared().value(1);
    s.generate(101, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.generate(102, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.generate(103, task(1), task(2), kRt).shared().value(2);
    s.waited(200, task(2), kRt).value(1);
    s.waited(201, task(2), kRt).value(2);
    s.generate(300, task(1), task(2), kRt).shared().outcome(Outcome::info_lost);
    s.waited(310, task(2), kRt);
    const auto out = run(s);
    EXPECT_END(out, 100, End::sigwait, 200);
    for (const std::uint64_t t : {101, 102, 103}) EXPECT_END(out, t, End::sigwait, 201);
    EXPECT_END(out, 300, End::sigwait, 310);
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
    s.take(141, task(2), kTstp, How::standard);
    const auto out = run(s);
    EXPECT_END(out, 100, End::flushed, 0);
    EXPECT_END(out, 101, End::flushed, 0);
    EXPECT_END(out, 102, End::pending, 0);
    EXPECT_END(out, 120, End::flushed, 0);
    EXPECT_END(out, 130, End::standard, 141);
}

TEST(Queues, ADyingProcessDiscardsNothing)
{
    for (const bool dying : {true, false}) {
        Scenario s;
        s.generate(100, task(1), task(2), kCont).shared().blocked();
        auto stop = s.generate(120, task(1), task(2), kTstp).shared().outcome(Outcome::ignored);
        if (dying) stop.dying();
        EXPECT_END(run(s), 100, dying ? End::pending : End::flushed, 0);
    }
}

// --- loss and disorder ---

TEST(Loss, InItsLifeMakesItUnseen)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.lose(3);
    s.slice(200, task(9));
    s.generate(300, task(1), task(3), kUsr1).shared();
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_END(out, 300, End::pending, 0);
}

TEST(Loss, IsCountedForEachCpu)
{
    Scenario s;
    s.lose(3);
    s.slice(50, task(9));
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.lose(-2);                     // cpu 1 has lost one, at 60
    s.generate(60, task(1), task(3), kUsr1).shared().cpu(1);
    s.generate(210, task(1), task(4), kUsr1).shared().cpu(1);
    EXPECT_END(run(s), 100, End::pending, 0);
}

TEST(Disorder, ALateGenerationIsNotCalledPending)
{
    Scenario s;
    s.handled(160, task(2), kUsr1);                       // its own, as it turns out
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(170, task(1), task(3), kUsr1).shared();
    const auto out = run(s);
    EXPECT_END(out, 100, End::unseen, 0);
    EXPECT_EQ(out.orphans.size(), 1u);
    EXPECT_END(out, 170, End::pending, 0);
}

}  // namespace
}  // namespace ipcscope::correlate::test
