// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cerrno>
#include <climits>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "aggregate/busy_time.hpp"
#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

TEST(BusyTimes, OverlapsCountOnce)
{
    BusyTime busy;
    busy.add(10, 20);
    busy.add(15, 30);
    busy.add(40, 50);
    busy.add(50, 50);
    EXPECT_EQ(busy.total_ns(), 30u);
    busy.add(5, 60);          // swallows all
    EXPECT_EQ(busy.total_ns(), 55u);
    busy.add(1, 3);           // late, and apart
    EXPECT_EQ(busy.total_ns(), 57u);
}

RC_GTEST_PROP(BusyTimes, AreTheUnion, ())
{
    const auto spans = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 300), rc::gen::inRange(0, 40)));
    BusyTime busy;
    std::vector<bool> covered(400);
    for (const auto& [start, length] : spans) {
        busy.add(start, start + length);
        for (int i = start; i < start + length; ++i) covered[i] = true;
    }
    RC_ASSERT(busy.total_ns() ==
              static_cast<std::uint64_t>(std::count(covered.begin(), covered.end(), true)));
}

TEST(BusyTimes, NeverCountTwiceBeyondWhatIsKept)
{
    BusyTime busy;
    for (std::uint64_t i = 0; i < 1000; ++i) busy.add(i * 10, i * 10 + 5);
    EXPECT_EQ(busy.total_ns(), 5000u);
    busy.add(0, 10'000);
    EXPECT_GT(busy.total_ns(), 5000u);
    EXPECT_LE(busy.total_ns(), 10'000u);
}

TEST(Pipes, CountResultsOfCalls)
{
    Aggregator a;
    a.event(call(200, task(1, "w"), op(true, 7, 100, 4096, 60)));
    auto nonblock = op(true, 7, 210, -EAGAIN);
    nonblock.flags = IPCSCOPE_CALL_NONBLOCK;
    a.event(call(220, task(1, "w"), nonblock));
    a.event(call(230, task(1, "w"), op(true, 7, 225, -EPIPE)));
    a.event(call(240, task(1, "w"), op(true, 7, 235, -EINTR)));
    a.event(call(250, task(1, "w"), op(true, 7, 245, -512)));
    a.event(call(260, task(1, "w"), op(true, 7, 255, -EFAULT)));
    a.event(call(270, task(2, "r"), op(false, 7, 150, 100, 100)));
    a.event(call(280, task(2, "r"), op(false, 7, 275, 0)));
    auto empty = op(false, 7, 285, 0);
    empty.requested = 0;
    a.event(call(290, task(2, "r"), empty));
    const auto report = finish(a);
    ASSERT_EQ(report.channels.size(), 1u);
    const auto& row = report.channels[0];
    EXPECT_EQ(row.object.object, 7u);
    EXPECT_EQ(row.object.dev, 12u);
    EXPECT_EQ(row.ring_slots, 16u);
    EXPECT_EQ(row.first_ns, 100u);
    EXPECT_EQ(row.last_ns, 290u);
    EXPECT_EQ(row.writes.count, 6u);
    EXPECT_EQ(row.writes.bytes, 4096u);
    EXPECT_EQ(row.writes.blocked_ns, 60u);
    EXPECT_EQ(row.writes.blocked_count, 1u);
    EXPECT_EQ(row.writes.nonblocking, 1u);
    EXPECT_EQ(row.writes.eagain, 1u);
    EXPECT_EQ(row.writes.epipe, 1u);
    EXPECT_EQ(row.writes.interrupted, 2u);
    EXPECT_EQ(row.writes.errors, 1u);
    EXPECT_EQ(row.writes.latency.max(), 100u);
    EXPECT_EQ(row.reads.count, 3u);
    EXPECT_EQ(row.reads.bytes, 100u);
    EXPECT_EQ(row.reads.eof, 1u);
    EXPECT_EQ(row.full_ns, 70u);   // blocked, and refused by EAGAIN
    EXPECT_EQ(row.empty_ns, 100u);
    ASSERT_EQ(row.writers.size(), 1u);
    EXPECT_EQ(name(row.writers[0].task), "w");
    EXPECT_EQ(row.writers[0].task.tid, 0u);
    EXPECT_EQ(row.writers[0].count, 6u);
    EXPECT_EQ(row.readers.at(0).bytes, 100u);
}

/// One that was in poll for it as the trace began has waited no longer than it was there.
TEST(Pipes, ThePollBeforeTheFirstCallIsPartOfTheirTime)
{
    Trace a;
    auto read = op(false, 7, 900, 1);
    read.since_ns = 100;
    read.between_polling_ns = 800;
    a.event(call(910, task(1), read));
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.empty_ns, 800u);
    EXPECT_EQ(row.first_ns, 100u);
}

TEST(Pipes, WhoIsStillInsideIsUnfinished)
{
    Aggregator a;
    auto stuck = call(900, task(2, "r"), op(false, 7, 100, 0, 800));
    stuck.unfinished = true;
    a.event(stuck);
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.reads.unfinished, 1u);
    EXPECT_EQ(row.reads.count, 0u);
    EXPECT_EQ(row.reads.eof, 0u);
    EXPECT_EQ(row.reads.latency.count(), 0u);
    EXPECT_EQ(row.reads.blocked_ns, 800u);
    EXPECT_EQ(row.empty_ns, 800u);
    EXPECT_EQ(row.readers.at(0).count, 0u);
    EXPECT_EQ(row.readers.at(0).blocked_ns, 800u);
    EXPECT_FALSE(row.readers.at(0).holds_only);
}

TEST(Pipes, TwoBlockedWritersFillThePipeOnce)
{
    Aggregator a;
    a.event(call(200, task(1), op(true, 7, 100, 1, 80)));
    a.event(call(210, task(2), op(true, 7, 100, 1, 80)));
    auto waited = op(true, 7, 300, 1, 50);     // woken, then without a CPU
    waited.runnable_ns = 100;
    a.event(call(450, task(1), waited));
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.full_ns, 90u + 50u);
    EXPECT_EQ(row.writes.blocked_ns, 210u);
    EXPECT_EQ(row.writes.runnable_ns, 100u);
}

TEST(Pipes, OccupancyKeepsItsEndsForEmptyAndFull)
{
    Aggregator a;
    for (const std::uint32_t used : {0u, 1u, 8u, 15u, 16u, 17u}) {
        auto body = op(true, 7, 100, 1);
        body.tail.pipe.used_slots = used;
        a.event(call(200, task(1), body));
    }
    auto unknown = op(true, 7, 100, 1);
    unknown.tail.pipe.ring_slots = 0;
    a.event(call(200, task(1), unknown));
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.occupancy, (std::array<std::uint64_t, 9>{1, 1, 0, 0, 1, 0, 0, 1, 2}));
}

TEST(Pipes, HoldersAreListedThoughTheyDidNothing)
{
    Aggregator a;
    a.event(event(10, task(5, "idle"), IPCSCOPE_HOLDER, holder(7, true, true, "/run/f\x1b")));
    a.event(event(10, task(5, "idle"), IPCSCOPE_HOLDER, holder(8, true, true)));
    auto write = op(true, 7, 100, 1);
    write.type = IPCSCOPE_OBJECT_FIFO;
    a.event(call(200, task(1, "w"), write));
    a.event(event(210, task(1, "w"), IPCSCOPE_HOLDER, holder(7, false, true)));
    ASSERT_EQ(finish(a).channels.size(), 1u);            // one of the two was used
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.type, decode::ObjectType::fifo);
    EXPECT_EQ(row.path.str(), "/run/f\\x1b");
    ASSERT_EQ(row.readers.size(), 1u);
    EXPECT_TRUE(row.readers[0].holds_only);
    EXPECT_EQ(name(row.readers[0].task), "idle");
    ASSERT_EQ(row.writers.size(), 2u);
    EXPECT_EQ(row.writers[0].task.tgid, 1u);
    EXPECT_FALSE(row.writers[0].holds_only);
    EXPECT_TRUE(row.writers[1].holds_only);
}

TEST(Pipes, AreSortedByBytesAndOnePerDevice)
{
    Aggregator a;
    a.event(call(200, task(1), op(true, 7, 100, 10)));
    a.event(call(200, task(1), op(true, 8, 100, 30)));
    auto other = op(true, 7, 100, 20);
    other.dev = 13;
    a.event(call(200, task(1), other));
    const auto report = finish(a);
    ASSERT_EQ(report.channels.size(), 3u);
    EXPECT_EQ(report.channels[0].object.object, 8u);
    EXPECT_EQ(report.channels[1].object.dev, 13u);
}

/// `sh` became `cat` between its calls.
TEST(Pipes, EndsHaveTheNameOfTheLastCall)
{
    Aggregator a;
    a.event(call(200, task(1, "sh"), op(true, 7, 100, 1)));
    a.event(call(300, task(1, "cat"), op(true, 7, 250, 1)));
    a.event(thread_end(400, task(1, "renamed"), 300));
    EXPECT_EQ(name(finish(a).channels.at(0).writers.at(0).task), "cat");
}

TEST(Pipes, AResultOfAnySizeIsCounted)
{
    Aggregator a;
    a.event(call(200, task(1), op(true, 7, 100, INT32_MIN)));
    a.event(call(300, task(1), op(true, 7, 250, INT32_MAX)));
    const auto row = finish(a).channels.at(0);
    EXPECT_EQ(row.writes.errors, 1u);
    EXPECT_EQ(row.writes.bytes, std::uint64_t{INT32_MAX});
}

/// A reader under `--pid`, and a writer that only holds the pipe as far as records go.
Report filtered(bool writer_traced)
{
    Aggregator a;
    source::Host host;
    host.filters = {"--pid=2"};
    a.host(host);
    a.event(event(10, task(1, "w"), IPCSCOPE_HOLDER, holder(7, false, true)));
    a.event(event(10, task(2, "r"), IPCSCOPE_HOLDER, holder(7, true, false)));
    auto stuck = call(900, task(2, "r"), op(false, 7, 100, 0, 800));
    stuck.unfinished = true;
    a.event(stuck);
    if (writer_traced) a.event(thread_end(900, task(1, "w"), 10, false));
    return finish(a);
}

TEST(Pipes, ShowWhichEndsWereTraced)
{
    const auto unseen = filtered(false).channels.at(0);
    EXPECT_TRUE(unseen.reads.traced);
    EXPECT_FALSE(unseen.writes.traced);
    EXPECT_TRUE(unseen.writers.at(0).holds_only);
    EXPECT_FALSE(unseen.writers.at(0).traced);
    const auto seen = filtered(true).channels.at(0);
    EXPECT_TRUE(seen.writes.traced);
    EXPECT_TRUE(seen.writers.at(0).traced);
}

TEST(Pipes, OfARestrictedTraceAnEndWithoutAProcessIsNotTraced)
{
    Aggregator a;
    source::Host host;
    host.command = {"cat"};
    a.host(host);
    a.event(call(900, task(2, "cat"), op(false, 7, 100, 1, 800)));
    EXPECT_FALSE(finish(a).channels.at(0).writes.traced);
    EXPECT_TRUE(finish(a).channels.at(0).reads.traced);
    Aggregator all;
    all.event(call(900, task(2, "cat"), op(false, 7, 100, 1, 800)));
    EXPECT_TRUE(finish(all).channels.at(0).writes.traced);
}

TEST(Pipes, AreBoundedAndTheRestCounted)
{
    Aggregator a;
    for (std::uint64_t inode = 1; inode <= kMostChannels + 10; ++inode)
        a.event(call(200 + inode, task(1), op(true, inode, 100, 1)));
    const auto report = finish(a);
    EXPECT_EQ(report.channels.size(), kMostChannels);
    EXPECT_EQ(report.evicted.channels, 10u);
    for (const auto& pipe : report.channels) EXPECT_GT(pipe.object.object, 10u);   // the oldest went

    Aggregator ends;
    for (std::uint32_t pid = 1; pid <= kMostChannelEnds + 3; ++pid)
        ends.event(call(200 + pid, task(pid), op(true, 7, 100, 1)));
    EXPECT_EQ(finish(ends).channels.at(0).writers.size(), kMostChannelEnds);
    EXPECT_EQ(finish(ends).evicted.channel_ends, 3u);
}

decode::Event before_trace(std::uint64_t start_ns)
{
    auto out = call(start_ns, task(1, "head"), op(true, 7, start_ns, 0));
    out.before_trace = out.unfinished = true;
    return out;
}

TEST(Pipes, ACallSleptInSinceBeforeTheTraceHasNotEnded)
{
    Aggregator a;
    a.event(before_trace(10));
    a.event(thread_end(500, task(1, "head"), 12, false, 488));
    const auto report = finish(a);
    ASSERT_EQ(report.channels.size(), 1u);
    EXPECT_EQ(report.channels[0].writes.unfinished, 1u);
    EXPECT_EQ(report.channels[0].writes.blocked_ns, 490u);
    ASSERT_EQ(report.processes.size(), 1u);
    EXPECT_EQ(report.processes[0].time.span_ns, 488u) << "counted once";
}

TEST(Pipes, OfOneThatHasRunSinceNothingIsKnown)
{
    Aggregator a;
    a.event(before_trace(10));
    decode::Slice slice{};
    slice.start_ns = 12;
    slice.end_ns = 200;
    slice.state = IPCSCOPE_STATE_INTERRUPTIBLE;
    a.event(event(200, task(1, "head"), IPCSCOPE_SLICE, slice));
    a.event(thread_end(500, task(1, "head"), 12, false, 488));
    EXPECT_TRUE(finish(a).channels.empty());
}

}  // namespace
}  // namespace ipcscope::aggregate::test
