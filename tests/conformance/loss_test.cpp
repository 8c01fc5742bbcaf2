// SPDX-License-Identifier: GPL-2.0-only
// Loss is exact: what the rings could not take is counted, by cause and place.
#include <algorithm>
#include <cstdlib>

#include <time.h>

#include <gtest/gtest.h>

#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

std::uint64_t passed(const Capture& capture, unsigned kind)
{
    return capture.decoded[kind] + capture.lost(kind);
}

void expect_gaps_add_up(const Trace& trace)
{
    // The last record of each CPU was made after the last loss.
    for (const auto& [cpu, before] : trace.capture.last_lost) {
        EXPECT_EQ(before, trace.capture.ledger.at(cpu).lost) << "CPU " << cpu;
    }
    for (std::size_t cpu = 0; cpu < trace.capture.ledger.size(); cpu++) {
        std::uint64_t sum = 0;
        for (const ipcscope_tally& tally : trace.capture.ledger[cpu].kind) {
            for (std::uint64_t lost : tally.lost) {
                sum += lost;
            }
        }
        EXPECT_EQ(sum, trace.capture.ledger[cpu].lost) << "CPU " << cpu;
    }
}

void expect_only_ring_full(const Capture& capture)
{
    EXPECT_GT(capture.lost(), 0u);
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        EXPECT_EQ(capture.lost(kind), capture.lost(kind, IPCSCOPE_LOST_RING_FULL)) << kind;
    }
}

/// With both CPUs at their limit a hook is skipped now and then; it counts under its
/// own cause.  A ring is busy to an NMI only.
void expect_mostly_ring_full(const Capture& capture)
{
    std::uint64_t others = 0;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        const std::uint64_t skipped = capture.lost(kind, IPCSCOPE_LOST_RECURSION);
        EXPECT_EQ(capture.lost(kind), capture.lost(kind, IPCSCOPE_LOST_RING_FULL) + skipped)
            << kind;
        others += skipped;
    }
    EXPECT_LE(others * 100, capture.lost());
}

void expect_ring_full(std::uint64_t trips, std::uint64_t signals)
{
    const Trace trace =
        record_workload({"--ring-size", "4"}, "overload",
                        {std::to_string(trips), std::to_string(signals)});
    expect_exact(trace);
    expect_only_ring_full(trace.capture);
    EXPECT_EQ(passed(trace.capture, IPCSCOPE_CALL_PIPE), 2 * (trips + 10));
    // Itself, the collector stopped and continued, and the end of the command.
    EXPECT_EQ(passed(trace.capture, IPCSCOPE_SIGNAL_GENERATE), signals + 3);
    expect_gaps_add_up(trace);
    const std::string said = trace.record.err;
    EXPECT_NE(said.find("ring_full"), std::string::npos) << said;
}

TEST(Loss, RingFull) { expect_ring_full(997, 997); }

/// BPF's ring never takes its last byte: after 7 round trips and 29 signals to
/// itself, beside the one to the collector, the next record would fit but for that.
TEST(Loss, RingFullButForOneRecord)
{
    constexpr unsigned kHeader = 8, kRing = 4096;
    static_assert(7 * 2 * (sizeof(ipcscope_call) + kHeader) +
                      30 * (sizeof(ipcscope_signal_generate) + kHeader) ==
                  kRing);
    expect_ring_full(7, 997);
}

TEST(Loss, ExitStatus)
{
    const Trace trace = record({"--ring-size", "4", "--on-loss", "exit"},
                               workload_words("overload", {"101", "101"}));
    EXPECT_EQ(trace.record.status, 5) << trace.record.err;
    expect_exact(trace);
}

/// A kernel that preempts programs skips them for other tasks of that CPU meanwhile.
TEST(Loss, ExitsAtOnce)
{
    const Trace trace = record_workload({}, "exit_together", {"97"});
    expect_lossless(trace);
    // The children and the command itself.
    EXPECT_EQ(trace.facts.at("exits"), 97u * 7);
    EXPECT_GE(trace.capture.decoded[IPCSCOPE_THREAD_EXIT], 97u * 7);
    EXPECT_EQ(trace.capture.threads_ended(), 97u * 7 + 1);
    expect_time_ledgers(trace);
}

/// Two CPUs as fast as they can; the collector stands still for a part of it.
TEST(Loss, Flood)
{
    const char* given = std::getenv("IPCSCOPE_FLOOD_SECONDS");
    const unsigned seconds = given ? static_cast<unsigned>(std::atoi(given)) : 30;
    const std::string directory = scratch();
    Trace trace;
    trace.file = directory + "/trace.ipcs";
    Settings settings;
    settings.facts = directory + "/facts";
    Words words{"record", "-o", trace.file, "--ring-size", "1024", "--"};
    for (const std::string& word :
         workload_words("flood", {std::to_string(seconds), std::to_string(std::min(5u, seconds / 3))})) {
        words.push_back(word);
    }
    Process record(ipcscope_words(words), settings);
    std::vector<std::uint64_t> rss;
    while (record.running()) {
        if (const std::uint64_t now = record.rss_kib()) {
            rss.push_back(now);
        }
        const timespec nap{0, 250'000'000};
        nanosleep(&nap, nullptr);
        ASSERT_LT(rss.size(), seconds * 4 + 600) << "it hangs";
    }
    trace.record = record.wait();
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    trace.facts = Facts::load(settings.facts);
    analyse(trace, false);
    EXPECT_EQ(trace.capture.incomplete_why, "");
    expect_exact(trace);
    expect_gaps_add_up(trace);
    expect_mostly_ring_full(trace.capture);

    const std::uint64_t rounds = trace.facts.at("flood", 1) + trace.facts.at("flood", 2);
    EXPECT_GT(rounds, 100u);
    EXPECT_EQ(passed(trace.capture, IPCSCOPE_CALL_PIPE), 2 * (4 * rounds + 10));
    // Two a round; the collector stopped and continued; three ended children.
    EXPECT_EQ(passed(trace.capture, IPCSCOPE_SIGNAL_GENERATE), 2 * rounds + 5);
    EXPECT_EQ(passed(trace.capture, IPCSCOPE_SIGNAL_TAKE), rounds);

    // Flat: what it has after a quarter of the time, it has at the end.
    ASSERT_GT(rss.size(), 8u);
    const auto quarter = rss.begin() + static_cast<std::ptrdiff_t>(rss.size() / 4);
    const std::uint64_t early = *std::max_element(rss.begin(), quarter);
    const std::uint64_t late = *std::max_element(quarter, rss.end());
    EXPECT_LE(late, early + 4096) << "KiB";
    EXPECT_LE(late, 96u << 10) << "KiB";
    RecordProperty("rounds", std::to_string(rounds));
    RecordProperty("lost", std::to_string(trace.capture.lost()));
    RecordProperty("rss_kib", std::to_string(late));
}

}  // namespace
}  // namespace ipcscope::conformance
