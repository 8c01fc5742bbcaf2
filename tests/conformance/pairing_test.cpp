// SPDX-License-Identifier: GPL-2.0-only
// From a generation to its end, one for one.
#include <csignal>

#include <gtest/gtest.h>

#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class Pairing : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({}, "signal_pairs");
        return trace;
    }

    /// `count` queued in order, and taken one for one in that order, by `how`.
    static void expect_pairs(const std::string& name, unsigned signal, std::size_t count,
                             unsigned how)
    {
        const auto& facts = trace().facts;
        const std::uint64_t director = facts.at("director"), target = facts.at(name);
        const auto made = generated(trace().capture, director, target, signal);
        const auto takings = taken(trace().capture, target, signal, how);
        ASSERT_EQ(made.size(), count);
        ASSERT_EQ(takings.size(), count);
        for (std::size_t i = 0; i < count; i++) {
            EXPECT_EQ(made[i]->value, 1000 + i);
            EXPECT_EQ(takings[i]->value, 1000 + i);
            EXPECT_EQ(takings[i]->sender_pid, director);
            EXPECT_LT(made[i].event->time_ns, takings[i]->dequeued_ns);
        }
    }

    static Json row(const std::string& name, unsigned signal)
    {
        const auto& facts = trace().facts;
        return signal_row(trace().report, facts.at("director"), facts.at(name), signal);
    }
};

TEST_F(Pairing, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

/// The latency of each pair, from the records, against the report's.
TEST_F(Pairing, NinetySevenQueuedToAHandler)
{
    expect_pairs("rt-handler", 34, 97, IPCSCOPE_TAKE_HANDLER);
    const auto& facts = trace().facts;
    const auto made = generated(trace().capture, facts.at("director"), facts.at("rt-handler"), 34);
    const auto ends = taken(trace().capture, facts.at("rt-handler"), 34);
    ASSERT_EQ(ends.size(), 97u);
    std::uint64_t sum = 0, shortest = UINT64_MAX, longest = 0;
    for (std::size_t i = 0; i < 97; i++) {
        const std::uint64_t latency = ends[i].event->time_ns - made[i].event->time_ns;
        sum += latency;
        shortest = std::min(shortest, latency);
        longest = std::max(longest, latency);
    }
    const Json report = row("rt-handler", 34);
    EXPECT_EQ(report["outcomes"]["delivered"], 97);
    EXPECT_EQ(report["ends"]["handler"], 97);
    EXPECT_EQ(report["latency_ns"]["count"], 97);
    EXPECT_EQ(report["latency_ns"]["sum"], sum);
    EXPECT_EQ(report["latency_ns"]["min"], shortest);
    EXPECT_EQ(report["latency_ns"]["max"], longest);
}

TEST_F(Pairing, Sigwait)
{
    expect_pairs("rt-sigwait", 35, 11, IPCSCOPE_TAKE_SIGWAIT);
    EXPECT_EQ(taken(trace().capture, trace().facts.at("rt-sigwait"), 35).size(), 11u);
    EXPECT_EQ(row("rt-sigwait", 35)["ends"]["sigwait"], 11);
    EXPECT_EQ(row("rt-sigwait", 35)["latency_ns"]["count"], 11);
}

/// The kernel keeps the mask elsewhere while the thread sleeps: it is not blocked, nor does it
/// end the process.
TEST_F(Pairing, ASignalForASleeperInSigwaitIsNotFatal)
{
    const auto& facts = trace().facts;
    const auto made = generated(trace().capture, facts.at("director"), facts.at("in-sigwait"), SIGQUIT);
    ASSERT_EQ(made.size(), 1u);
    EXPECT_EQ(made[0]->disposition, IPCSCOPE_DISPOSITION_DEFAULT);
    EXPECT_FALSE(made[0]->blocked);
    EXPECT_FALSE(made[0]->fatal);
}

TEST_F(Pairing, Signalfd)
{
    expect_pairs("rt-signalfd", 36, 7, IPCSCOPE_TAKE_SIGNALFD);
    EXPECT_EQ(row("rt-signalfd", 36)["ends"]["signalfd"], 7);
}

TEST_F(Pairing, NeverTaken)
{
    EXPECT_EQ(row("rt-never", 37)["outcomes"]["delivered"], 5);
    EXPECT_EQ(row("rt-never", 37)["unmatched"]["target_exited"], 5);
    EXPECT_EQ(row("rt-never", 37)["latency_ns"]["count"], 0);
}

/// Every row of the report adds up.
TEST_F(Pairing, RowsAreConserved)
{
    for (const Json& one : trace().report["signals"]) {
        const auto n = [&](const char* a, const char* b) { return one[a][b].get<std::uint64_t>(); };
        EXPECT_EQ(n("outcomes", "delivered") + n("outcomes", "info_lost"),
                  n("latency_ns", "count") + n("unmatched", "pending") +
                      n("unmatched", "target_exited") + n("unmatched", "unseen") +
                      n("unmatched", "flushed") + n("unmatched", "discarded"))
            << one.dump();
    }
}

}  // namespace
}  // namespace ipcscope::conformance
