// SPDX-License-Identifier: GPL-2.0-only
// Records as a hostile file may have them, through all stages of which this one is
// the last: whatever they say, each generation ends once, and each taking ends one or
// is an orphan.  Run it under the sanitizers.
#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "../decode/records.hpp"
#include "base/collector.hpp"
#include "correlate/correlator.hpp"
#include "decode/decode.hpp"
#include "decode/merge.hpp"
#include "decode/thread_table.hpp"
#include "decode/time.hpp"

namespace ipcscope::correlate {
namespace {

using ipcscope::test::Record;

/// Few numbers, so that records meet; and the ends of every range.
class Random {
public:
    explicit Random(std::uint32_t seed) : random_(seed) {}

    unsigned below(unsigned count) { return static_cast<unsigned>(random_()) % count; }
    std::uint64_t number()
    {
        constexpr std::uint64_t kEnds[] = {
            0, 1, INT32_MAX, 1ULL << 31, UINT32_MAX, INT64_MAX, 1ULL << 63, UINT64_MAX};
        switch (below(4)) {
        case 0: return kEnds[below(std::size(kEnds))];
        case 1: return (std::uint64_t{random_()} << 32) | random_();
        default: return below(8);
        }
    }

private:
    std::mt19937 random_;
};

std::uint64_t value_for(Random& random, const decode::Field& field)
{
    switch (field.meaning) {
    case decode::Meaning::SIGNAL: return 1 + random.below(random.below(3) ? 20 : 64);
    case decode::Meaning::BOOL: return random.below(2);
    case decode::Meaning::STATE: return random.below(IPCSCOPE_STATE_COUNT);
    case decode::Meaning::ORIGIN: return random.below(IPCSCOPE_ORIGIN_COUNT);
    case decode::Meaning::RESULT: return random.below(2) ? 0 : random.below(5);
    case decode::Meaning::DISPOSITION: return random.below(IPCSCOPE_DISPOSITION_COUNT);
    case decode::Meaning::TAKE: return random.below(IPCSCOPE_TAKE_COUNT);
    case decode::Meaning::GROUP: return random.below(IPCSCOPE_GROUP_COUNT);
    case decode::Meaning::REASON: return random.below(IPCSCOPE_THREAD_REASON_COUNT);
    case decode::Meaning::OBJECT: return random.below(IPCSCOPE_OBJECT_COUNT);
    case decode::Meaning::OP: return random.below(IPCSCOPE_OP_COUNT);
    case decode::Meaning::CALL: return random.below(2) ? 0 : IPCSCOPE_CALL_FIRST;
    case decode::Meaning::DEPTH: return random.below(IPCSCOPE_STACK_DEPTH + 1);
    default: return random.number();
    }
}

/// A record whose fields say anything; one in eight is damaged besides.
Record any_record(Random& random, std::uint64_t now)
{
    const unsigned kind = test::kKinds[random.below(2) ? random.below(7)
                                                       : random.below(std::size(test::kKinds))];
    Record record = test::is_call(kind) && random.below(2) ? test::short_call(kind)
                                                           : test::record_of(kind);
    for (const decode::Field& field : decode::fields_of(kind))
        for (std::size_t i = 0; i < field.count; ++i) {
            const std::size_t at = field.offset + i * field.size;
            if (at + field.size > record.size()) continue;
            const std::uint64_t value = value_for(random, field);
            std::memcpy(record.data() + at, &value, field.size);
        }
    ipcscope_header header;
    std::memcpy(&header, record.data(), sizeof header);
    header.time_ns = random.below(20) ? now : random.number();
    header.lost_before = random.below(30) ? 0 : random.number();
    header.tgid = 1 + random.below(4);
    header.tid = random.below(2) ? header.tgid : header.tgid + random.below(3);
    header.cpu = static_cast<std::uint16_t>(random.below(4));
    header.flags = static_cast<std::uint16_t>(random.below(4));
    std::memcpy(record.data(), &header, sizeof header);
    if (random.below(8) == 0)
        record[random.below(static_cast<unsigned>(record.size()))] ^=
            static_cast<std::byte>(1u << random.below(8));
    return record;
}

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
    Random random{seed};
    std::uint64_t now = 1000;
    for (std::size_t i = 0; i < records; ++i) {
        const Record record = any_record(random, now += random.below(100));
        if (auto decoded = decode::decode(kCollectorCpu, record))
            merger.add(std::move(decoded->event));
        if (i % 16 == 0) merger.watermark(now);
    }
    merger.flush();
    correlator.finish(now);
    return counts;
}

std::size_t how_many()
{
    const char* wanted = std::getenv("IPCSCOPE_HOSTILE_RECORDS");
    return wanted ? std::strtoull(wanted, nullptr, 10) : 20'000;
}

TEST(Hostile, EachGenerationEndsOnceAndEachTakingCounts)
{
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        const Counts counts = run(seed, how_many() / 4);
        EXPECT_GT(counts.generations, how_many() / 100);
        EXPECT_EQ(counts.signals, counts.generations);
        EXPECT_LE(counts.open_kills, counts.kills);
        EXPECT_GE(counts.ended_by_takings + counts.orphans, counts.takings);
    }
}

}  // namespace
}  // namespace ipcscope::correlate
