// SPDX-License-Identifier: GPL-2.0-only
// Bytes in, report out.
#include <cstring>
#include <string_view>

#include <gtest/gtest.h>

#include "aggregate/analysis.hpp"
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

ipcscope_signal_take taken(std::uint64_t dequeued_ns)
{
    ipcscope_signal_take record{};
    record.dequeued_ns = dequeued_ns;
    record.sig = 10;
    record.how = IPCSCOPE_TAKE_SIGWAIT;
    return record;
}

ipcscope_thread thread(std::string_view comm)
{
    ipcscope_thread record{};
    std::memcpy(record.comm, comm.data(), comm.size());
    return record;
}

source::Ledger ledger_of(std::uint64_t generates, std::uint64_t takes)
{
    source::Ledger ledger(2);
    ledger[0].kind[IPCSCOPE_SIGNAL_GENERATE].emitted = generates;
    ledger[1].kind[IPCSCOPE_SIGNAL_TAKE].emitted = takes;
    return ledger;
}

TEST(Analyses, MergeTheCpusBeforeTheyMatch)
{
    Analysis analysis;
    source::Host host;
    host.kernel = "6.12";
    ASSERT_TRUE(analysis.host(host));
    Bytes late, early;
    put(late, taken(200), IPCSCOPE_SIGNAL_TAKE, 200, 2, 1);
    put(early, thread("bash"), IPCSCOPE_THREAD, 100, 1, 0);
    put(early, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    put(early, thread("sleep"), IPCSCOPE_THREAD, 150, 1, 0);
    ASSERT_TRUE(analysis.records(1, late));      // before its cause
    ASSERT_TRUE(analysis.records(0, early));
    ASSERT_TRUE(analysis.watermark(1000));
    auto ledger = ledger_of(1, 1);
    ledger[0].kind[IPCSCOPE_THREAD].emitted = 2;
    ASSERT_TRUE(analysis.ledger(ledger));
    ASSERT_TRUE(analysis.end(5000));
    const auto report = analysis.report();
    EXPECT_TRUE(report.complete);
    EXPECT_EQ(report.host.kernel, "6.12");
    EXPECT_EQ(report.end_ns, 5000u);
    ASSERT_EQ(report.signals.size(), 1u);
    EXPECT_EQ(report.signals[0].at(End::sigwait), 1u);
    EXPECT_EQ(report.signals[0].latency.max(), 100u);
    EXPECT_EQ(name(report.signals[0].sender), "bash");   // as it was called then
    EXPECT_TRUE(report.loss.exact);
    EXPECT_EQ(report.loss.generated, 4u);
}

TEST(Analyses, GiveAReportWhileTheTraceRuns)
{
    Analysis analysis;
    Bytes bytes;
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    put(bytes, taken(150), IPCSCOPE_SIGNAL_TAKE, 200, 2, 0);
    ASSERT_TRUE(analysis.records(0, bytes));
    EXPECT_TRUE(analysis.snapshot().signals.empty());
    ASSERT_TRUE(analysis.watermark(1000));
    const auto now = analysis.snapshot();
    EXPECT_EQ(now.signals.at(0).at(End::sigwait), 1u);
    EXPECT_FALSE(now.complete);
    EXPECT_EQ(now.end_ns, 200u);
    ASSERT_TRUE(analysis.ledger(ledger_of(1, 0)));
    ASSERT_TRUE(analysis.end(5000));
    EXPECT_EQ(analysis.report().signals.at(0).at(End::sigwait), 1u);   // it took nothing away
}

/// `record -- sh -c "kill -USR1 2"`: the live line says so, too.
TEST(Analyses, SayNothingOfTargetsOutsideTheTrace)
{
    std::vector<End> ends;
    Analysis analysis({{}, [&](const correlate::Interval& found) {
                           ends.push_back(std::get<correlate::SignalInterval>(found).end);
                       }});
    source::Host host;
    host.command = {"sh"};
    ASSERT_TRUE(analysis.host(host));
    Bytes bytes;
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    ASSERT_TRUE(analysis.records(0, bytes));
    ASSERT_TRUE(analysis.end(5000));
    const auto row = analysis.report().signals.at(0);
    EXPECT_EQ(row.at(End::outside), 1u);
    EXPECT_EQ(row.at(End::pending), 0u);
    EXPECT_EQ(ends, std::vector<End>{End::outside});
}

TEST(EventStreams, NameTheEventsAndMatchNothing)
{
    std::vector<std::string> names;
    EventStream stream([&](const decode::Event& e) { names.push_back(name(e.task)); });
    Bytes bytes;
    put(bytes, thread("a"), IPCSCOPE_THREAD, 100, 1, 0);
    put(bytes, generated(), IPCSCOPE_SIGNAL_GENERATE, 110, 1, 0);
    ASSERT_TRUE(stream.records(0, bytes));
    stream.flush();
    EXPECT_EQ(names, (std::vector<std::string>{"a", "a"}));
    EXPECT_EQ(stream.end_ns(), 110u);
    EXPECT_FALSE(stream.ended());
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
    put(late, taken(200), IPCSCOPE_SIGNAL_TAKE, 200, 2, 1);
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
    put(first, taken(200), IPCSCOPE_SIGNAL_TAKE, 200, 2, 1);
    put(second, generated(), IPCSCOPE_SIGNAL_GENERATE, 100, 1, 0);
    ASSERT_TRUE(analysis.records(1, first));
    ASSERT_TRUE(analysis.watermark(300));
    ASSERT_TRUE(analysis.records(0, second));
    const auto report = analysis.report();
    EXPECT_EQ(report.loss.late, 1u);
    EXPECT_EQ(report.signals.size(), 1u);   // and reported all the same
}

}  // namespace
}  // namespace ipcscope::aggregate::test
