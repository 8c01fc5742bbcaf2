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
    constexpr std::uint16_t kFutex = 202;
    decode::Slice in_futex{};
    in_futex.start_ns = 50 * kMs;
    in_futex.end_ns = 2 * kSecond;
    in_futex.state = IPCSCOPE_STATE_INTERRUPTIBLE;
    in_futex.syscall = kFutex;
    story.adds(writer, in_futex);
    story.did(2 * kSecond, kGen, true, 1, 100);
    story.slept(kWork, false, 1, 50 * kMs, 2 * kSecond, 100, kGen.tid);
    story.did(2 * kSecond + kMs, writer, true, 2, 100);
    story.slept(kSink, false, 2, 50 * kMs, 2 * kSecond + kMs, 100, writer.tid);
    story.lives_on(2'100 * kMs, kWork).lives_on(2'100 * kMs, writer);
    EXPECT_FALSE(only(story.report(2'100 * kMs), Code::slow_stage));
}

/// One thread takes from gen, and sleeps 50 ms after each read; another waits for beat, which
/// writes each half second.
TEST(SlowStage, IsNotSaidOfTheInputOfAnotherThread)
{
    const auto slow_thread = task(kWork.tgid, "work", 15), beat = task(13, "beat");
    constexpr std::uint16_t kNanosleep = 230;
    Story story;
    for (const auto& who : {kGen, beat, kWork}) {
        story.born(1, who, 9);
    }
    for (std::uint64_t at = 50 * kMs; at <= 4 * kSecond; at += 50 * kMs) {
        decode::Slice slice{};
        slice.start_ns = at - 50 * kMs + 10'000;
        slice.end_ns = at - 10'000;
        slice.state = IPCSCOPE_STATE_INTERRUPTIBLE;
        slice.syscall = kNanosleep;
        story.adds(slow_thread, slice);
        auto read = op(false, 1, at - 1'000, 65'536);
        read.since_ns = slice.start_ns;
        read.between_sleeping_ns = slice.end_ns - slice.start_ns;
        story.adds(at, slow_thread, read);
        story.slept(kGen, true, 1, at - 50 * kMs + 5'000, at + 1'000, 65'536, slow_thread.tid);
    }
    for (std::uint64_t at = 500 * kMs; at <= 4 * kSecond; at += 500 * kMs) {
        story.wrote_after_sleep(at - 500 * kMs, at, beat, 2, 5);
        story.slept(kWork, false, 2, at - 499 * kMs, at, 5, beat.tid);
    }
    const auto found = only(story.report(4'100 * kMs), Code::slow_stage);
    EXPECT_TRUE(!found || found->subjects.front().task.tgid == kWork.tgid) << found->text;
}

/// curl http://slow | jq: it polls its socket for 2 s before its first write.
TEST(SlowStage, MayPollForSomethingElseBeforeItsFirstWrite)
{
    Story story;
    story.born(1, kGen, 9).born(1, kSink, 9);
    story.sleeps(kGen, kPoll, 20 * kMs, 2 * kSecond).did(2 * kSecond + kMs, kGen, true, 1, 100);
    story.slept(kSink, false, 1, 10 * kMs, 2 * kSecond + kMs, 100, kGen.tid);
    story.lives_on(2'100 * kMs, kGen).lives_on(2'100 * kMs, kSink);
    const auto found = only(story.report(2'100 * kMs), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kGen.tgid) << found->text;
}

/// while [ ! -e ready ]; do sleep .05; done: more sleeps than are kept one by one.
TEST(SlowStage, MaySleepManyTimesBeforeItsFirstWrite)
{
    Story story;
    story.born(1, kGen, 9).born(1, kSink, 9);
    for (std::uint64_t at = 50 * kMs; at < 5 * kSecond; at += 50 * kMs) {
        story.stopped(kGen, at, at + 49 * kMs, IPCSCOPE_STATE_INTERRUPTIBLE);
    }
    story.did(5 * kSecond, kGen, true, 1, 100);
    story.slept(kSink, false, 1, 50 * kMs, 5 * kSecond, 100, kGen.tid);
    story.lives_on(5'100 * kMs, kGen).lives_on(5'100 * kMs, kSink);
    const auto found = only(story.report(5'100 * kMs), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kGen.tgid) << found->text;
}

/// One thread of it takes from gen, another gives to sink: each is waited for all the time.
TEST(SlowStage, HoldsUpNoLongerThanThereWas)
{
    const auto writer = task(kWork.tgid, "work", 15);
    Story story;
    for (const auto& who : {kGen, kWork, kSink}) {
        story.born(1, who, 9);
    }
    for (std::uint64_t at = 20 * kMs; at <= 2 * kSecond; at += 20 * kMs) {
        story.did(at, kWork, false, 1, 65'536).did(at, writer, true, 2, 100);
        story.slept(kGen, true, 1, at - 20 * kMs + 5'000, at + 1'000, 65'536, kWork.tid);
        story.slept(kSink, false, 2, at - 20 * kMs + 5'000, at + 1'000, 100, writer.tid);
    }
    const auto found = only(story.report(2 * kSecond + kMs), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kWork.tgid) << found->text;
    EXPECT_LE(found->duration_ns, 2 * kSecond + kMs);
}

/// gen | work | sink, where gen and work share a lock for which each had to wait once.
TEST(SlowStage, TakesNoTurnsByALockThatItShares)
{
    Story story;
    for (const auto& who : {kGen, kWork, kSink}) {
        story.born(1, who, 9);
    }
    decode::Call lock{};
    lock.type = IPCSCOPE_OBJECT_FUTEX;
    lock.object = 0x40;
    for (const auto& who : {kGen, kWork}) {
        lock.op = IPCSCOPE_OP_WAKE;
        story.called(2 * kMs, who, IPCSCOPE_CALL_FUTEX, lock);
        lock.op = IPCSCOPE_OP_WAIT;
        lock.waker_tid = who.tid == kGen.tid ? kWork.tid : kGen.tid;
        story.called(4 * kMs, who, IPCSCOPE_CALL_FUTEX, lock, 3 * kMs);
    }
    for (std::uint64_t at = 200 * kMs; at <= 4 * kSecond; at += 100 * kMs) {
        story.wrote_after_sleep(at - 100 * kMs, at, kGen, 1, 100);
        story.slept(kWork, false, 1, at - 99 * kMs, at, 100, kGen.tid);
        story.did(at + kMs, kWork, true, 2, 100);
        story.slept(kSink, false, 2, at - 99 * kMs, at + kMs, 100, kWork.tid);
    }
    const auto found = only(story.report(4'100 * kMs), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kGen.tgid) << found->text;
}

}  // namespace
}  // namespace ipcscope::diagnose
