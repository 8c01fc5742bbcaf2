// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "aggregate/event_counts.hpp"
#include "aggregate/sort.hpp"
#include "builders.hpp"
#include "correlate/correlator.hpp"

namespace ipcscope::aggregate::test {
namespace {

decode::Event sent(std::uint64_t time_ns, decode::Task from, decode::Task to, std::uint8_t signal)
{
    decode::SignalGenerate body{};
    body.target_tgid = to.tgid;
    body.target_tid = to.tid;
    body.sig = signal;
    body.shared = 1;
    decode::Event out = event(time_ns, from, IPCSCOPE_SIGNAL_GENERATE, body);
    out.target = to;
    return out;
}

decode::Event taken(std::uint64_t time_ns, decode::Task who, std::uint8_t signal)
{
    decode::SignalTake body{};
    body.sig = signal;
    body.how = IPCSCOPE_TAKE_HANDLER;
    body.dequeued_ns = time_ns;
    return event(time_ns, who, IPCSCOPE_SIGNAL_TAKE, body);
}

/// Two processes of one name that write, one that reads and gets a signal.
StatReport counted_by(unsigned by, EventCounts::Of of = EventCounts::Of::all)
{
    EventCounts counts(by, of);
    correlate::Correlator correlator(
        [&](const correlate::Interval& interval) { counts.interval(interval); });
    decode::Event unfinished = call(900, task(3, "cat"), op(false, 7, 800, 0));
    unfinished.unfinished = true;
    decode::Thread thread{};
    thread.cgroup = 77;
    decode::Cgroup cgroup;
    cgroup.record.id = 77;
    cgroup.path = SafeText::escape("/a.slice");
    for (const decode::Event& one :
         {event(50, task(3, "cat"), IPCSCOPE_THREAD, thread),
          event(50, task(3, "cat"), IPCSCOPE_CGROUP, cgroup),
          call(200, task(1, "yes"), op(true, 7, 100, 4096)),
          call(400, task(2, "yes"), op(true, 8, 100, 4096)),
          call(500, task(3, "cat"), op(false, 7, 450, 100)),
          call(600, task(3, "cat"), op(false, 7, 550, -11)),
          sent(700, task(1, "yes"), task(3, "cat"), 10), taken(790, task(3, "cat"), 10),
          sent(800, task(1, "yes"), task(3, "cat"), 12), unfinished}) {
        counts.event(one);
        correlator.event(one);
    }
    correlator.finish(1000);
    Report report;
    report.host.start_ns = 10;
    report.end_ns = 1000;
    return counts.report(report);
}

const StatLine& line(const StatReport& report, unsigned kind, unsigned what, unsigned outcome)
{
    return *std::ranges::find_if(report.lines, [&](const StatLine& line) {
        return line.key.event == IPCSCOPE_STAT_EVENT(kind, what, outcome);
    });
}

TEST(EventCounts, ByComm)
{
    const StatReport report = counted_by(IPCSCOPE_STAT_BY_COMM);
    ASSERT_EQ(report.lines.size(), 6u);
    EXPECT_EQ(report.from_ns, 10u);
    EXPECT_EQ(report.to_ns, 1000u);
    const StatLine& first = report.lines[0];   // the most
    EXPECT_EQ(first.name.view(), "yes");
    EXPECT_EQ(first.count, 2u);
    EXPECT_EQ(first.bytes, 8192u);
    EXPECT_EQ(first.latency.max(), 300u);
    const StatLine& again =
        line(report, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_AGAIN);
    EXPECT_EQ(again.name.view(), "cat");
    EXPECT_EQ(again.count, 1u);
    EXPECT_EQ(again.bytes, 0u);
}

// Of whom it is sent to; a taking has the latency, and one that is not taken has none.
TEST(EventCounts, Signals)
{
    const StatReport report = counted_by(IPCSCOPE_STAT_BY_PID);
    const StatLine& generated = line(report, IPCSCOPE_SIGNAL_GENERATE, 12, 0);
    EXPECT_EQ(generated.key.by[0], 3u);
    EXPECT_EQ(generated.latency.count(), 0u);
    const StatLine& taking = line(report, IPCSCOPE_SIGNAL_TAKE, 10, IPCSCOPE_TAKE_HANDLER);
    EXPECT_EQ(taking.count, 1u);
    EXPECT_EQ(taking.latency.max(), 90u);
    EXPECT_EQ(taking.name.view(), "cat");
    const StatReport alone = counted_by(IPCSCOPE_STAT_BY_NONE, EventCounts::Of::signals);
    EXPECT_EQ(alone.lines.size(), 3u);
    EXPECT_TRUE(std::ranges::all_of(alone.lines, &StatLine::is_signal));
}

TEST(EventCounts, ByCgroupAndObject)
{
    const StatReport cgroups = counted_by(IPCSCOPE_STAT_BY_CGROUP);
    const StatLine& read =
        line(cgroups, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_OK);
    EXPECT_EQ(read.key.by[0], 77u);
    EXPECT_EQ(read.name.view(), "/a.slice");
    const StatReport objects = counted_by(IPCSCOPE_STAT_BY_OBJECT);
    EXPECT_EQ(std::ranges::count_if(objects.lines,
                                    [](const StatLine& line) { return line.key.by[0] == 7; }),
              3);
}

TEST(Sort, LargestFirst)
{
    StatReport stat = counted_by(IPCSCOPE_STAT_BY_COMM);
    sort(stat, SortKey::latency);
    EXPECT_TRUE(std::ranges::is_sorted(stat.lines, std::ranges::greater{},
                                       [](const StatLine& line) { return line.latency.max(); }));
    Report report;
    for (const std::uint64_t number : {2u, 9u, 5u}) {
        ChannelRow channel;
        channel.object.object = number;
        channel.writes.bytes = number;
        channel.reads.blocked_ns = 10 - number;
        channel.reads.latency.add(number % 5);
        report.channels.push_back(channel);
    }
    const auto order = [&](SortKey key) {
        sort(report, key);
        std::string text;
        for (const ChannelRow& channel : report.channels)
            text += std::to_string(channel.object.object);
        return text;
    };
    EXPECT_EQ(order(SortKey::bytes), "952");
    EXPECT_EQ(order(SortKey::waited), "259");
    EXPECT_EQ(order(SortKey::latency), "925");
    EXPECT_EQ(find_sort_key("waited"), SortKey::waited);
    EXPECT_EQ(find_sort_key("name"), std::nullopt);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
