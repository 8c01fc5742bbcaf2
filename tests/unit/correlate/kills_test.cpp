// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "scenario.hpp"

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kKill = 9, kTerm = 15, kChld = 17;

/// A fatal send to 2, its kill record and its generation as one hook makes them.
void stuck_kill(Scenario& s, std::uint64_t t, bool kill_first,
                Outcome outcome = Outcome::delivered, unsigned signal = kKill)
{
    if (kill_first) s.kill(t, task(1), task(2, 3), signal).outcome = outcome;
    s.generate(t + 1, task(1), task(2), signal).shared().fatal().outcome(outcome);
    if (!kill_first) s.kill(t + 2, task(1), task(2, 3), signal).outcome = outcome;
}

void die(Scenario& s, std::uint64_t t)
{
    s.deliver(t, task(2), kKill, decode::Disposition::standard);
    s.exit(t + 1, task(2), 9, true);
    s.generate(t + 2, task(2), task(1), kChld).shared().code(2).pid(2);
    s.freed(t + 3, task(2));
}

class Kills : public testing::TestWithParam<bool> {};

TEST_P(Kills, RunFromTheSendToTheParentsSignal)
{
    Scenario s;
    s.symbol(7, "pipe_wait+0x6f/0xa0");
    stuck_kill(s, 100, GetParam());
    std::get<decode::Kill>(s.events[GetParam() ? 1 : 2].body).stack = {7, 8};
    die(s, 500);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    const auto& kill = out.kills[0];
    EXPECT_EQ(kill.sent_ns, GetParam() ? 100u : 102u);
    EXPECT_EQ(kill.gone_ns, 502u);
    EXPECT_EQ(kill.reaped_ns, 503u);
    EXPECT_EQ(kill.repeats, 0u);
    EXPECT_EQ(kill.signal, kKill);
    EXPECT_EQ(kill.sender, task(1));
    EXPECT_EQ(kill.target, task(2, 3));
    EXPECT_EQ(kill.state, State::uninterruptible);
    EXPECT_EQ(kill.stuck_threads, 1u);
    EXPECT_EQ(kill.stack, (std::vector<std::string>{"pipe_wait+0x6f/0xa0", "?"}));
    EXPECT_EQ(kill.time_to_die_ns(), 502u - kill.sent_ns);
}

TEST_P(Kills, CountEveryFurtherFatalSendOnce)
{
    Scenario s;
    stuck_kill(s, 100, GetParam());
    stuck_kill(s, 200, GetParam(), Outcome::ignored);          // with a kill record
    stuck_kill(s, 210, GetParam(), Outcome::ignored);
    s.generate(300, task(1), task(2), kKill).shared().fatal()  // not stuck just then
        .outcome(Outcome::ignored);
    s.generate(310, task(4), task(2), kTerm).shared().fatal().outcome(Outcome::ignored);
    s.generate(320, task(4), task(2), kTerm + 8).shared();     // not fatal
    s.generate(330, task(4), task(5), kKill).shared().fatal(); // another's
    s.generate(340, task(1), task(2), kKill).shared().fatal().cpu(1);
    stuck_kill(s, 350, GetParam(), Outcome::ignored);
    die(s, 500);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].repeats, 6u);
}

INSTANTIATE_TEST_SUITE_P(Order, Kills, testing::Bool());

TEST(Kill, WhoIsStillStuckIsShownAtTheEnd)
{
    Scenario s;
    stuck_kill(s, 100, false);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].trace_end_ns, 900u);
    EXPECT_FALSE(out.kills[0].gone_ns);
    EXPECT_FALSE(out.kills[0].reaped_ns);
    EXPECT_FALSE(out.kills[0].time_to_die_ns());
}

TEST(Kill, TheFreeCountsWhereTheParentIsNotTold)
{
    Scenario s;
    stuck_kill(s, 100, false);
    s.exit(500, task(2), 9, true);
    s.freed(600, task(2, 3));            // a thread is not the process
    s.freed(700, task(2));
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].gone_ns, 700u);
}

TEST(Kill, TheExitCountsWhereNothingElseIsSeen)
{
    Scenario s;
    stuck_kill(s, 100, false);
    s.exit(400, task(2, 3), 9, false);
    s.exit(500, task(2), 9, true);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 1u);
    EXPECT_EQ(out.kills[0].gone_ns, 500u);
    EXPECT_FALSE(out.kills[0].reaped_ns);
}

TEST(Kill, ItsChildrensDeathsAreNotItsOwn)
{
    Scenario s;
    stuck_kill(s, 100, false);
    s.generate(400, task(2), task(1), kChld).shared().code(1).pid(33);  // an orphan's
    s.generate(410, task(2), task(1), kChld).shared().code(2).pid(2);
    s.generate(420, task(2), task(1), kChld).shared().code(1).pid(34);
    s.generate(430, task(2), task(1), kChld).shared().code(5).pid(2);   // stopped
    s.generate(440, task(8), task(1), kChld).shared().code(1).pid(8);
    const auto out = run(s, 900);
    EXPECT_EQ(out.kills.at(0).gone_ns, 410u);
}

TEST(Kill, FromAnotherNamespaceTheLastTellingCounts)
{
    Scenario s;
    stuck_kill(s, 100, false);
    s.generate(400, task(2), task(1), kChld).shared().code(1).pid(71);
    s.generate(410, task(2), task(1), kChld).shared().code(2).pid(70);
    EXPECT_EQ(run(s, 900).kills.at(0).gone_ns, 410u);
}

TEST(Kill, OfAReusedNumberIsAnother)
{
    Scenario s;
    stuck_kill(s, 100, false);
    s.generate(400, task(2), task(1), kChld).shared().code(2).pid(2);
    stuck_kill(s, 500, false);
    const auto out = run(s, 900);
    ASSERT_EQ(out.kills.size(), 2u);
    EXPECT_EQ(out.kills[0].gone_ns, 400u);
    EXPECT_FALSE(out.kills[1].gone_ns);
}

TEST(Kill, TheSignalItselfEndsToo)
{
    Scenario s;
    stuck_kill(s, 100, false, Outcome::delivered, kTerm);
    die(s, 500);
    const auto out = run(s, 900);
    EXPECT_EQ(of(out, 101).end, End::death);
    EXPECT_EQ(of(out, 101).ended_ns, 500u);
}

}  // namespace
}  // namespace ipcscope::correlate::test
