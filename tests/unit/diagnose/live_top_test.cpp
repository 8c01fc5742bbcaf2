// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "diagnose/live_top.hpp"
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;
using decode::Outcome;

const decode::Task kSource = task(10, "yes"), kSink = task(11, "wc");
constexpr std::uint64_t kPipe = 77;

aggregate::SignalRow row(std::uint64_t delivered, std::uint64_t taken)
{
    aggregate::SignalRow row;
    row.signal = 10;
    row.sender = kSource;
    row.target = kSink;
    row.outcomes[static_cast<std::size_t>(Outcome::delivered)] = delivered;
    row.ends[static_cast<std::size_t>(aggregate::End::handler)] = taken;
    row.latency.add(1'000, taken);
    row.first_ns = 1;
    return row;
}

Report running(std::vector<aggregate::SignalRow> signals)
{
    Report report;
    report.ended = false;
    report.signals = std::move(signals);
    return report;
}

TEST(TopTables, SignalsSinceTheLastPicture)
{
    TopTables tables;
    const LiveTop first = tables.of(running({row(100, 90)}), {}, kSecond + 1);
    ASSERT_EQ(first.signals.size(), 1u);
    EXPECT_EQ(first.signals[0].added, 100u);
    EXPECT_EQ(first.signals[0].over_ns, kSecond);
    EXPECT_EQ(first.signals[0].pending, 10u);
    EXPECT_EQ(first.signals[0].taken, 90u);
    EXPECT_GE(first.signals[0].most_ns, 1'000u);

    const LiveTop idle = tables.of(running({row(100, 90)}), {}, 2 * kSecond + 1);
    EXPECT_EQ(idle.signals[0].added, 0u);
    EXPECT_EQ(idle.signals[0].over_ns, 0u);
    EXPECT_EQ(idle.signals[0].sent, 100u);

    const LiveTop third = tables.of(running({row(130, 130)}), {}, 3 * kSecond + 1);
    EXPECT_EQ(third.signals[0].added, 30u);
    EXPECT_EQ(third.signals[0].over_ns, 2 * kSecond);
    EXPECT_EQ(third.signals[0].pending, 0u);
}

TEST(TopTables, ARowThatIsGoneBeginsAnew)
{
    TopTables tables;
    tables.of(running({row(100, 100)}), {}, kSecond);
    tables.of(running({}), {}, 2 * kSecond);
    aggregate::SignalRow again = row(40, 40);   // the table was full, and gave the first one up
    again.first_ns = 2 * kSecond;
    const LiveTop third = tables.of(running({again}), {}, 3 * kSecond);
    EXPECT_EQ(third.signals[0].added, 40u);
    EXPECT_EQ(third.signals[0].over_ns, kSecond);
}

TEST(TopTables, AChannelWithItsShares)
{
    Story story;
    story.born(1, kSource, 1).born(1, kSink, 1);
    story.slept(kSource, true, kPipe, kSecond / 10, kSecond * 9 / 10, 4096, 11);
    story.did(kSecond * 95 / 100, kSink, false, kPipe, 4096);
    TopTables tables;
    Report report = story.report(kSecond);
    report.ended = false;
    const LiveTop top = tables.of(report, {}, kSecond);
    ASSERT_EQ(top.channels.size(), 1u);
    const TopChannel& pipe = top.channels[0];
    EXPECT_EQ(pipe.object.object, kPipe);
    EXPECT_EQ(pipe.writer.tgid, 10u);
    EXPECT_EQ(pipe.reader.tgid, 11u);
    EXPECT_EQ(pipe.bytes, 4096u);
    EXPECT_EQ(pipe.waits, 1u);
    EXPECT_EQ(pipe.full_ns, kSecond * 8 / 10);
    EXPECT_EQ(pipe.empty_ns, 0u);

    const LiveTop quiet = tables.of(report, {}, 3 * kSecond);
    EXPECT_EQ(quiet.channels[0].over_ns, 0u);
    EXPECT_EQ(quiet.channels[0].quiet_ns, 2 * kSecond);
    EXPECT_EQ(quiet.channels[0].full_ns, 0u);
    EXPECT_EQ(quiet.channels[0].total_bytes, 4096u);
}

TEST(TopTables, AtTheEndOfTheWholeTrace)
{
    Story story;
    story.born(1, kSource, 1).born(1, kSink, 1);
    story.slept(kSource, true, kPipe, kSecond / 10, kSecond * 9 / 10, 4096, 11);
    story.did(kSecond * 95 / 100, kSink, false, kPipe, 4096);
    Report report = story.report(10 * kSecond);
    report.signals = {row(1, 1), row(40, 40)};
    report.signals[0].first_ns = report.signals[1].first_ns = 9 * kSecond;
    report.signals[1].signal = 12;
    TopTables tables;
    Report before = report;
    before.ended = false;
    tables.of(before, {}, 5 * kSecond);   // of a replay
    const LiveTop top = tables.of(report, {}, 10 * kSecond);
    ASSERT_EQ(top.channels.size(), 1u);
    const aggregate::ChannelRow& as_reported = report.channels[0];
    EXPECT_EQ(top.channels[0].over_ns, as_reported.last_ns - as_reported.first_ns);
    EXPECT_EQ(top.channels[0].full_ns, kSecond * 8 / 10);
    EXPECT_EQ(top.channels[0].bytes, 4096u);
    ASSERT_EQ(top.signals.size(), 2u);
    EXPECT_EQ(top.signals[0].added, 0u) << "one has no rate";
    EXPECT_EQ(top.signals[1].added, 40u);
    EXPECT_EQ(top.signals[1].over_ns, 10 * kSecond - report.host.start_ns);
}

TEST(TopTables, AChannelOfProcessesThatHaveEnded)
{
    Story story;
    story.born(1, kSource, 1).born(1, kSink, 1);
    story.did(kSecond / 2, kSource, true, kPipe, 4096);
    story.did(kSecond / 2 + 9, kSink, false, kPipe, 4096);
    Report report = story.report(kSecond);
    report.ended = false;
    for (aggregate::LifeRow& life : report.lives) {
        life.exit_ns = kSecond;
    }
    EXPECT_TRUE(TopTables().of(report, {}, kSecond).channels.empty());
    report.ended = true;   // of the end all is shown
    EXPECT_EQ(TopTables().of(report, {}, kSecond).channels.size(), 1u);
}

TEST(TopTables, DeathsAsOfNow)
{
    aggregate::Death waits, ended, bare;
    waits.sends.emplace_back().first_ns = kSecond;
    ended.sends.emplace_back().first_ns = kSecond;
    ended.gone_ns = 2 * kSecond;
    Report report = running({});
    report.deaths = {waits, ended, bare};
    const LiveTop top = TopTables().of(report, {}, 4 * kSecond);
    ASSERT_EQ(top.deaths.size(), 2u);
    EXPECT_EQ(top.deaths[0].still_ns, 3 * kSecond);
    EXPECT_EQ(top.deaths[1].still_ns, 0u);
    EXPECT_EQ(top.deaths[1].at_ns, 2 * kSecond);
    // One that came at this very moment is still there, too.
    EXPECT_NE(TopTables().of(report, {}, kSecond).deaths[0].still_ns, 0u);
}

TEST(TopTables, WhatIsMissingIsSaid)
{
    Report report = running({});
    EXPECT_EQ(TopTables().of(report, {}, 1).missing, "");
    report.evicted.signals = 3;
    report.loss.late = 1;
    EXPECT_EQ(TopTables().of(report, {}, 1).missing, "3 rows given up, 1 event out of order");
    report = Report{};
    report.complete = false;
    EXPECT_EQ(TopTables().of(report, {}, 1).missing, "the capture has no end");
}

}  // namespace
}  // namespace ipcscope::diagnose
