// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <array>
#include <ctime>

#include <gtest/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

/// Stages of a line: per round stage i works, waiting the rest of the round for the
/// slowest stage.
class Line {
public:
    explicit Line(std::vector<std::uint64_t> work_ms) : work_(std::move(work_ms)) {}

    std::vector<Pipeline> run(unsigned rounds = 20)
    {
        const auto slowest = static_cast<std::size_t>(
            std::max_element(work_.begin(), work_.end()) - work_.begin());
        const auto round = work_[slowest] * kMs;
        Trace a;
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
    void io(Trace& a, std::size_t stage, bool write, std::uint64_t pipe,
            std::uint64_t at, std::uint64_t blocked)
    {
        const auto pid = static_cast<std::uint32_t>(100 - stage);
        a.event(call(at + blocked + 10, task(pid, "s" + std::to_string(stage)),
                     op(write, pipe, at, 4096, blocked)));
    }
    std::vector<std::uint64_t> work_;
};

TEST(Pipelines, GoDownstream)
{
    const auto lines = Line({1, 10, 1}).run();
    ASSERT_EQ(lines.size(), 1u);
    for (std::size_t i = 0; i < lines[0].stages.size(); ++i)
        EXPECT_EQ(name(lines[0].stages[i].task), "s" + std::to_string(i));
}

TEST(Stages, OfOneRankStandSideBySide)
{
    Trace a;
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
        EXPECT_EQ(stage.not_waiting_ns, stage.span_ns - stage.waiting_for_input_ns -
                                    stage.waiting_for_output_ns);
}

TEST(Stages, ThreadsThatWaitTogetherWaitOnce)
{
    Trace a;
    a.event(call(10 * kMs, task(1, "w"), op(true, 5, 9 * kMs, 1)));
    a.event(call(10 * kMs, task(2, "r", 21), op(false, 5, 1 * kMs, 1, 9 * kMs)));
    a.event(call(10 * kMs, task(2, "r", 22), op(true, 6, 1 * kMs, 1, 9 * kMs)));
    const auto lines = finish(a).pipelines;
    ASSERT_EQ(lines.size(), 1u);
    const auto& reader = lines[0].stages.at(1);
    EXPECT_EQ(reader.span_ns, 9 * kMs);
    EXPECT_EQ(reader.waiting_for_input_ns, 9 * kMs);
    EXPECT_EQ(reader.waiting_for_output_ns, 9 * kMs);
    EXPECT_EQ(reader.not_waiting_ns, 0u);
}

/// Two processes and two pipes; each works for its time, then the other does.
std::vector<Pipeline> ping_pong(std::uint64_t first_ms, std::uint64_t second_ms)
{
    Trace a;
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
}

TEST(Components, OfOneProcessAreNone)
{
    Trace a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));      // a self-pipe
    a.event(call(30, task(1), op(false, 5, 25, 1)));
    a.event(call(30, task(2), op(false, 6, 25, 1)));     // its writer is not traced
    EXPECT_TRUE(finish(a).pipelines.empty());
}

TEST(Components, ThatShareNoPipeAreApart)
{
    Trace a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));
    a.event(call(20, task(2), op(false, 5, 10, 1)));
    a.event(call(20, task(3), op(true, 6, 10, 1)));
    a.event(call(20, task(4), op(false, 6, 10, 1)));
    EXPECT_EQ(finish(a).pipelines.size(), 2u);
}

// Each of 200 processes uses 3,000 pipes: the pipes of each are looked at once, and not
// once for each of its pipes.
TEST(Components, OfManyThatAllUseEachPipe)
{
    constexpr std::uint32_t kProcesses = 200, kPipes = 3000;
    Trace a;
    std::uint64_t time = kMs;
    for (std::uint64_t use = 0; use < 2 * kPipes; ++use) {
        for (std::uint32_t pid = 1; pid <= kProcesses; ++pid) {
            time += 100;
            a.event(call(time, task(pid, "p"),
                         op(pid % 2 != 0, 1 + use % kPipes, time - 10, 4096, 0)));
        }
    }
    const std::clock_t begin = std::clock();   // of this process, whatever the machine does
    const auto lines = finish(a).pipelines;
    EXPECT_LT((std::clock() - begin) / CLOCKS_PER_SEC, 8);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0].stages.size(), kProcesses);
}

TEST(Components, HoldersAndTokenPipesJoinNothing)
{
    Trace a;
    a.event(call(20, task(1), op(true, 5, 10, 1)));
    a.event(event(21, task(2), IPCSCOPE_HOLDER, holder(5, true, false)));
    for (const auto pid : {3u, 4u}) {                    // make's job server
        a.event(call(20, task(pid), op(true, 6, 10, 1)));
        a.event(call(20, task(pid), op(false, 6, 10, 1)));
    }
    EXPECT_TRUE(finish(a).pipelines.empty());
}

/// sensor (usleep) → parse (blocking) → node (poll, then read) → store (blocking), 60
/// messages, one each 50 ms; as shared cases' poll-stage does it.
Report poll_stage(bool sensor_in_select = false)
{
    Aggregator a;
    constexpr std::uint64_t kRound = 50 * kMs;
    const std::array who = {task(1, "sensor"), task(2, "parse"), task(3, "node"),
                            task(4, "store")};
    std::array<std::uint64_t, 4> since{};
    since.fill(kMs);
    const auto put = [&](std::size_t stage, bool write, std::uint64_t pipe, std::uint64_t enter,
                         std::uint64_t exit, auto change) {
        auto body = op(write, pipe, enter, 512);
        body.requested = 512;
        body.since_ns = since[stage];
        change(body);
        since[stage] = exit;
        a.event(call(exit, who[stage], body));
    };
    const auto nothing = [](decode::Call&) {};
    const auto blocked = [](decode::Call& body) {
        body.blocked_ns = kRound - 100'000;
        body.sleeps = 1;
    };
    for (std::uint64_t at = kMs + kRound; at < kMs + 61 * kRound; at += kRound) {
        put(0, true, 1, at, at + 1'000, [&](decode::Call& body) {
            const auto idle = at - body.since_ns - 5'000;
            (sensor_in_select ? body.between_polling_ns : body.between_sleeping_ns) = idle;
        });
        put(1, false, 1, since[1] + 10, at + 2'000, blocked);
        put(1, true, 2, at + 3'000, at + 4'000, nothing);
        put(2, false, 2, at + 8'000, at + 9'000, [&](decode::Call& body) {
            body.between_polling_ns = at + 3'500 - body.since_ns - 1'000;
        });
        put(2, true, 3, at + 10'000, at + 11'000, nothing);
        put(3, false, 3, since[3] + 10, at + 12'000, blocked);
    }
    for (std::size_t stage = 0; stage < 4; ++stage)
        a.event(thread_end(since[stage] + 100'000, who[stage], since[stage]));
    return finish(a);
}

TEST(PollStage, TheSensorIsSlowAndNodeWaitsForItsInput)
{
    for (const bool select : {false, true}) {
        const auto lines = poll_stage(select).pipelines;
        ASSERT_EQ(lines.size(), 1u);
        const auto& node = lines[0].stages.at(2);
        EXPECT_EQ(name(node.task), "node");
        EXPECT_GT(node.time.at(Part::poll_input) * 100, node.time.span_ns * 97);
        EXPECT_LT(node.not_waiting_ns * 100, node.span_ns * 2);
        EXPECT_EQ(node.waiting_for_input_ns, node.time.at(Part::poll_input));
        const auto& sensor = lines[0].stages.at(0);
        EXPECT_GT(sensor.not_waiting_ns * 100, sensor.span_ns * 97);
        // What the records account for is when it took part in the pipeline.
        for (const auto& stage : lines[0].stages) {
            EXPECT_NEAR(static_cast<double>(stage.time.span_ns),
                        static_cast<double>(stage.span_ns), 200'000);
            EXPECT_NEAR(static_cast<double>(stage.not_waiting_ns + stage.time.for_input_ns() +
                                            stage.time.for_output_ns() +
                                            stage.time.at(Part::poll_unknown)),
                        static_cast<double>(stage.span_ns), 200'000);
        }
    }
}

/// A process and its life, in ms; it makes calls on these pipes, one to read, one to write.
void lives(Trace& a, std::uint32_t pid, std::uint32_t parent, std::uint64_t from_ms,
           std::uint64_t to_ms, std::uint64_t reads, std::uint64_t writes)
{
    decode::Thread born{};
    born.reason = IPCSCOPE_THREAD_FORK;
    born.ppid = parent;
    const auto who = task(pid, "p" + std::to_string(pid));
    a.event(event(from_ms * kMs, who, IPCSCOPE_THREAD, born));
    for (const auto& [pipe, write] : {std::pair(reads, false), std::pair(writes, true)}) {
        if (pipe != 0) {
            a.event(call((from_ms + 1) * kMs, who, op(write, pipe, from_ms * kMs + 1, 10)));
        }
    }
    decode::ThreadTime end{};
    end.since_ns = to_ms * kMs - 1;
    end.group_dead = 1;
    a.event(event(to_ms * kMs, who, IPCSCOPE_THREAD_EXIT, end));
}

std::vector<std::vector<std::uint32_t>> pids(const std::vector<Pipeline>& lines)
{
    std::vector<std::vector<std::uint32_t>> out;
    for (const Pipeline& line : lines) {
        out.emplace_back();
        for (const auto& stage : line.stages) out.back().push_back(stage.task.tgid);
    }
    return out;
}

using Lines = std::vector<std::vector<std::uint32_t>>;

/// Two writers and two readers of one pipe, by turns.
TEST(Strangers, ThatUseAPipeOneAfterTheOtherAreNoPipeline)
{
    Trace a;
    lives(a, 1, 9, 10, 20, 0, 7);
    lives(a, 2, 9, 11, 21, 7, 0);
    lives(a, 3, 9, 30, 40, 0, 7);
    lives(a, 4, 9, 31, 41, 7, 0);
    EXPECT_EQ(pids(finish(a).pipelines), (Lines{{1, 2}, {3, 4}}));
}

/// { a | b; echo; c | d; } | tee: commands of a shell, and its own writes.
TEST(Strangers, ThatWriteToOneLogAreNoPipeline)
{
    Trace a;
    lives(a, 1, 9, 1, 100, 7, 0);     // tee
    lives(a, 2, 9, 1, 100, 0, 7);     // the shell
    lives(a, 10, 2, 10, 20, 0, 5);
    lives(a, 11, 2, 11, 21, 5, 7);
    lives(a, 12, 2, 25, 26, 0, 7);    // echo, true, …
    lives(a, 15, 2, 28, 29, 0, 7);
    lives(a, 13, 2, 30, 40, 0, 6);
    lives(a, 14, 2, 31, 41, 6, 7);
    const auto lines = finish(a).pipelines;
    EXPECT_EQ(pids(lines), (Lines{{2, 12, 15, 1}, {10, 11, 1}, {13, 14, 1}}));
    EXPECT_EQ(lines[0].span_ns, 0u);
    EXPECT_EQ(lines[1].span_ns, 10 * kMs);
}

/// What is behind the log is a part of each, and joins none.
TEST(Strangers, AreNotJoinedByWhatReadsTheirLog)
{
    Trace a;
    lives(a, 1, 9, 1, 100, 7, 8);
    lives(a, 2, 9, 1, 100, 8, 0);
    lives(a, 10, 3, 10, 20, 0, 5);
    lives(a, 11, 3, 11, 21, 5, 7);
    lives(a, 13, 3, 30, 40, 0, 6);
    lives(a, 14, 3, 31, 41, 6, 7);
    EXPECT_EQ(pids(finish(a).pipelines), (Lines{{10, 11, 1, 2}, {13, 14, 1, 2}}));
}

/// What a writer leaves in the pipe is for who comes next.
TEST(Strangers, AreNoneWhereOneLeavesDataToTheNext)
{
    Trace a;
    lives(a, 1, 9, 10, 20, 0, 7);
    lives(a, 2, 9, 11, 21, 0, 7);
    lives(a, 3, 9, 30, 40, 7, 0);
    EXPECT_EQ(pids(finish(a).pipelines), (Lines{{1, 2, 3}}));
}

/// `(sleep 3; echo) | cat`: what the writer did before its first call counts, since cat
/// was waiting; what a shell did long before does not.
TEST(Stages, CountTheTimeBeforeTheFirstCallWhereTheOthersWereThere)
{
    for (const bool before : {false, true}) {
        Trace a;
        const std::uint64_t born = before ? kMs : 2'995 * kMs;
        auto write = op(true, 5, 3'000 * kMs, 4);
        write.since_ns = 10'000;
        write.between_sleeping_ns = 2'990 * kMs;
        a.event(call(3'000 * kMs + 10, task(1, "sh"), write));
        a.event(call(3'001 * kMs, task(2, "cat"), op(false, 5, born, 4, 3'000 * kMs - born)));
        const auto stages = finish(a).pipelines.at(0).stages;
        EXPECT_EQ(stages[0].time.at(Part::sleeping), before ? 2'990 * kMs : 0u);
    }
}

TEST(Stages, StoppedUntilTheEnd)
{
    Trace a;
    a.event(call(10 * kMs, task(1, "w"), op(true, 5, 9 * kMs, 1)));
    a.event(call(11 * kMs, task(2, "r"), op(false, 5, 10 * kMs, 1)));
    decode::Slice stopped{};
    stopped.state = IPCSCOPE_STATE_STOPPED;
    stopped.start_ns = 12 * kMs;
    stopped.end_ns = 500 * kMs;
    a.event(event(500 * kMs, task(2, "r"), IPCSCOPE_SLICE, stopped));
    auto full = call(500 * kMs, task(1, "w"), op(true, 5, 20 * kMs, 0, 480 * kMs));
    full.unfinished = true;
    a.event(full);
    auto end = thread_end(500 * kMs, task(2, "r"), 11 * kMs, false);
    std::get<decode::ThreadTime>(end.body).between_other_ns = 488 * kMs;
    a.event(end);
    const auto line = finish(a).pipelines.at(0);
    EXPECT_EQ(line.stages[1].time.at(Part::stopped), 488 * kMs);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
