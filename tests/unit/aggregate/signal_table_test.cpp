// SPDX-License-Identifier: GPL-2.0-only
#include <numeric>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "aggregate/coverage.hpp"
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
    a.interval(signal(1, 2, 10, End::sigwait));
    a.interval(signal(1, 2, 12, End::handler));
    a.interval(signal(1, 3, 10, End::handler));
    a.interval(signal(4, 2, 10, End::handler));
    auto by_kernel = signal(1, 2, 10, End::handler);
    by_kernel.origin = Origin::kernel;
    a.interval(by_kernel);
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 5u);
    EXPECT_EQ(report.signals[0].at(End::handler), 1u);     // the largest first
    EXPECT_EQ(report.signals[0].at(End::sigwait), 1u);
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
    for (const auto& row : report.signals) {
        EXPECT_EQ(row.sender, decode::Task{});
        EXPECT_EQ(row.at(End::handler), 3u);
    }
}

/// PDEATHSIG: the sender is the parent, by its exit and not by a call.
TEST(SignalRows, AParentsExitIsNoSendOfIts)
{
    Aggregator a;
    a.interval(signal(1, 2, 10, End::handler));
    auto at_exit = signal(1, 2, 10, End::handler);
    at_exit.origin = Origin::parent_exit;
    a.interval(at_exit);
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 2u);
    EXPECT_NE(report.signals[0].origin, report.signals[1].origin);
    EXPECT_EQ(report.signals[0].sender, report.signals[1].sender);
}

TEST(SignalRows, AreOfProcessesByTheirNamesAndNotTheirThreads)
{
    Aggregator a;
    auto sent = signal(1, 2, 10, End::handler);
    sent.sender = task(1, "worker", 11);
    sent.target = task(2, "poller", 12);
    sent.sender_process = Comm("server");
    sent.target_process = Comm("client");
    a.interval(sent);
    const auto report = finish(a);
    EXPECT_EQ(name(report.signals.at(0).sender), "server");
    EXPECT_EQ(name(report.signals.at(0).target), "client");
}

TEST(SignalRows, EveryEndHasItsCounter)
{
    Aggregator a;
    for (std::size_t end = 0; end < correlate::kEnds; ++end) {
        const auto what = static_cast<End>(end);
        a.interval(signal(1, 2, 10, what,
                          what == End::not_queued ? Outcome::overflow : Outcome::delivered));
    }
    auto init = signal(1, 2, 10, End::not_queued, Outcome::ignored);
    init.unkillable = true;
    a.interval(init);
    auto back = signal(1, 2, 10, End::handler);
    back.requeued = true;
    a.interval(back);
    const auto row = finish(a).signals.at(0);
    for (std::size_t end = 0; end < correlate::kEnds; ++end) {
        const auto what = static_cast<End>(end);
        EXPECT_EQ(row.at(what), what == End::not_queued || what == End::handler ? 2u : 1u);
    }
    EXPECT_EQ(row.to_unkillable, 1u);
    EXPECT_EQ(row.requeued, 1u);
    EXPECT_EQ(row.matched(), 9u);
    EXPECT_EQ(row.unmatched(), 6u);
    EXPECT_EQ(row.latency.count(), 9u);
    EXPECT_EQ(row.at(Outcome::delivered), 15u);
    EXPECT_EQ(row.at(Outcome::overflow), 1u);
    EXPECT_EQ(row.at(Outcome::ignored), 1u);
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

/// A script sends TERM, then execs the new server, which sends it again.
TEST(SignalRows, HaveTheNamesOfThatTime)
{
    Aggregator a;
    auto before = signal(1, 2, 15, End::death);
    before.sender = task(1, "bash");
    before.target = task(2, "old");
    a.interval(before);
    a.interval(before);
    auto after = before;
    after.sender = task(1, "sleep");
    a.interval(after);
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 2u);
    EXPECT_EQ(name(report.signals[0].sender), "bash");
    EXPECT_EQ(report.signals[0].at(End::death), 2u);
    EXPECT_EQ(name(report.signals[1].sender), "sleep");
    EXPECT_EQ(name(report.signals[1].target), "old");
}

TEST(SignalRows, AreBoundedAndTheRestCounted)
{
    Aggregator a;
    for (std::uint32_t pid = 1; pid <= kMostSignals + 5; ++pid)
        a.interval(signal(1, pid, 10, End::handler));
    EXPECT_EQ(finish(a).signals.size(), kMostSignals);
    EXPECT_EQ(finish(a).evicted.signals, 5u);
}

source::Host of_command()
{
    source::Host host;
    host.command = {"sh", "-c", "kill -USR1 2"};
    return host;
}

TEST(SignalRows, SayNothingOfTargetsOutsideTheTrace)
{
    Aggregator a;
    a.host(of_command());
    for (const auto end : {End::pending, End::target_exited, End::unseen, End::flushed})
        for (const std::uint32_t target : {2u, 3u}) a.interval(signal(1, target, 10, end));
    a.event(thread_end(900, task(3), 100, false));   // 3 was traced
    const auto report = finish(a);
    ASSERT_EQ(report.signals.size(), 2u);
    for (const auto& row : report.signals) {
        const bool traced = row.target.tgid == 3;
        EXPECT_EQ(row.at(End::outside), traced ? 0u : 4u);
        for (const auto end : {End::pending, End::target_exited, End::unseen, End::flushed})
            EXPECT_EQ(row.at(end), traced ? 1u : 0u);
    }
}

/// Records about a process are not its own: a sender's and target's, the sweep's, a
/// thread that a signal killed.
TEST(Coverage, NeedsARecordOfTheProcessItself)
{
    Coverage coverage;
    coverage.host(of_command());
    const auto note = [&](decode::Event what) { coverage.note(what); };
    note(event(1, task(7), IPCSCOPE_SIGNAL_GENERATE, decode::SignalGenerate{}));
    note(event(1, task(7), IPCSCOPE_KILL, decode::Kill{}));
    decode::Thread swept{};
    swept.reason = IPCSCOPE_THREAD_SWEEP;
    note(event(1, task(7), IPCSCOPE_THREAD, swept));
    note(event(1, task(7), IPCSCOPE_THREAD, decode::Thread{}));
    note(event(1, task(7), IPCSCOPE_HOLDER, holder(1, true, true)));
    note(event(1, task(7), IPCSCOPE_SYMBOL, decode::Symbol{}));
    note(event(1, task(7), IPCSCOPE_THREAD_FREE, decode::ThreadFree{}));
    note(thread_end(1, task(7), 1));
    EXPECT_FALSE(coverage.covers(7));
    decode::Thread born{};
    born.reason = IPCSCOPE_THREAD_FORK;
    note(event(1, task(1), IPCSCOPE_THREAD, born));
    note(event(1, task(2), IPCSCOPE_SIGNAL_TAKE, decode::SignalTake{}));
    note(event(1, task(3), IPCSCOPE_SLICE, decode::Slice{}));
    note(call(1, task(4), op(true, 1, 0, 1)));
    note(thread_end(2, task(5), 1));
    for (const std::uint32_t pid : {1u, 2u, 3u, 4u, 5u}) EXPECT_TRUE(coverage.covers(pid));
    note(thread_end(2, task(UINT32_MAX), 1));
    EXPECT_FALSE(coverage.covers(UINT32_MAX));
}

TEST(Coverage, DependsOnTheFilters)
{
    const auto covers = [](std::vector<std::string> filters) {
        Coverage coverage;
        source::Host host;
        host.filters = std::move(filters);
        coverage.host(host);
        coverage.note(thread_end(2, task(5), 1));
        return std::pair(coverage.covers(5), coverage.covers(6));
    };
    EXPECT_EQ(covers({}), std::pair(true, true));
    EXPECT_EQ(covers({"--signal=10", "--follow"}), std::pair(true, true));
    EXPECT_EQ(covers({"--pid=5"}), std::pair(true, false));
    EXPECT_EQ(covers({"--cgroup=/x"}), std::pair(true, false));
    EXPECT_EQ(covers({"--pid=5", "--tid=5"}), std::pair(false, false));   // in part
    EXPECT_EQ(covers({"--comm=x"}), std::pair(false, false));
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

TEST(Kills, KeepTheLongest)
{
    Aggregator a;
    for (std::uint64_t i = 0; i < kMostKills + 100; ++i) {
        correlate::KillInterval kill;
        kill.sent_ns = 1000 + i;
        if (i != 3) kill.gone_ns = kill.sent_ns + 1 + i;
        a.interval(kill);
    }
    const auto report = finish(a);
    EXPECT_EQ(report.kills.size(), kMostKills);
    EXPECT_EQ(report.evicted.kills, 100u);
    EXPECT_EQ(report.kills[0].sent_ns, 1003u);        // the one that never died
    EXPECT_EQ(report.kills[1].sent_ns, 1101u);
}

TEST(KernelFunctions, AreTimedWhereTheyReturned)
{
    Aggregator a;
    const auto generate = [&](std::uint64_t time, std::uint64_t enter, unsigned origin) {
        decode::SignalGenerate body{};
        body.enter_ns = enter;
        body.origin = static_cast<std::uint8_t>(origin);
        a.event(event(time, task(1), IPCSCOPE_SIGNAL_GENERATE, body));
    };
    generate(150, 100, IPCSCOPE_ORIGIN_TASK);
    generate(160, 160, IPCSCOPE_ORIGIN_TIMER);        // does not pass the send core
    const auto take = [&](std::uint64_t time, std::uint64_t enter, auto change) {
        decode::SignalTake body{};
        body.enter_ns = enter;
        auto taken = event(time, task(1), IPCSCOPE_SIGNAL_TAKE, body);
        change(taken, std::get<decode::SignalTake>(taken.body));
        a.event(taken);
    };
    const auto nothing = [](auto&, auto&) {};
    take(250, 230, nothing);
    take(260, 0, nothing);                            // sigwait: outside get_signal()
    take(270, 1, [](auto& taken, auto&) { taken.unfinished = true; });
    take(280, 1, [](auto&, auto& body) { body.traced = 1; });
    take(290, 1, [](auto&, auto& body) { body.how = IPCSCOPE_TAKE_DEBUGGER; });
    const auto report = finish(a);
    ASSERT_EQ(report.calls.size(), 2u);
    EXPECT_EQ(report.calls[0].function, KernelFunction::send);
    EXPECT_EQ(report.calls[0].count, 1u);
    EXPECT_EQ(report.calls[0].latency.max(), 50u);
    EXPECT_EQ(report.calls[1].function, KernelFunction::get_signal);
    EXPECT_EQ(report.calls[1].count, 1u);
    EXPECT_EQ(report.calls[1].latency.max(), 20u);
}

RC_GTEST_PROP(SignalRows, QueuedAreMatchedOrUnmatchedAndNothingElse, ())
{
    Aggregator a;
    if (*rc::gen::arbitrary<bool>()) a.host(of_command());
    const auto count = *rc::gen::inRange(0, 200);
    for (int i = 0; i < count; ++i) {
        const auto outcome = static_cast<Outcome>(*rc::gen::inRange(0, 5));
        auto s = signal(*rc::gen::inRange(1u, 4u), *rc::gen::inRange(1u, 4u),
                        *rc::gen::inRange(1u, 65u), End::not_queued, outcome);
        s.origin = static_cast<Origin>(*rc::gen::inRange(0, 3));
        while (s.queued() && s.end == End::not_queued)
            s.end = static_cast<End>(*rc::gen::inRange(0, static_cast<int>(correlate::kEnds)));
        a.interval(s);
    }
    std::uint64_t total = 0;
    for (const auto& row : finish(a).signals) {
        RC_ASSERT(row.at(Outcome::delivered) + row.at(Outcome::info_lost) ==
                  row.matched() + row.unmatched());
        RC_ASSERT(row.latency.count() == row.matched());
        total = std::accumulate(row.outcomes.begin(), row.outcomes.end(), total);
    }
    RC_ASSERT(total == static_cast<std::uint64_t>(count));
}

}  // namespace
}  // namespace ipcscope::aggregate::test
