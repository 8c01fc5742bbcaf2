// SPDX-License-Identifier: GPL-2.0-only
// Bytes in, report out.
#include <cstring>

#include <gtest/gtest.h>

#include "aggregate/pipeline.hpp"
#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

using Bytes = std::vector<std::byte>;

template <typename Record>
void put(Bytes& out, Record record, unsigned kind, std::uint64_t time_ns,
         std::uint32_t tgid, unsigned cpu)
{
    record.header.time_ns = time_ns;
    record.header.tgid = record.header.tid = tgid;
    record.header.kind = static_cast<std::uint16_t>(kind);
    record.header.cpu = static_cast<std::uint16_t>(cpu);
    record.header.size = sizeof record;
    std::memcpy(record.header.comm, "name", 4);
    const auto at = out.size();
    out.resize(at + sizeof record);
    std::memcpy(out.data() + at, &record, sizeof record);
}

ipcscope_signal_generate generated()
{
    ipcscope_signal_generate record{};
    record.target_tgid = record.target_tid = 2;
    record.sig = 10;
    record.shared = 1;
    return record;
}

ipcscope_signal_dequeue dequeued()
{
    ipcscope_signal_dequeue record{};
    record.sig = 10;
    return record;
}

source::Ledger ledger_of(std::uint64_t generates, std::uint64_t dequeues)
{
    source::Ledger ledger(2);
    ledger[0].kind[IPCSCOPE_SIGNAL_GENERATE].emitted = generates;
    ledger[1].kind[IPCSCOPE_SIGNAL_DEQUEUE].emitted = dequeues;
    return ledger;
}

TEST(Analyses, MergeTheCpusBeforeTheyMatch)
{
    Analysis analysis;
    source::Host host;
    host.kernel = "6.12";
    ASSERT_TRUE(analysis.host(host));
    Bytes late, early;
    put(late, dequeued(), IPCSCOPE_SIGNAL_DEQUEUE, 200, 2, 1);
    put(early, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    ASSERT_TRUE(analysis.records(1, late));      // before its cause
    ASSERT_TRUE(analysis.records(0, early));
    ASSERT_TRUE(analysis.watermark(1000));
    ASSERT_TRUE(analysis.ledger(ledger_of(1, 1)));
    ASSERT_TRUE(analysis.end(5000));
    const auto report = analysis.report();
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.host.kernel, "6.12");
    EXPECT_EQ(report.end_ns, 5000u);
    ASSERT_EQ(report.signals.size(), 1u);
    EXPECT_EQ(report.signals[0].accepted, 1u);
    EXPECT_EQ(report.signals[0].latency.max(), 100u);
    EXPECT_EQ(report.signals[0].sender.comm.str(), "name");
    EXPECT_TRUE(report.loss.exact);
    EXPECT_EQ(report.loss.generated, 2u);
}

TEST(Analyses, StepOverWhatTheyCannotDecode)
{
    Analysis analysis;
    Bytes bytes;
    auto bad = generated();
    bad.sig = 200;
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    put(bytes, bad, IPCSCOPE_SIGNAL_GENERATE, 110, 1, 0);
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 120, 1, 0);
    ASSERT_TRUE(analysis.records(0, bytes));
    ASSERT_TRUE(analysis.ledger(ledger_of(3, 0)));
    ASSERT_TRUE(analysis.end(5000));
    const auto report = analysis.report();
    EXPECT_EQ(report.loss.malformed, 1u);
    EXPECT_EQ(report.loss.shown, 2u);
    EXPECT_TRUE(report.loss.exact);
}

TEST(Analyses, StopWhereThereIsNoWayOn)
{
    Analysis analysis;
    Bytes bytes;
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    bytes.resize(bytes.size() + 60);              // zeros: a header of size 0
    ASSERT_TRUE(analysis.records(0, bytes));
    const auto report = analysis.report();
    EXPECT_EQ(report.loss.shown, 1u);
    EXPECT_EQ(report.loss.malformed, 1u);
    EXPECT_FALSE(report.complete);
    EXPECT_FALSE(report.loss.exact);
    EXPECT_EQ(report.end_ns, 100u);               // the last that was seen
}

TEST(Analyses, AReasonMakesThemIncomplete)
{
    Analysis analysis;
    ASSERT_TRUE(analysis.end(50));
    const auto report = analysis.report("damaged at byte 12");
    EXPECT_FALSE(report.complete);
    EXPECT_EQ(report.incomplete_why, "damaged at byte 12");
}

TEST(Analyses, ShowTheObserverEverythingInOrder)
{
    std::vector<std::uint64_t> times;
    std::vector<std::size_t> intervals;
    Analysis analysis({[&](const decode::Event& e) { times.push_back(e.time_ns); },
                       [&](const correlate::Interval& i) { intervals.push_back(i.index()); }});
    Bytes late, early;
    put(late, dequeued(), IPCSCOPE_SIGNAL_DEQUEUE, 200, 2, 1);
    put(early, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    ASSERT_TRUE(analysis.records(1, late));
    ASSERT_TRUE(analysis.records(0, early));
    analysis.report();
    EXPECT_EQ(times, (std::vector<std::uint64_t>{100, 200}));
    EXPECT_EQ(intervals, std::vector<std::size_t>{0});
}

TEST(Analyses, LateEventsAreCounted)
{
    Analysis analysis;
    Bytes first, second;
    put(first, dequeued(), IPCSCOPE_SIGNAL_DEQUEUE, 200, 2, 1);
    put(second, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    ASSERT_TRUE(analysis.records(1, first));
    ASSERT_TRUE(analysis.watermark(300));
    ASSERT_TRUE(analysis.records(0, second));
    const auto report = analysis.report();
    EXPECT_EQ(report.loss.late, 1u);
    EXPECT_EQ(report.signals.at(0).accepted, 1u);   // and matched all the same
}

}  // namespace
}  // namespace ipcscope::aggregate::test
