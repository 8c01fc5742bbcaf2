// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <gtest/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

/// Stages of a line: per round stage i works, waiting the rest of the round for
/// whoever is slowest.
class Line {
public:
    explicit Line(std::vector<std::uint64_t> work_ms) : work_(std::move(work_ms)) {}

    std::vector<Pipeline> run(unsigned rounds = 20)
    {
        const auto slowest = static_cast<std::size_t>(
            std::max_element(work_.begin(), work_.end()) - work_.begin());
        const auto round = work_[slowest] * kMs;
        Aggregator a;
        for (unsigned r = 0; r < rounds; ++r) {
            for (std::size_t i = 0; i < work_.size(); ++i) {
                const auto start = kMs + r * round;
                const auto spare = round - work_[i] * kMs;
                // Upstream of the slowest one waits for room, downstream for data.
                if (i > 0)
                    io(a, i, false, i, start, i > slowest ? spare : 0);
                if (i + 1 < work_.size())
                    io(a, i, true, i + 1, start + round / 2, i < slowest ? spare : 0);
            }
        }
        return finish(a).pipelines;
    }

private:
    /// Pids run against the flow, so that the order is not theirs by chance.
    void io(Aggregator& a, std::size_t stage, bool write, std::uint64_t pipe,
            std::uint64_t at, std::uint64_t blocked)
    {
        const auto pid = static_cast<std::uint32_t>(100 - stage);
        a.event(call(at + blocked + 10, task(pid, "s" + std::to_string(stage)),
                     op(write, pipe, at, 4096, blocked)));
    }
    std::vector<std::uint64_t> work_;
};

void expect_bottleneck(const std::vector<Pipeline>& lines, std::optional<std::size_t> wanted)
{
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].bottleneck, wanted);
    for (std::size_t i = 0; i < lines[0].stages.size(); ++i)
        EXPECT_EQ(lines[0].stages[i].task.comm.str(), "s" + std::to_string(i));
}

TEST(Bottleneck, IsTheSlowMiddle) { expect_bottleneck(Line({1, 10, 1}).run(), 1); }
TEST(Bottleneck, IsTheSlowFirst) { expect_bottleneck(Line({10, 1, 1}).run(), 0); }
TEST(Bottleneck, IsTheSlowLast) { expect_bottleneck(Line({1, 1, 10}).run(), 2); }
TEST(Bottleneck, IsNotItsNeighbour) { expect_bottleneck(Line({1, 1, 10, 1, 1}).run(), 2); }
TEST(Bottleneck, IsNobodyWhereNobodyWaits)
{
    expect_bottleneck(Line({10, 10, 10}).run(), std::nullopt);
}

TEST(Stages, OfOneRankStandSideBySide)
{
    Aggregator a;
    for (const std::uint32_t pid : {1u, 2u, 3u})   // three writers of one pipe
        a.event(call(kMs * pid, task(pid, "w"), op(true, 7, kMs * pid - 1, 4096, 0)));
    a.event(call(kMs * 5, task(4, "r"), op(false, 7, kMs * 4, 4096, 0)));
    const auto lines = finish(a).pipelines;
    ASSERT_EQ(lines.size(), 1u);
    std::vector<std::pair<std::uint32_t, unsigned>> ranks;
    for (const auto& stage : lines[0].stages) ranks.emplace_back(stage.task.tgid, stage.rank);
    EXPECT_EQ(ranks, (std::vector<std::pair<std::uint32_t, unsigned>>{
                         {1, 0}, {2, 0}, {3, 0}, {4, 1}}));
}

TEST(Stages, KnowTheirPipesAndTimes)
{
    const auto lines = Line({1, 10, 1}).run(10);
    ASSERT_EQ(lines.size(), 1u);
    const auto& stages = lines[0].stages;
    ASSERT_EQ(stages.size(), 3u);
    EXPECT_TRUE(stages[0].reads_from.empty());
    EXPECT_EQ(stages[0].writes_to, std::vector<std::uint64_t>{1});
    EXPECT_EQ(stages[1].reads_from, std::vector<std::uint64_t>{1});
    EXPECT_EQ(stages[1].writes_to, std::vector<std::uint64_t>{2});
    EXPECT_EQ(stages[2].reads_from, std::vector<std::uint64_t>{2});
    EXPECT_EQ(stages[0].waiting_for_output_ns, 10 * 9 * kMs);
    EXPECT_EQ(stages[0].waiting_for_input_ns, 0u);
    EXPECT_EQ(stages[2].waiting_for_input_ns, 10 * 9 * kMs);
    for (const auto& stage : stages)
        EXPECT_EQ(stage.own_ns, stage.span_ns - stage.waiting_for_input_ns -
                                    stage.waiting_for_output_ns);
}

TEST(Stages, ThreadsThatWaitTogetherWaitOnce)
{
    Aggregator a;
    a.event(call(10 * kMs, task(1, "w"), op(true, 5, 9 * kMs, 1)));
    a.event(call(10 * kMs, task(2, "r", 21), op(false, 5, 1 * kMs, 1, 9 * kMs)));
    a.event(call(10 * kMs, task(2, "r", 22), op(true, 6, 1 * kMs, 1, 9 * kMs)));
    const auto lines = finish(a).pipelines;
    ASSERT_EQ(lines.size(), 1u);
    const auto& reader = lines[0].stages.at(1);
    EXPECT_EQ(reader.span_ns, 9 * kMs);
    EXPECT_EQ(reader.waiting_for_input_ns, 9 * kMs);
    EXPECT_EQ(reader.waiting_for_output_ns, 9 * kMs);
    EXPECT_EQ(reader.own_ns, 0u);
}

/// Two processes and two pipes; each works for its time, then the other does.
std::vector<Pipeline> ping_pong(std::uint64_t first_ms, std::uint64_t second_ms)
{
    Aggregator a;
    std::uint64_t now = kMs;
    for (int i = 0; i < 20; ++i) {
        now += first_ms * kMs;
        a.event(call(now, task(1, "ping"), op(true, 5, now - 10, 1)));
        a.event(call(now, task(2, "pong"), op(false, 5, now - first_ms * kMs, 1,
                                              first_ms * kMs)));
        now += second_ms * kMs;
        a.event(call(now, task(2, "pong"), op(true, 6, now - 10, 1)));
        a.event(call(now, task(1, "ping"), op(false, 6, now - second_ms * kMs, 1,
                                              second_ms * kMs)));
    }
    return finish(a).pipelines;
}

TEST(PingPong, IsACycleInTheOrderOfPids)
{
    const auto lines = ping_pong(5, 5);
    ASSERT_EQ(lines.size(), 1u);
    ASSERT_EQ(lines[0].stages.size(), 2u);
    EXPECT_EQ(lines[0].stages[0].task.tgid, 1u);
    EXPECT_FALSE(lines[0].bottleneck);
}

TEST(PingPong, ASlowSideIsTheBottleneck)
{
    EXPECT_EQ(ping_pong(1, 20).at(0).bottleneck, 1u);
    EXPECT_EQ(ping_pong(20, 1).at(0).bottleneck, 0u);
}

TEST(Components, OfOneProcessAreNone)
{
    Aggregator a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));      // a self-pipe
    a.event(call(30, task(1), op(false, 5, 25, 1)));
    a.event(call(30, task(2), op(false, 6, 25, 1)));     // its writer is not traced
    EXPECT_TRUE(finish(a).pipelines.empty());
}

TEST(Components, ThatShareNoPipeAreApart)
{
    Aggregator a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));
    a.event(call(20, task(2), op(false, 5, 10, 1)));
    a.event(call(20, task(3), op(true, 6, 10, 1)));
    a.event(call(20, task(4), op(false, 6, 10, 1)));
    EXPECT_EQ(finish(a).pipelines.size(), 2u);
}

TEST(Components, HoldersAndTokenPipesJoinNothing)
{
    Aggregator a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));
    a.event(event(21, task(2), IPCSCOPE_PIPE_END,
                  decode::PipeEnd{5, 12, true, false, false, {}}));
    for (const auto pid : {3u, 4u}) {                    // make's job server
        a.event(call(20, task(pid), op(true, 6, 10, 1)));
        a.event(call(20, task(pid), op(false, 6, 10, 1)));
    }
    EXPECT_TRUE(finish(a).pipelines.empty());
}

TEST(Components, WorkersOfOneSourceMayAllBeSlow)
{
    Aggregator a;
    for (std::uint64_t i = 1; i <= 20; ++i) {
        const auto now = i * 10 * kMs;
        a.event(call(now, task(1, "source"), op(true, 5, now - 9 * kMs, 1, 9 * kMs)));
        for (const auto pid : {2u, 3u})
            a.event(call(now, task(pid, "worker"), op(false, 5, now - 10, 1)));
    }
    const auto lines = finish(a).pipelines;
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].stages[0].task.tgid, 1u);
    EXPECT_EQ(lines[0].bottleneck, 1u);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
