// SPDX-License-Identifier: GPL-2.0-only
#include "decode/merge.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/collector.hpp"

namespace ipcscope::decode {
namespace {

struct Seen {
    std::uint64_t time;
    unsigned id;
    friend bool operator==(const Seen&, const Seen&) = default;
};

/// Events carry their number in the order of arrival as tid.
struct Fixture {
    std::vector<Seen> seen;
    unsigned arrivals = 0;
    Merger merger{[this](const Event& event) {
        seen.push_back({event.time_ns, event.task.tid});
    }};

    void add(std::uint64_t time, unsigned cpu = 0)
    {
        Event event;
        event.time_ns = time;
        event.cpu = cpu;
        event.task.tid = arrivals++;
        merger.add(std::move(event));
    }
};

TEST(Merger, HoldsBackUntilTheWatermark)
{
    Fixture f;
    f.add(30);
    f.add(10);
    f.add(20);
    EXPECT_TRUE(f.seen.empty());
    EXPECT_EQ(f.merger.held(), 3U);
    f.merger.watermark(20);  // older than 20, not 20 itself
    EXPECT_EQ(f.seen, (std::vector<Seen>{{10, 1}}));
    f.merger.flush();
    EXPECT_EQ(f.seen, (std::vector<Seen>{{10, 1}, {20, 2}, {30, 0}}));
    EXPECT_EQ(f.merger.held(), 0U);
    EXPECT_EQ(f.merger.late(), 0U);
}

TEST(Merger, EqualTimesKeepTheOrderOfArrival)
{
    Fixture f;
    for (int i = 0; i < 50; ++i) f.add(7);
    f.merger.flush();
    for (unsigned i = 0; i < 50; ++i) EXPECT_EQ(f.seen[i].id, i);
}

TEST(Merger, CountsWhatIsOlderThanWhatWasReleased)
{
    Fixture f;
    f.add(50);
    f.merger.watermark(100);
    f.add(49);
    EXPECT_EQ(f.seen, (std::vector<Seen>{{50, 0}, {49, 1}}));  // at once
    EXPECT_EQ(f.merger.late(), 1U);
    f.add(50);  // not older
    f.add(60);  // behind the watermark only
    EXPECT_EQ(f.merger.late(), 1U);
    f.merger.watermark(101);
    EXPECT_EQ(f.seen.back(), (Seen{60, 3}));
}

TEST(Merger, ALateEventDoesNotTurnTimeBack)
{
    Fixture f;
    f.add(50);
    f.merger.flush();
    f.add(10);
    f.add(20);
    EXPECT_EQ(f.merger.late(), 2U);
}

TEST(Merger, AnOlderWatermarkReleasesNothing)
{
    Fixture f;
    f.merger.watermark(100);
    f.add(150);
    f.merger.watermark(50);
    EXPECT_EQ(f.merger.held(), 1U);
    f.add(UINT64_MAX);
    f.merger.watermark(UINT64_MAX);
    EXPECT_EQ(f.merger.held(), 1U);
    f.merger.flush();
    EXPECT_EQ(f.seen.back().time, UINT64_MAX);
}

TEST(Merger, MayBeAddedToWhileItReleases)
{
    std::vector<std::uint64_t> seen;
    Merger* self = nullptr;
    Merger merger{[&](const Event& event) {
        seen.push_back(event.time_ns);
        if (event.time_ns >= 5) return;
        Event next;
        next.time_ns = event.time_ns + 1;
        self->add(std::move(next));
    }};
    self = &merger;
    merger.add(Event{});
    merger.flush();
    EXPECT_EQ(seen, (std::vector<std::uint64_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Merger, EqualTimesOfCpusKeepTheOrderOfArrival)
{
    Fixture f;
    for (unsigned i = 0; i < 60; ++i) f.add(7, i % 5);
    f.add(6, kCollectorCpu);
    f.merger.flush();
    EXPECT_EQ(f.seen.front(), (Seen{6, 60}));
    for (unsigned i = 0; i < 60; ++i) EXPECT_EQ(f.seen[i + 1].id, i);
}

TEST(Merger, SortsWhatACpuWroteOutOfOrder)
{
    Fixture f;
    for (const std::uint64_t time : {50, 20, 40, 20, 60, 10}) f.add(time, 3);
    f.add(20, 1);
    f.merger.flush();
    EXPECT_EQ(f.seen, (std::vector<Seen>{
                          {10, 5}, {20, 1}, {20, 3}, {20, 6}, {40, 2}, {50, 0}, {60, 4}}));
}

/// One CPU is never read to its end, another is.
TEST(Merger, ALongRunIsReleasedPieceByPiece)
{
    constexpr std::uint64_t kEvents = 50'000;
    Fixture f;
    for (std::uint64_t time = 1; time <= kEvents; ++time) {
        f.add(time, 0);
        if (time % 3 == 0) f.add(time, 1);
        if (time > 10) f.merger.watermark(time - 10);
    }
    EXPECT_LT(f.merger.held(), 20U);
    f.merger.flush();
    EXPECT_EQ(f.seen.size(), kEvents + kEvents / 3);
    EXPECT_TRUE(std::ranges::is_sorted(f.seen, {}, &Seen::time));
    EXPECT_EQ(f.merger.late(), 0U);
}

/// Sorted streams, two of a CPU, that are read in turns of any length, with the watermark
/// that a source would give: nothing older can come from any stream.
void merge_streams(Fixture& f, std::vector<std::vector<std::uint64_t>> streams,
                   const std::vector<std::size_t>& turns)
{
    std::vector<std::size_t> at(streams.size(), 0);
    const auto oldest_to_come = [&] {
        std::uint64_t time = UINT64_MAX;
        for (std::size_t i = 0; i < streams.size(); ++i)
            if (at[i] < streams[i].size()) time = std::min(time, streams[i][at[i]]);
        return time;
    };
    for (const std::size_t turn : turns) {
        const std::size_t i = turn % streams.size();
        for (std::size_t n = turn % 7; n > 0 && at[i] < streams[i].size(); --n)
            f.add(streams[i][at[i]++], static_cast<unsigned>(i / 2));
        f.merger.watermark(oldest_to_come());
    }
    for (std::size_t i = 0; i < streams.size(); ++i)
        while (at[i] < streams[i].size())
            f.add(streams[i][at[i]++], static_cast<unsigned>(i / 2));
}

TEST(Merger, SortsAnySortedStreams)
{
    EXPECT_TRUE(rc::check("sorted as a whole, complete, none late", [] {
        auto streams =
            *rc::gen::nonEmpty(rc::gen::container<std::vector<std::vector<std::uint64_t>>>(
                rc::gen::container<std::vector<std::uint64_t>>(
                    rc::gen::inRange<std::uint64_t>(0, 200))));
        std::vector<std::uint64_t> all;
        for (auto& stream : streams) {
            std::sort(stream.begin(), stream.end());
            all.insert(all.end(), stream.begin(), stream.end());
        }
        std::sort(all.begin(), all.end());
        Fixture f;
        merge_streams(f, streams, *rc::gen::arbitrary<std::vector<std::size_t>>());
        f.merger.flush();
        std::vector<std::uint64_t> got;
        for (const Seen& seen : f.seen) got.push_back(seen.time);
        RC_ASSERT(got == all);
        RC_ASSERT(f.merger.late() == 0U);
    }));
}

TEST(Merger, CountsEveryLateEventAndLosesNone)
{
    EXPECT_TRUE(rc::check(
        "late = those older than the newest released",
        [](const std::vector<std::int16_t>& steps) {
            Fixture f;
            std::uint64_t released = 0;
            std::uint64_t late = 0;
            std::vector<std::uint64_t> held;
            for (const std::int16_t step : steps) {
                const auto time = static_cast<std::uint64_t>(step & 0xff);
                if (step >= 0) {
                    if (time < released)
                        ++late;
                    else
                        held.push_back(time);
                    f.add(time);
                    continue;
                }
                f.merger.watermark(time);
                const auto old = std::partition(
                    held.begin(), held.end(), [&](std::uint64_t t) { return t >= time; });
                for (auto it = old; it != held.end(); ++it)
                    released = std::max(released, *it);
                held.erase(old, held.end());
            }
            RC_ASSERT(f.merger.late() == late);
            RC_ASSERT(f.merger.held() == held.size());
            f.merger.flush();
            RC_ASSERT(f.seen.size() == f.arrivals);
        }));
}

}  // namespace
}  // namespace ipcscope::decode
