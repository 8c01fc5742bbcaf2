// SPDX-License-Identifier: GPL-2.0-only
// Rows, their differences over an interval, and the ledger.
#include <gtest/gtest.h>

#include "aggregate/stat_report.hpp"

namespace ipcscope::aggregate {
namespace {

source::StatRow row(std::uint32_t event, std::uint64_t untimed,
                    std::initializer_list<std::uint64_t> latencies, std::uint64_t by = 0)
{
    source::StatRow row;
    row.key = {{by, 0}, event, 0};
    row.untimed = untimed;
    row.buckets.resize(IPCSCOPE_STAT_BUCKETS);
    for (const std::uint64_t ns : latencies) {
        ++row.buckets[ipcscope_stat_bucket(ns)];
        row.sum_ns += ns;
        row.min_ns = std::min(row.min_ns, ns);
        row.max_ns = std::max(row.max_ns, ns);
        row.bytes += 10;
    }
    return row;
}

constexpr std::uint32_t kRead =
    IPCSCOPE_STAT_EVENT(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_OK);
constexpr std::uint32_t kWrite =
    IPCSCOPE_STAT_EVENT(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, IPCSCOPE_STAT_CALL_OK);
constexpr std::uint32_t kSent =
    IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_GENERATE, 10, IPCSCOPE_RESULT_DELIVERED);

SafeText number(const ipcscope_stat_key& key)
{
    return SafeText::escape(std::to_string(key.by[0]));
}

TEST(StatReport, TheWholeTrace)
{
    source::Stat now;
    now.time_ns = 900;
    now.rows = {row(kWrite, 0, {70, 90}), row(kSent, 5, {}), row(kRead, 0, {1'000'003})};
    source::Stat before;
    before.time_ns = 100;
    const StatReport report = stat_report(now, before, IPCSCOPE_STAT_BY_NONE, number);
    ASSERT_EQ(report.lines.size(), 3u);   // by event
    EXPECT_EQ(report.lines[0].key.event, kSent);
    EXPECT_EQ(report.lines[0].count, 5u);
    EXPECT_EQ(report.lines[0].latency.count(), 0u);
    EXPECT_TRUE(report.lines[0].name.empty());
    EXPECT_EQ(report.lines[1].key.event, kRead);
    EXPECT_EQ(report.lines[1].latency.min(), 1'000'003u);
    EXPECT_EQ(report.lines[1].latency.max(), 1'000'003u);
    EXPECT_EQ(report.lines[2].count, 2u);
    EXPECT_EQ(report.lines[2].bytes, 20u);
    EXPECT_EQ(report.lines[2].latency.sum(), 160u);
    EXPECT_EQ(report.from_ns, 100u);
    EXPECT_EQ(report.to_ns, 900u);
    EXPECT_EQ(report.rows, 3u);
}

TEST(StatReport, AnIntervalIsADifference)
{
    source::Stat before, now;
    before.rows = {row(kWrite, 0, {70, 90}), row(kSent, 5, {})};
    now.rows = {row(kWrite, 0, {70, 90, 5'000}), row(kSent, 5, {}), row(kRead, 1, {})};
    const StatReport report = stat_report(now, before, IPCSCOPE_STAT_BY_NONE, number);
    ASSERT_EQ(report.lines.size(), 2u);   // nothing was sent in it
    EXPECT_EQ(report.lines[0].key.event, kRead);
    EXPECT_EQ(report.lines[0].count, 1u);
    EXPECT_EQ(report.lines[1].count, 1u);
    EXPECT_EQ(report.lines[1].bytes, 10u);
    EXPECT_EQ(report.lines[1].latency.sum(), 5'000u);
    EXPECT_EQ(report.lines[1].latency.max(), 5'000u);
    EXPECT_LE(report.lines[1].latency.min(), 5'000u);
    EXPECT_GE(report.lines[1].latency.min(), 4'800u);   // its bucket begins there
}

TEST(StatReport, ByAKeyTheMostComeFirst)
{
    source::Stat now;
    now.rows = {row(kWrite, 0, {1}, 7), row(kWrite, 0, {1, 2, 3}, 8), row(kRead, 2, {}, 7)};
    const StatReport report = stat_report(now, {}, IPCSCOPE_STAT_BY_PID, number);
    ASSERT_EQ(report.lines.size(), 3u);
    EXPECT_EQ(report.lines[0].name.str(), "8");
    EXPECT_EQ(report.lines[1].key.event, kRead);
    EXPECT_EQ(report.lines[2].name.str(), "7");
}

TEST(StatReport, TheLedgerHasTheRowsAsAggregated)
{
    source::Stat now;
    now.rows = {row(kWrite, 0, {1, 2}), row(kRead, 1, {})};
    now.ledger.resize(2);
    now.ledger[0].kind[IPCSCOPE_CALL_PIPE].filtered = 5;
    now.ledger[1].kind[IPCSCOPE_CALL_PIPE].filtered = 6;
    now.ledger[1].kind[IPCSCOPE_CALL_PIPE].lost[IPCSCOPE_LOST_TABLE_FULL] = 4;
    source::Stat before;
    before.ledger.resize(2);
    before.ledger[1].kind[IPCSCOPE_CALL_PIPE].filtered = 1;
    const StatReport report = stat_report(now, before, IPCSCOPE_STAT_BY_NONE, number);
    ASSERT_EQ(report.events.size(), 1u);
    EXPECT_EQ(report.events[0].kind, unsigned{IPCSCOPE_CALL_PIPE});
    EXPECT_EQ(report.events[0].aggregated, 3u);
    EXPECT_EQ(report.events[0].filtered, 10u);
    EXPECT_EQ(report.events[0].all_lost(), 4u);
    EXPECT_EQ(report.events[0].generated(), 17u);
    EXPECT_EQ(report.lost(), 4u);
}

TEST(StatReport, PairingsOfWhatWasGenerated)
{
    source::Stat stat;
    stat.signals[9].generated = 3;
    stat.signals[63].generated = 1;
    stat.signals[5].pending = 0;
    const auto pairings = stat_pairings(stat);
    ASSERT_EQ(pairings.size(), 2u);
    EXPECT_EQ(pairings[0].signal, 10u);
    EXPECT_EQ(pairings[1].signal, 64u);
}

}  // namespace
}  // namespace ipcscope::aggregate
