// SPDX-License-Identifier: GPL-2.0-only
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

using correlate::End;
using correlate::Orphan;
using correlate::SignalInterval;
using decode::Origin;
using decode::Outcome;

SignalInterval signal(std::uint32_t sender, std::uint32_t target, unsigned number, End end,
                      Outcome outcome = Outcome::delivered)
{
    SignalInterval out;
    out.generated_ns = 100;
    out.ended_ns = 150;
    out.sender = task(sender);
    out.target = task(target, "y", target + 1);
    out.signal = number;
    out.end = end;
    out.outcome = outcome;
    return out;
}

TEST(SignalRows, AreKeptPerSenderTargetSignalAndOrigin)
{
    Aggregator a;
    a.interval(signal(1, 2, 10, End::handler));
    a.interval(signal(1, 2, 10, End::accepted));
    a.interval(signal(1, 2, 12, End::handler));
    a.interval(signal(1, 3, 10, End::handler));
    a.interval(signal(4, 2, 10, End::handler));
    auto by_kernel = signal(1, 2, 10, End::handler);
    by_kernel.origin = Origin::kernel;
    a.interval(by_kernel);
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 5u);
    EXPECT_EQ(report.signals[0].to_handler, 1u);     // the largest first
    EXPECT_EQ(report.signals[0].accepted, 1u);
    EXPECT_EQ(report.signals[0].latency.count(), 2u);
    EXPECT_EQ(report.signals[0].latency.max(), 50u);
    EXPECT_EQ(report.signals[0].sender.tid, 0u);
    EXPECT_EQ(report.signals[0].target.tid, 0u);
}

TEST(SignalRows, KernelAndTimersHaveNoSender)
{
    Aggregator a;
    for (const auto context : {1u, 5u, 9u}) {
        auto kernel = signal(context, 2, 10, End::handler);
        kernel.origin = Origin::kernel;
        a.interval(kernel);
        auto timer = signal(context, 2, 14, End::handler);
        timer.origin = Origin::timer;
        a.interval(timer);
    }
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 2u);
    EXPECT_EQ(report.signals[0].sender.comm.str(), "kernel");
    EXPECT_EQ(report.signals[1].sender.comm.str(), "timer");
    for (const auto& row : report.signals) {
        EXPECT_EQ(row.sender.tgid, 0u);
        EXPECT_EQ(row.to_handler, 3u);
    }
}

TEST(SignalRows, EveryEndHasItsCounter)
{
    Aggregator a;
    for (unsigned end = 0; end <= static_cast<unsigned>(End::flushed); ++end) {
        const auto what = static_cast<End>(end);
        a.interval(signal(1, 2, 10, what,
                          what == End::not_queued ? Outcome::overflow : Outcome::delivered));
    }
    auto init = signal(1, 2, 10, End::not_queued, Outcome::ignored);
    init.unkillable = true;
    a.interval(init);
    const auto row = finish(a).signals.at(0);
    for (const auto count : {row.to_handler, row.by_default, row.accepted, row.died,
                             row.pending, row.target_exited, row.unseen, row.flushed,
                             row.to_unkillable})
        EXPECT_EQ(count, 1u);
    EXPECT_EQ(row.outcomes[static_cast<std::size_t>(Outcome::delivered)], 8u);
    EXPECT_EQ(row.outcomes[static_cast<std::size_t>(Outcome::overflow)], 1u);
    EXPECT_EQ(row.outcomes[static_cast<std::size_t>(Outcome::ignored)], 1u);
}

TEST(SignalRows, KnowTheirFirstAndLast)
{
    Aggregator a;
    for (const std::uint64_t t : {300, 100, 200}) {
        auto s = signal(1, 2, 10, End::pending);
        s.generated_ns = t;
        a.interval(s);
    }
    const auto row = finish(a).signals.at(0);
    EXPECT_EQ(row.first_ns, 100u);
    EXPECT_EQ(row.last_ns, 300u);
}

TEST(SignalRows, HaveTheLastNameOfTheLeader)
{
    Aggregator a;
    a.event(event(1, task(1, "sh"), IPCSCOPE_SIGNAL_GET, decode::SignalGet{}));
    a.event(event(2, task(1, "worker", 77), IPCSCOPE_SIGNAL_GET, decode::SignalGet{}));
    a.event(event(3, task(1, "date"), IPCSCOPE_SIGNAL_GET, decode::SignalGet{}));
    a.event(event(4, task(2, "pool-1", 78), IPCSCOPE_SIGNAL_GET, decode::SignalGet{}));
    decode::SignalGenerate to;
    to.target = task(3, "target");
    a.event(event(5, task(1, "date"), IPCSCOPE_SIGNAL_GENERATE, to));
    a.interval(signal(1, 2, 10, End::handler));
    a.interval(signal(1, 3, 10, End::handler));
    const auto report = finish(a);
    EXPECT_EQ(report.signals.at(0).sender.comm.str(), "date");
    EXPECT_EQ(report.signals.at(0).target.comm.str(), "pool-1");
    EXPECT_EQ(report.signals.at(1).target.comm.str(), "target");
}

TEST(SignalRows, OrphansAndKillsAreCounted)
{
    Aggregator a;
    a.interval(Orphan{1, task(2), 9, Orphan::Why::group_exit});
    a.interval(Orphan{1, task(2), 9, Orphan::Why::group_exit});
    a.interval(Orphan{1, task(2), 10, Orphan::Why::unknown});
    for (const std::uint64_t t : {300, 100}) {
        correlate::KillInterval kill;
        kill.sent_ns = t;
        a.interval(kill);
    }
    const auto report = finish(a);
    EXPECT_EQ(report.orphans_group_exit, 2u);
    EXPECT_EQ(report.orphans_unknown, 1u);
    ASSERT_EQ(report.kills.size(), 2u);
    EXPECT_EQ(report.kills[0].sent_ns, 100u);
}

TEST(Calls, AreTimedWhereTheyReturned)
{
    Aggregator a;
    a.event(event(150, task(1), IPCSCOPE_SIGNAL_SEND, decode::SignalSend{.enter_ns = 100}));
    a.event(event(250, task(1), IPCSCOPE_SIGNAL_GET, decode::SignalGet{.enter_ns = 230}));
    auto never = event(900, task(1), IPCSCOPE_SIGNAL_GET, decode::SignalGet{.enter_ns = 300});
    never.unfinished = true;
    a.event(never);
    const auto report = finish(a);
    ASSERT_EQ(report.calls.size(), 2u);
    EXPECT_EQ(report.calls[0].name, "send");
    EXPECT_EQ(report.calls[0].latency.max(), 50u);
    EXPECT_EQ(report.calls[1].name, "get_signal");
    EXPECT_EQ(report.calls[1].count, 1u);
    EXPECT_EQ(report.calls[1].latency.max(), 20u);
}

RC_GTEST_PROP(SignalRows, QueuedAreMatchedOrUnmatchedAndNothingElse, ())
{
    Aggregator a;
    const auto count = *rc::gen::inRange(0, 200);
    for (int i = 0; i < count; ++i) {
        const auto outcome = static_cast<Outcome>(*rc::gen::inRange(0, 5));
        auto s = signal(*rc::gen::inRange(1u, 4u), *rc::gen::inRange(1u, 4u),
                        *rc::gen::inRange(1u, 65u), End::not_queued, outcome);
        s.origin = static_cast<Origin>(*rc::gen::inRange(0, 3));
        while (s.queued() && s.end == End::not_queued)
            s.end = static_cast<End>(*rc::gen::inRange(0, 9));
        a.interval(s);
    }
    std::uint64_t total = 0;
    for (const auto& row : finish(a).signals) {
        RC_ASSERT(row.outcomes[0] + row.outcomes[4] ==
                  row.latency.count() + row.pending + row.target_exited + row.unseen +
                      row.flushed);
        RC_ASSERT(row.latency.count() ==
                  row.to_handler + row.by_default + row.accepted + row.died);
        total = std::accumulate(row.outcomes.begin(), row.outcomes.end(), total);
    }
    RC_ASSERT(total == static_cast<std::uint64_t>(count));
}

}  // namespace
}  // namespace ipcscope::aggregate::test
