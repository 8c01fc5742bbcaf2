// SPDX-License-Identifier: GPL-2.0-only
// Signals that a debugger holds, drops, replaces or puts back.
#include <gtest/gtest.h>

#include "expect.hpp"
#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kUsr1 = 10, kTerm = 15, kCont = 18, kTstp = 20, kRt = 40;

TEST(Debugger, MayHoldTheDeliveryForLong)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(200, task(1), task(2), kUsr1).shared();    // the first has left its queue
    s.handled(300, task(2, 3), kUsr1);                    // the second, by another thread
    s.handled(9000, task(2), kUsr1).dequeued(150).traced();
    const auto out = run(s);
    EXPECT_END(out, 200, End::handler, 300);
    EXPECT_END(out, 100, End::handler, 9000);
    EXPECT_TRUE(of(out, 100).traced);
    EXPECT_EQ(of(out, 100).dequeued_ns, 150u);
    EXPECT_EQ(of(out, 100).receiver, task(2));
    EXPECT_TRUE(out.orphans.empty());
}

TEST(Debugger, WhatItDropsEndedWhenItWasDequeued)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.take(9000, task(2), kUsr1, How::debugger).dequeued(150).traced();
    EXPECT_END(run(s), 100, End::debugger, 150);
}

TEST(Debugger, WhatItPutsInItsPlaceWasNeverGenerated)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).shared();
    s.generate(101, task(1), task(2), kTerm).blocked();   // still is
    s.take(9000, task(2), kUsr1, How::debugger).dequeued(150).traced();
    s.handled(9000, task(2), kTerm).dequeued(0).given(0, 7);
    const auto out = run(s);
    EXPECT_END(out, 100, End::debugger, 150);
    EXPECT_END(out, 101, End::pending, 0);
    ASSERT_EQ(out.orphans.size(), 1u);
    EXPECT_EQ(out.orphans[0].why, Orphan::Why::unknown);
}

TEST(Debugger, ARequeuedOneIsAnotherOfTheSameSender)
{
    for (const unsigned signal : {kUsr1, kRt}) {
        Scenario s;
        s.generate(100, task(1), task(2), signal).shared().given(0, 1);
        s.generate(300, task(2), task(2), signal).given(0, 1).blocked().requeued();
        s.take(310, task(2), signal, How::debugger).dequeued(150).given(0, 1).traced();
        s.handled(500, task(2), signal).dequeued(490).given(0, 1);
        const auto out = run(s);
        EXPECT_END(out, 100, End::debugger, 150);
        EXPECT_END(out, 300, End::handler, 500);
        EXPECT_FALSE(of(out, 100).requeued);
        EXPECT_TRUE(of(out, 300).requeued);
        EXPECT_EQ(of(out, 300).sender, task(1));
        EXPECT_TRUE(out.orphans.empty());
    }
}

TEST(Debugger, ARequeuedOneThatIsNotQueuedEndsAtOnce)
{
    Scenario s;
    s.generate(100, task(1), task(2), kUsr1).given(0, 1);
    s.generate(200, task(1), task(2), kUsr1).given(0, 1);
    s.generate(300, task(2), task(2), kUsr1).given(0, 1).requeued()
        .outcome(Outcome::already_pending);
    s.take(310, task(2), kUsr1, How::debugger).dequeued(150).given(0, 1).traced();
    const auto out = run(s);
    EXPECT_END(out, 300, End::not_queued, 0);
    EXPECT_END(out, 100, End::debugger, 150);
}

TEST(Debugger, AFlushDoesNotReachWhatWasDequeued)
{
    Scenario s;
    s.generate(100, task(1), task(2), kTstp).shared();
    s.generate(200, task(1), task(2), kCont).shared().outcome(Outcome::ignored);
    s.take(300, task(2), kTstp, How::standard).dequeued(150).traced();
    EXPECT_END(run(s), 100, End::standard, 300);
}

}  // namespace
}  // namespace ipcscope::correlate::test
