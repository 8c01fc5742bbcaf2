// SPDX-License-Identifier: GPL-2.0-only
// Records as a hostile file may have them, through all stages of which this one is
// the last: whatever they say, each generation ends once, and each taking ends one or
// is an orphan.  Run it under the sanitizers.
#include <gtest/gtest.h>

#include "../decode/hostile.hpp"
#include "base/collector.hpp"
#include "correlate/correlator.hpp"
#include "decode/decode.hpp"
#include "decode/merge.hpp"
#include "decode/thread_table.hpp"
#include "decode/time.hpp"

namespace ipcscope::correlate {
namespace {

struct Counts {
    std::size_t generations = 0, takings = 0, kills = 0;      // records
    std::size_t signals = 0, orphans = 0, open_kills = 0;     // intervals
    std::size_t ended_by_takings = 0;
};

/// As time.hpp promises; the sums would trap under the sanitizers if they overflowed.
void check_times(const decode::Event& event)
{
    const auto check = [](const decode::Between& time) {
        ASSERT_EQ(time.running_ns + time.runnable_ns + time.sleeping_ns + time.polling_ns +
                      time.uninterruptible_ns + time.killable_ns + time.other_ns,
                  time.span_ns);
    };
    if (const auto* call = std::get_if<decode::Call>(&event.body)) {
        check(decode::between(*call));
        const auto inside = decode::inside(event, *call);
        ASSERT_EQ(inside.running_ns + inside.runnable_ns + inside.blocked_ns +
                      inside.uninterruptible_ns,
                  inside.span_ns);
    }
    if (const auto* thread = std::get_if<decode::ThreadTime>(&event.body))
        check(decode::between(event, *thread));
}

Counts run(std::uint32_t seed, std::size_t records)
{
    Counts counts;
    Correlator correlator([&](const Interval& interval) {
        if (const auto* signal = std::get_if<SignalInterval>(&interval)) {
            ++counts.signals;
            counts.ended_by_takings += signal->matched() || signal->end == End::discarded;
            if (signal->matched()) {
                ASSERT_GE(signal->ended_ns, signal->generated_ns);
            }
        } else if (std::holds_alternative<Orphan>(interval)) {
            ++counts.orphans;
        } else {
            ++counts.open_kills;
        }
    });
    decode::ThreadTable threads;
    decode::Merger merger([&](const decode::Event& from) {
        decode::Event event = from;
        threads.stamp(event);
        ASSERT_NO_FATAL_FAILURE(check_times(event));
        counts.generations += event.kind == IPCSCOPE_SIGNAL_GENERATE;
        counts.takings += event.kind == IPCSCOPE_SIGNAL_TAKE;
        counts.kills += event.kind == IPCSCOPE_KILL;
        correlator.event(event);
    });
    test::Random random{seed};
    std::uint64_t now = 1000;
    for (std::size_t i = 0; i < records; ++i) {
        const test::Record record = test::any_record(random, now += random.below(100));
        if (auto decoded = decode::decode(kCollectorCpu, record))
            merger.add(std::move(decoded->event));
        if (i % 16 == 0) merger.watermark(now);
    }
    merger.flush();
    correlator.finish(now);
    return counts;
}

TEST(Hostile, EachGenerationEndsOnceAndEachTakingCounts)
{
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        const Counts counts = run(seed, test::hostile_records() / 4);
        EXPECT_GT(counts.generations, test::hostile_records() / 100);
        EXPECT_EQ(counts.signals, counts.generations);
        EXPECT_LE(counts.open_kills, counts.kills);
        EXPECT_GE(counts.ended_by_takings + counts.orphans, counts.takings);
    }
}

}  // namespace
}  // namespace ipcscope::correlate
