// SPDX-License-Identifier: GPL-2.0-only
#include <numeric>

#include <gtest/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

void show(Aggregator& a, unsigned count)
{
    for (unsigned i = 0; i < count; ++i)
        a.event(event(i, task(1), IPCSCOPE_SIGNAL_TAKE, decode::SignalTake{}));
}

source::Ledger ledger_of(std::uint64_t emitted)
{
    source::Ledger ledger(3);
    ledger[0].kind[IPCSCOPE_SIGNAL_TAKE].emitted = emitted / 2;
    ledger[2].kind[IPCSCOPE_SIGNAL_TAKE].emitted = emitted - emitted / 2;
    return ledger;
}

std::uint64_t lost(const LossLedger& loss)
{
    return std::accumulate(loss.lost.begin(), loss.lost.end(), std::uint64_t{0});
}

/// generated, shown, filtered, lost
using Row = std::array<std::uint64_t, 4>;
Row row(const LossLedger& loss, unsigned kind)
{
    const KindLoss& of = loss.kinds.at(kind);
    return {of.generated, of.shown, of.filtered, of.lost};
}

TEST(Loss, IsExactWhereEveryRecordWasShown)
{
    Aggregator a;
    show(a, 5);
    a.event(event(9, {}, IPCSCOPE_SYMBOL, decode::Symbol{}));   // beside the ledger
    decode::Thread sweep{};
    sweep.reason = IPCSCOPE_THREAD_SWEEP;
    a.event(event(9, task(7), IPCSCOPE_THREAD, sweep));          // the collector's, too
    auto ledger = ledger_of(5);
    ledger[1].kind[IPCSCOPE_SIGNAL_TAKE].filtered = 4;
    ledger[1].kind[IPCSCOPE_CALL_PIPE].lost[IPCSCOPE_LOST_RING_FULL] = 7;
    const auto loss = finish(a, ledger).loss;
    EXPECT_TRUE(loss.exact);
    EXPECT_EQ(loss.shown, 5u);
    EXPECT_EQ(loss.filtered, 4u);
    EXPECT_EQ(lost(loss), 7u);
    EXPECT_EQ(loss.generated, 16u);
    ASSERT_EQ(loss.by_cpu.size(), 1u);
    EXPECT_EQ(loss.by_cpu[0].cpu, 1u);
    EXPECT_EQ(loss.by_cpu[0].cause, unsigned{IPCSCOPE_LOST_RING_FULL});
    EXPECT_EQ(loss.by_cpu[0].kind, unsigned{IPCSCOPE_CALL_PIPE});
    EXPECT_EQ(loss.by_cpu[0].count, 7u);
    EXPECT_EQ(row(loss, IPCSCOPE_SIGNAL_TAKE), (Row{9, 5, 4, 0}));
    EXPECT_EQ(row(loss, IPCSCOPE_CALL_PIPE), (Row{7, 0, 0, 7}));
}

TEST(Loss, DamagedRecordsAreACause)
{
    Aggregator a;
    show(a, 5);
    a.malformed();
    a.malformed();
    const auto loss = finish(a, ledger_of(7)).loss;
    EXPECT_TRUE(loss.exact);
    EXPECT_EQ(loss.malformed, 2u);
    EXPECT_EQ(loss.lost.at(IPCSCOPE_LOST_DAMAGED), 2u);
    EXPECT_EQ(loss.generated, 7u);
    EXPECT_EQ(row(loss, IPCSCOPE_SIGNAL_TAKE), (Row{7, 5, 0, 2}));
}

TEST(Loss, IsNotExactWhereTheLedgerDoesNotFit)
{
    struct Case {
        unsigned shown;
        unsigned malformed;
        std::uint64_t emitted;
        bool complete;
    };
    // Fewer than emitted, more than emitted, damage that explains too little or
    // too much, a capture without an end.
    for (const auto& c : {Case{4, 0, 5, true}, Case{6, 0, 5, true}, Case{3, 1, 5, true},
                          Case{5, 1, 5, true}, Case{5, 0, 5, false}}) {
        Aggregator a;
        show(a, c.shown);
        for (unsigned i = 0; i < c.malformed; ++i) a.malformed();
        const auto loss = finish(a, ledger_of(c.emitted), c.complete).loss;
        EXPECT_FALSE(loss.exact);
        EXPECT_EQ(loss.generated, c.shown + c.malformed);   // what is known
        EXPECT_EQ(loss.generated, loss.shown + loss.filtered + lost(loss));
    }
}

TEST(Loss, AKindInExcessIsNotMadeUpForByAnother)
{
    Aggregator a;
    show(a, 5);
    auto ledger = ledger_of(4);
    ledger[0].kind[IPCSCOPE_SLICE].emitted = 1;
    EXPECT_FALSE(finish(a, ledger).loss.exact);
}

TEST(Loss, WithoutALedgerNothingIsExact)
{
    Aggregator a;
    show(a, 2);
    const auto loss = finish(a).loss;
    EXPECT_FALSE(loss.exact);
    EXPECT_EQ(loss.generated, 2u);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
