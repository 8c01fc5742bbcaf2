// SPDX-License-Identifier: GPL-2.0-only
// Which of several stages that take time is the slow one, and when none is.
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kGen = task(10, "gen"), kWork = task(11, "work"), kSink = task(12, "sink");

/// gen takes 20 ms for each item, work 13 ms, and sink no time.
TEST(SlowStage, IsTheOneThatWaitsForNone)
{
    Story story;
    for (const auto& who : {kGen, kWork, kSink}) {
        story.born(1, who, 9);
    }
    constexpr std::uint64_t kItem = 20 * kMs, kTakes = 13 * kMs;
    story.did(kItem, kGen, true, 1, 100).did(kItem + kTakes, kWork, true, 2, 100);
    for (std::uint64_t at = 2 * kItem; at <= 100 * kItem; at += kItem) {
        story.wrote_after_sleep(at - kItem, at, kGen, 1, 100);
        story.slept(kWork, false, 1, at - kItem + kTakes + 10'000, at, 100, 10);
        story.wrote_after_sleep(at, at + kTakes, kWork, 2, 100);
        story.slept(kSink, false, 2, at - kItem + kTakes + 10'000, at + kTakes, 100, 11);
    }
    const auto found = only(story.report(101 * kItem), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kGen.tgid) << found->text;
    EXPECT_NE(found->text.find("gen is the slow stage: work waited 692 ms for it (pipe empty), "
                               "sink 692 ms"),
              std::string::npos) << found->text;
}

/// (a & b) | logger: it waits for either, and who writes more often is not slow.
TEST(SlowStage, IsNoneOfSeveralThatWriteToOnePipe)
{
    const auto rare = task(13, "rare");
    Story story;
    for (const auto& who : {kGen, rare, kSink}) {
        story.born(1, who, 9);
    }
    for (int i = 1; i <= 100; ++i) {
        const auto& who = i % 10 == 0 ? rare : kGen;
        const std::uint64_t at = static_cast<std::uint64_t>(i) * 20 * kMs;
        story.did(at, who, true, 1, 100);
        story.slept(kSink, false, 1, at - 20 * kMs + 10'000, at, 100, who.tid);
    }
    EXPECT_FALSE(only(story.report(3 * kSecond), Code::slow_stage));
}

/// while read line; do answer=$(command); echo; done | sink
TEST(SlowStage, SaysForHowManyCommandsItWaited)
{
    Story story;
    story.born(1, kWork, 9).born(1, kSink, 9).did(2 * kMs, kWork, true, 2, 10);
    std::uint64_t at = 3 * kMs;
    for (std::uint32_t i = 0; i < 10; ++i, at += 302 * kMs) {
        const auto command = task(20 + i, "sh");
        const std::uint64_t pipe = 100 + i;
        story.born(at, command, kWork.tgid);
        story.slept(kWork, false, pipe, at, at + 300 * kMs, 10, command.tid);
        story.did(at + 300 * kMs, command, true, pipe, 10).exits(at + 301 * kMs, command);
        story.did(at + 301 * kMs, kWork, true, 2, 10);
        story.slept(kSink, false, 2, at, at + 301 * kMs, 10, kWork.tid);
    }
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kWork.tgid) << found->text;
    EXPECT_NE(found->text.find("It waited 3.00 s of that for the answers of 10 processes called sh."),
              std::string::npos) << found->text;
}

/// Its writer thread sleeps in a condition variable while its reader thread waits for gen, which
/// computes before its first write.
TEST(SlowStage, IsNoneWhoseOtherThreadWaits)
{
    const auto writer = task(kWork.tgid, "work", 15);
    Story story;
    for (const auto& who : {kGen, kWork, kSink}) {
        story.born(1, who, 9);
    }
    story.stopped(writer, 50 * kMs, 2 * kSecond, IPCSCOPE_STATE_INTERRUPTIBLE);
    story.did(2 * kSecond, kGen, true, 1, 100);
    story.slept(kWork, false, 1, 50 * kMs, 2 * kSecond, 100, kGen.tid);
    story.did(2 * kSecond + kMs, writer, true, 2, 100);
    story.slept(kSink, false, 2, 50 * kMs, 2 * kSecond + kMs, 100, writer.tid);
    story.lives_on(2'100 * kMs, kWork).lives_on(2'100 * kMs, writer);
    EXPECT_FALSE(only(story.report(2'100 * kMs), Code::slow_stage));
}

}  // namespace
}  // namespace ipcscope::diagnose
