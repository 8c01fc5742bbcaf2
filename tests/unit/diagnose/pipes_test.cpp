// SPDX-License-Identifier: GPL-2.0-only
// What is found about pipes, from records: the right findings with the right figures,
// and none where records do not prove one.
#include <algorithm>
#include <memory>
#include <optional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/units.hpp"
#include "diagnose/blame.hpp"
#include "diagnose/diagnose.hpp"
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kParent = task(10, "parent");
const decode::Task kChild = task(11, "child");

/// The parent reads the child's stderr to its end, the child fills its stdout.
Story deadlock(std::uint64_t end_ns)
{
    Story story;
    story.born(2 * kMs, kChild, 10);
    for (const bool later : {false, true}) {
        const std::uint64_t at = later ? end_ns : 100 * kMs;
        story.holds(at, kParent, 1, true, false).holds(at, kParent, 2, true, false);
        story.holds(at, kChild, 1, false, true).holds(at, kChild, 2, false, true);
    }
    story.did(50 * kMs, kChild, true, 1, 4096);
    return story;
}

TEST(Deadlock, AtTheEndOfTheTrace)
{
    const std::uint64_t end = 4 * kSecond;
    Story story = deadlock(end);
    story.slept(kChild, true, 1, 100 * kMs, end, 0, 0, true);
    story.slept(kParent, false, 2, 60 * kMs, end, 0, 0, true);
    const Report report = story.report(end);
    const auto found = only(report, Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::error);
    EXPECT_EQ(found->text,
              "Deadlock: 10 (parent) was blocked reading pipe 2, of which only 11 (child) holds "
              "the write end, since 60.0 ms into the trace; 11 (child) was blocked writing pipe "
              "1, of which only 10 (parent) holds the read end, since 100 ms into the trace. It "
              "had lasted 3.90 s when the trace ended.");
    EXPECT_EQ(plain(found->advice), "What would end it: 11 (child) writes pipe 2 or closes it; or "
                                    "10 (parent) reads pipe 1.");
    EXPECT_EQ(found->at_ns, 100 * kMs);
    EXPECT_EQ(found->duration_ns, 3'900 * kMs);
    EXPECT_EQ(found->subjects.size(), 2u);
    EXPECT_EQ(above_note(report).size(), 1u);   // and nothing else of it
}

TEST(Deadlock, ThatAWatchdogEnded)
{
    Story story = deadlock(9 * kSecond);
    story.slept(kParent, false, 2, 60 * kMs, 4 * kSecond, -512, 0);
    story.exits(4'001 * kMs, kParent, 14);
    story.slept(kChild, true, 1, 100 * kMs, 4'001 * kMs, -32, 10);
    story.exits(4'002 * kMs, kChild, 13);
    const auto found = only(story.report(9 * kSecond), Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("It lasted 3.90 s, until SIGALRM ended 10 (parent)."),
              std::string::npos) << found->text;
}

/// A blocking write returns less than all only where a signal breaks it off.
TEST(Deadlock, OfAWriterThatHadWrittenAPart)
{
    Story story = deadlock(9 * kSecond);
    story.slept(kParent, false, 2, 60 * kMs, 4'001 * kMs, 0, 11);
    story.slept(kChild, true, 1, 100 * kMs, 4'000 * kMs, 4096, 0, false, 4096);
    story.exits(4'000 * kMs, kChild, 14);
    const auto found = only(story.report(9 * kSecond), Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("It lasted 3.90 s, until SIGALRM ended 11 (child)."),
              std::string::npos) << found->text;
}

TEST(Deadlock, OfAProcessThatAloneCouldReadWhatItWrites)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, kChild, 5).did(50 * kMs, kChild, true, 1, 4096);
    story.holds(end, kChild, 1, true, true);
    story.slept(kChild, true, 1, 100 * kMs, end, 0, 0, true);
    story.lives_on(end, kChild);
    const auto found = only(story.report(end), Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("11 (child) was blocked writing pipe 1, of which only it itself "
                               "holds the read end"),
              std::string::npos) << found->text;
}

TEST(Deadlock, IsNoneWhereAnotherThreadMayRead)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, kChild, 5).did(50 * kMs, kChild, true, 1, 4096);
    story.holds(end, kChild, 1, true, true);
    story.slept(kChild, true, 1, 100 * kMs, end, 0, 0, true);
    story.lives_on(end, kChild).lives_on(end, task(11, "child", 12));
    EXPECT_FALSE(only(story.report(end), Code::deadlock));
}

TEST(Deadlock, IsNoneWhereAnotherProcessHoldsTheEnd)
{
    const std::uint64_t end = 4 * kSecond;
    Story story = deadlock(end);
    story.holds(end, task(12, "other"), 1, true, false);
    story.slept(kChild, true, 1, 100 * kMs, end, 0, 0, true);
    story.slept(kParent, false, 2, 60 * kMs, end, 0, 0, true);
    EXPECT_FALSE(only(story.report(end), Code::deadlock));
}

TEST(Deadlock, IsWithheldWhereRecordsWereLost)
{
    const std::uint64_t end = 4 * kSecond;
    Story story = deadlock(end);
    story.slept(kChild, true, 1, 100 * kMs, end, 0, 0, true);
    story.slept(kParent, false, 2, 60 * kMs, end, 0, 0, true);
    Report report = story.report(end);
    report.loss.kinds[IPCSCOPE_CALL_PIPE].lost = 1;
    EXPECT_FALSE(only(report, Code::deadlock));
}

/// A pool at rest: a worker reads tasks, a thread of the parent reads results, another
/// one would write tasks.
TEST(Deadlock, IsNoneOfAPoolAtRest)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    const decode::Task feeder = task(10, "parent", 20);
    const decode::Task results = task(10, "parent", 21);
    for (const std::uint64_t at : {100 * kMs, end}) {
        story.holds(at, kParent, 1, false, true).holds(at, kChild, 1, true, false);
        story.holds(at, kParent, 2, true, false).holds(at, kChild, 2, false, true);
    }
    story.did(50 * kMs, feeder, true, 1, 100).did(51 * kMs, kChild, false, 1, 100);
    story.did(52 * kMs, kChild, true, 2, 100).did(53 * kMs, results, false, 2, 100);
    story.slept(kChild, false, 1, 60 * kMs, end, 0, 0, true);
    story.slept(results, false, 2, 60 * kMs, end, 0, 0, true);
    story.lives_on(end, feeder).lives_on(end, kParent);
    EXPECT_EQ(above_note(story.report(end)), std::vector<std::string>{});
}

TEST(Partner, WasStoppedBySigstop)
{
    const auto head = task(20, "head");
    const auto tail = task(21, "tail");
    const auto bash = task(22, "bash");
    Story story;
    story.did(50 * kMs, head, true, 1, 4096).did(60 * kMs, tail, false, 1, 4096);
    story.signal(300 * kMs, bash, tail, 19).signal(3'300 * kMs, bash, tail, 18);
    story.stopped(tail, 300 * kMs, 3'300 * kMs);
    story.slept(head, true, 1, 400 * kMs, 3'301 * kMs, 4096, 21);
    const Report report = story.report(4 * kSecond);
    const auto found = only(report, Code::partner_stopped);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text,
              "20 (head) was blocked writing pipe 1 for 2.90 s, because 21 (tail) at the other "
              "end was stopped by SIGSTOP from 22 (bash) until SIGCONT from 22 (bash), for 3.00 "
              "s.");
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->duration_ns, 2'900 * kMs);
    EXPECT_EQ(found->subjects.at(0).task.tgid, 20u);
    EXPECT_EQ(found->subjects.at(1).task.tgid, 21u);
    EXPECT_EQ(above_note(report).size(), 1u);
}

TEST(Partner, StillFrozenAtTheEnd)
{
    const auto head = task(20, "head");
    const auto tail = task(21, "tail");
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.did(50 * kMs, head, true, 1, 4096).did(60 * kMs, tail, false, 1, 4096);
    story.holds(end, tail, 1, true, false).holds(end, head, 1, false, true);
    story.stopped(tail, 300 * kMs, end, IPCSCOPE_STATE_FROZEN, true);
    story.slept(head, true, 1, 400 * kMs, end, 0, 0, true);
    const auto found = only(story.report(end), Code::partner_frozen);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::error);
    EXPECT_NE(found->text.find("was frozen, and still was when the trace ended, for 3.70 s"),
              std::string::npos) << found->text;
}

TEST(Stuck, WriteToAPipeThatIsNotRead)
{
    const auto head = task(20, "head");
    const auto sleep = task(21, "sleep");
    const std::uint64_t end = 3 * kSecond;
    Story story;
    story.did(50 * kMs, head, true, 1, 4096);
    story.holds(end, sleep, 1, true, false).holds(end, head, 1, false, true);
    story.slept(head, true, 1, 60 * kMs, end, 0, 0, true);
    const Report report = story.report(end);
    const auto found = only(report, Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text,
              "20 (head) had been blocked in a write of pipe 1 for 2.94 s when the trace ended: "
              "the pipe was full. 21 (sleep) alone holds the read end, and has not read from it "
              "in the trace.");
    EXPECT_EQ(above_note(report).size(), 1u);
}

TEST(Stuck, WhatTheOtherSideDidIsSaidToBeUnknownWhereItIs)
{
    const auto head = task(20, "head");
    const std::uint64_t end = 3 * kSecond;
    Story story({"--pid=20"});
    story.did(50 * kMs, head, true, 1, 4096);
    story.holds(end, task(21, "sleep"), 1, true, false).holds(end, head, 1, false, true);
    story.slept(head, true, 1, 60 * kMs, end, 0, 0, true);
    const auto found = only(story.report(end), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->text.ends_with(
        " 21 (sleep) alone holds the read end; what it does is not in the trace."))
        << found->text;
    EXPECT_EQ(found->subjects.at(1).task.tgid, 21u);
}

TEST(Stuck, TheHoldersAreUnknownUnlessLookedUpThen)
{
    const auto head = task(20, "head");
    const std::uint64_t end = 3 * kSecond;
    Story story({"--pid=20"});
    story.did(50 * kMs, head, true, 1, 4096);
    story.holds(kSecond, task(21, "sleep"), 1, true, false);
    story.slept(head, true, 1, 60 * kMs, end, 0, 0, true);
    const auto found = only(story.report(end), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->text.ends_with(
        " What the processes at its read end did is not in the trace."))
        << found->text;
    EXPECT_EQ(found->subjects.size(), 1u);
}

TEST(Stuck, UntilASignalEndedTheWriter)
{
    const auto head = task(20, "head");
    const auto sleep = task(21, "sleep");
    Story story;
    story.born(1 * kMs, sleep, 5).born(2 * kMs, head, 5);
    story.did(50 * kMs, head, true, 1, 4096);
    story.holds(60 * kMs, sleep, 1, true, false).holds(60 * kMs, head, 1, false, true);
    story.slept(head, true, 1, 60 * kMs, 3'060 * kMs, 100, 0, false, 4096);
    story.exits(3'061 * kMs, head, 9);
    const auto found = only(story.report(4 * kSecond), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->text,
              "20 (head) had been blocked in a write of pipe 1 for 3.00 s when SIGKILL ended it: "
              "the pipe was full. 21 (sleep) alone holds the read end, and has not read from it "
              "in the trace.");
}

TEST(Stuck, IsNoneThatHasWaitedAsLongBefore)
{
    const auto head = task(20, "head");
    const auto slow = task(21, "slow");
    const std::uint64_t end = 6 * kSecond;
    Story story;
    story.slept(head, true, 1, 100 * kMs, 2'000 * kMs, 4096, 21);
    story.did(2'001 * kMs, slow, false, 1, 4096);
    story.slept(head, true, 1, 4'500 * kMs, end, 0, 0, true);
    EXPECT_FALSE(only(story.report(end), Code::stuck_write));
}

/// { sleep 4 & echo; } | reader
TEST(HeldOpen, TheEndOfFileCameLate)
{
    const auto bash = task(30, "bash");
    const auto tool = task(31, "bash");
    const auto sleep = task(32, "sleep");
    Story story;
    story.born(10 * kMs, tool, 30).born(20 * kMs, sleep, 31);
    story.did(30 * kMs, tool, true, 1, 10).slept(bash, false, 1, 25 * kMs, 31 * kMs, 10, 31);
    story.exits(40 * kMs, tool);
    story.holds(50 * kMs, sleep, 1, false, true).holds(50 * kMs, bash, 1, true, false);
    story.slept(bash, false, 1, 35 * kMs, 4'035 * kMs, 0, 32);
    story.exits(4'036 * kMs, sleep);
    const Report report = story.report(5 * kSecond);
    const auto found = only(report, Code::end_held_open);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text, "30 (bash) waited 4.00 s for end of file from pipe 1: only 32 (sleep) "
                           "still held its write end, and never wrote to it.");
    EXPECT_EQ(found->duration_ns, 4 * kSecond);
    EXPECT_EQ(above_note(report).size(), 1u);
}

/// $(sleep 4), $(sh -c 'sleep 4; echo'): the shell waits for what it asked for.
TEST(HeldOpen, ACommandThatTakesItsTimeHoldsNothingOpen)
{
    for (const bool writes : {false, true}) {
        const auto bash = task(30, "bash");
        const auto command = task(31, "command");
        Story story;
        story.born(10 * kMs, command, 30);
        story.holds(50 * kMs, command, 1, false, true).holds(50 * kMs, bash, 1, true, false);
        if (writes) {
            story.slept(bash, false, 1, 35 * kMs, 4'000 * kMs, 10, 31);
            story.did(4'000 * kMs, command, true, 1, 10);
            story.slept(bash, false, 1, 4'001 * kMs, 4'035 * kMs, 0, 31);
        } else {
            story.slept(bash, false, 1, 35 * kMs, 4'035 * kMs, 0, 31);
        }
        story.exits(4'036 * kMs, command);
        EXPECT_EQ(above_note(story.report(5 * kSecond)), std::vector<std::string>{});
    }
}

TEST(HeldOpen, ByTheReaderItself)
{
    const auto reader = task(30, "reader");
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, reader, 5);
    story.holds(end, reader, 1, true, true);
    story.slept(reader, false, 1, 100 * kMs, end, 0, 0, true);
    const auto found = only(story.report(end), Code::end_held_open);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("only it itself holds its write end"), std::string::npos)
        << found->text;
}

/// The writer is gone; the reader still holds a write end, until an alarm ends it.
TEST(HeldOpen, ByTheReaderItselfUntilASignal)
{
    const auto reader = task(30, "reader");
    const auto writer = task(31, "writer");
    Story story;
    story.born(1 * kMs, reader, 5).born(2 * kMs, writer, 5);
    story.holds(50 * kMs, reader, 1, true, true).holds(50 * kMs, writer, 1, false, true);
    story.did(60 * kMs, writer, true, 1, 10).did(61 * kMs, reader, false, 1, 10);
    story.exits(70 * kMs, writer);
    story.slept(reader, false, 1, 80 * kMs, 2'080 * kMs, -512, 0).exits(2'081 * kMs, reader, 14);
    const auto found = only(story.report(4 * kSecond), Code::end_held_open);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("when a signal broke the call off: only it itself holds"),
              std::string::npos) << found->text;
}

/// A self-pipe of before the trace: its signal handler may have written to it then.
TEST(HeldOpen, IsNotSaidOfTheOwnPipeOfAnOldProcess)
{
    const auto reader = task(30, "daemon");
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.holds(end, reader, 1, true, true);
    story.slept(reader, false, 1, 80 * kMs, end, 0, 0, true);
    EXPECT_FALSE(only(story.report(end), Code::end_held_open));
    EXPECT_EQ(above_note(story.report(end)), std::vector<std::string>{});
}

/// sleep 1000 | tail: it may write yet.
TEST(HeldOpen, IsNotSaidOfAWriterThatHasNothingToWrite)
{
    const auto reader = task(30, "tail");
    const auto writer = task(31, "sleep");
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, reader, 5).born(2 * kMs, writer, 5);
    story.holds(end, reader, 1, true, false).holds(end, writer, 1, false, true);
    story.slept(reader, false, 1, 80 * kMs, end, 0, 0, true);
    EXPECT_FALSE(only(story.report(end), Code::end_held_open));
    const auto found = only(story.report(end), Code::stuck_read);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
    EXPECT_TRUE(found->text.ends_with(
        "31 (sleep) alone holds the write end, and has not written to it in the trace."))
        << found->text;
}

/// Rounds of 20 ms: the source sleeps, each of the others waits for the one before.
TEST(SlowStage, IsTheSourceForWhichAllOthersWait)
{
    const auto source = task(1, "sensor");
    const auto middle = task(2, "parse");
    const auto last = task(3, "store");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, source, true, 1, 512);
    for (int round = 0; round < 50; ++round) {
        const std::uint64_t next = at + 20 * kMs;
        story.did(next, source, true, 1, 512);
        story.slept(middle, false, 1, at + 30'000, next, 512, 1);
        story.did(next + 10'000, middle, true, 2, 512);
        story.slept(last, false, 2, at + 50'000, next + 20'000, 512, 2);
        at = next;
    }
    const Report report = story.report(at + kMs);
    const auto found = only(report, Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 1u);
    EXPECT_NE(found->text.find("sensor is the slow stage: parse waited 999 ms for it (pipe "
                               "empty), store 999 ms (pipe empty)."),
              std::string::npos) << found->text;
    EXPECT_EQ(above_note(report).size(), 1u);
}

TEST(SlowStage, IsTheReaderForWhichAWriterWaits)
{
    const auto writer = task(1, "gen");
    const auto reader = task(2, "client");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, writer, true, 1, 512).did(at, reader, false, 1, 512);
    for (int round = 0; round < 50; ++round, at += 20 * kMs) {
        story.slept(writer, true, 1, at, at + 19 * kMs, 512, 2);
        story.did(at + 19 * kMs + 2'000, reader, false, 1, 512);
    }
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
    EXPECT_NE(found->text.find("client is the slow stage: gen waited 950 ms for it (pipe full)."),
              std::string::npos) << found->text;
}

/// Its writer has been in a pipeline for long before it starts the slow one.
TEST(SlowStage, MayHaveJoinedLate)
{
    const auto writer = task(1, "gen");
    const auto reader = task(2, "client");
    const auto old = task(3, "setup");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, old, true, 2, 512).did(at, writer, false, 2, 512);
    at += 20 * kSecond;
    story.born(at, reader, 1);
    for (int round = 0; round < 80; ++round, at += 20 * kMs) {
        story.did(at, reader, false, 1, 512);
        story.slept(writer, true, 1, at, at + 19 * kMs, 512, 2);
    }
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
}

/// head | while :; do sleep 0.2; dd; done: no dd is slow.
TEST(SlowStage, MayBeAShellWhoseChildrenRead)
{
    const auto writer = task(1, "head");
    const auto shell = task(2, "bash");
    Story story;
    std::uint64_t at = kMs;
    story.born(at, shell, 9).holds(at, shell, 1, true, false).did(at, writer, true, 1, 512);
    for (std::uint32_t round = 0; round < 10; ++round, at += 200 * kMs) {
        const auto reader = task(10 + round, "dd");
        story.stopped(shell, at, at + 190 * kMs, IPCSCOPE_STATE_INTERRUPTIBLE);
        story.born(at + 190 * kMs, reader, 2);
        story.did(at + 199 * kMs, reader, false, 1, 512);
        story.slept(writer, true, 1, at, at + 199 * kMs, 512, 10 + round);
        story.exits(at + 200 * kMs, reader);
    }
    story.lives_on(at, shell);
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
    EXPECT_NE(found->text.find("is the slow stage: head waited 1.9"), std::string::npos)
        << found->text;
}

/// It runs all the time, and the others nearly none.
TEST(SlowStage, ThatRunsIsToldInAShortTimeWhereItIsClearlySo)
{
    const auto source = task(1, "source");
    const auto middle = task(2, "middle");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, source, true, 1, 512).did(at, middle, false, 1, 512);
    for (int round = 0; round < 30; ++round, at += 6 * kMs) {
        story.slept(source, true, 1, at, at + 6 * kMs - 2'000, 512, 2);
        story.did(at + 6 * kMs - 1'000, middle, false, 1, 512, 512, at);
    }
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
}

/// parent ⇄ worker (which answers late), parent → logger (which reads late).
TEST(SlowStage, ByEdgeAndNotByRank)
{
    const auto parent = task(1, "parent");
    const auto worker = task(2, "worker");
    const auto logger = task(3, "logger");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, logger, false, 9, 1);
    for (int round = 0; round < 8; ++round) {
        story.did(at, parent, true, 1, 1).did(at + 1'000, worker, false, 1, 1);
        story.did(at + 250 * kMs, worker, true, 2, 1);
        story.slept(parent, false, 2, at + 2'000, at + 250 * kMs, 1, 2);
        at += 251 * kMs;
    }
    for (int round = 0; round < 85; ++round) {
        story.slept(parent, true, 9, at, at + 20 * kMs, 4096, 3);
        story.did(at + 20 * kMs, logger, false, 9, 4096);
        at += 20 * kMs + 100'000;
    }
    const Report report = story.report(at);
    const auto found = only(report, Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 3u);
    EXPECT_NE(found->text.find("logger is the slow stage: parent waited 1.70 s for it (pipe "
                               "full)."),
              std::string::npos) << found->text;
    EXPECT_EQ(above_note(report).size(), 1u);
}

TEST(SlowStage, IsNoneThatTakesTurns)
{
    for (const std::uint64_t other_ms : {5, 20}) {
        const auto ping = task(1, "ping");
        const auto pong = task(2, "pong");
        Story story;
        std::uint64_t at = kMs;
        for (int round = 0; round < 50; ++round) {
            story.did(at + 5 * kMs, ping, true, 5, 1);
            story.slept(pong, false, 5, at, at + 5 * kMs, 1, 1);
            at += 5 * kMs;
            story.did(at + other_ms * kMs, pong, true, 6, 1);
            story.slept(ping, false, 6, at, at + other_ms * kMs, 1, 2);
            at += other_ms * kMs;
        }
        EXPECT_EQ(above_note(story.report(at)), std::vector<std::string>{});
    }
}

/// Its answers go back to the process that is blocked in the write of the next job.
TEST(SlowStage, MayAnswerThatWhichWaitsForRoom)
{
    const auto feeder = task(1, "feeder");
    const auto worker = task(2, "worker");
    Story story;
    std::uint64_t at = kMs;
    for (int job = 0; job < 50; ++job) {
        story.slept(feeder, true, 5, at, at + 20 * kMs, 4096, 2);
        at += 20 * kMs;
        story.did(at, worker, false, 5, 4096);
        story.did(at + 5, worker, true, 6, 8);
        story.did(at + 10, feeder, false, 6, 8);
    }
    const Report report = story.report(at);
    const auto found = only(report, Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
    EXPECT_NE(found->text.find("feeder waited 1.00 s for it (pipe full)"), std::string::npos)
        << found->text;
}

TEST(SlowStage, StartUpIsNoSlowness)
{
    const auto writer = task(1, "python");
    const auto reader = task(2, "wc");
    Story story;
    story.born(kMs, writer, 7).born(kMs, reader, 7);
    story.slept(reader, false, 1, 2 * kMs, 900 * kMs, 512, 1);
    story.did(900 * kMs, writer, true, 1, 512);
    story.did(901 * kMs, reader, false, 1, 0);
    EXPECT_FALSE(only(story.report(kSecond), Code::slow_stage));
}

TEST(ReaderGone, IsNamedWithItsExit)
{
    const auto seq = task(1, "seq");
    const auto head = task(2, "head");
    Story story;
    story.did(10 * kMs, head, false, 1, 4096).exits(20 * kMs, head);
    story.did(30 * kMs, seq, true, 1, -32).exits(31 * kMs, seq, 13);
    const auto found = only(story.report(kSecond), Code::reader_gone);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
    EXPECT_EQ(found->text, "1 (seq) was ended by SIGPIPE as it wrote to pipe 1: its last reader, 2 "
                           "(head), had exited 20.0 ms into the trace.");
}

TEST(EagainStorm, SaysHowLongAndHowMany)
{
    const auto writer = task(1, "daemon");
    const auto reader = task(2, "slow-log");
    Story story;
    std::uint64_t at = kMs;
    story.did(at, writer, true, 1, 65'536, 65'536);
    for (int i = 0; i < 500; ++i) {
        at += 2 * kMs;
        story.did(at, writer, true, 1, -11, 65'536);
    }
    story.did(at + kMs, reader, false, 1, 65'536);
    story.did(at + 2 * kMs, writer, true, 1, 65'536, 65'536);
    const Report report = story.report(2 * kSecond);
    const auto found = only(report, Code::eagain_storm);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text, "Pipe 1 was full for 1.00 s, and 1 (daemon) kept retrying: 500 "
                           "of its 502 writes were refused with EAGAIN, up to 500 in a row.");
    EXPECT_GT(report.channels.at(0).full_ns, 990 * kMs);   // the table shows the same
}

TEST(EagainStorm, IsNoneOfAnEventLoop)
{
    const auto reader = task(2, "node");
    Story story;
    for (std::uint64_t at = kMs; at < kSecond; at += kMs) {
        story.did(at, reader, false, 1, 10).did(at + 10'000, reader, false, 1, -11);
    }
    EXPECT_FALSE(only(story.report(kSecond), Code::eagain_storm));
}

TEST(ShortReads, OfWhatAPipeCannotHold)
{
    for (const bool to_the_end : {false, true}) {
        const auto dd = task(2, "dd");
        const auto head = task(1, "head");
        Story story;
        for (std::uint64_t at = kMs; at <= 10 * kMs; at += kMs) {
            story.did(at, head, true, 1, 65'536, 65'536);
            story.did(at + 10'000, dd, false, 1, 65'536, 1u << 20);
        }
        story.did(20 * kMs, head, true, 1, 65'536, 65'536);
        if (to_the_end) {
            story.did(21 * kMs, dd, false, 1, 0, 1u << 20);
        }
        story.exits(22 * kMs, dd);
        const auto found = only(story.report(kSecond), Code::short_reads);
        ASSERT_EQ(found.has_value(), !to_the_end);
        if (found) {
            EXPECT_EQ(found->text,
                      "10 of 10 reads of pipe 1 by 2 (dd) came back short: it asked for 1.00 MiB "
                      "each time, and got 640 KiB in all. The pipe holds 64.0 KiB at most; it "
                      "then exited before the end of file.");
        }
    }
}

/// dd bs=64K: no read of it can be full where the writer's pages are not.
TEST(ShortReads, OfAllThatAPipeCanHold)
{
    const auto dd = task(2, "dd"), head = task(1, "head");
    Story story;
    for (std::uint64_t at = kMs; at <= 8 * kMs; at += kMs) {
        story.did(at, head, true, 1, 50'000, 50'000);
        story.did(at + 10'000, dd, false, 1, 50'000, 65'536);
    }
    story.did(20 * kMs, head, true, 1, 50'000, 50'000).exits(22 * kMs, dd);
    const auto found = only(story.report(kSecond), Code::short_reads);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_NE(found->text.find("8 of 8 reads of pipe 1 by 2 (dd) came back short: it asked for "
                               "64.0 KiB each time"),
              std::string::npos) << found->text;
}

/// Whatever the records say: what is handed on, shared and unattributed is what was waited.
RC_GTEST_PROP(Blame, AddsUp, ())
{
    Story story;
    const std::uint64_t end = 10 * kSecond;
    const auto some = [](std::uint64_t below) { return *rc::gen::inRange<std::uint64_t>(0, below); };
    const auto number = some(60);
    std::uint64_t waited = 0;
    std::map<std::uint32_t, std::uint64_t> free_ns;
    for (std::uint64_t i = 0; i < number; ++i) {
        const auto pid = static_cast<std::uint32_t>(1 + some(6));
        const auto who = task(pid);
        const std::uint64_t start = free_ns[pid] + kMs + some(50) * kMs;
        switch (some(5)) {
        case 0: story.born(start, who, static_cast<std::uint32_t>(some(7))); break;
        case 1: story.holds(some(2) != 0 ? start : end, who, 1 + some(3), some(2) != 0, some(2) != 0);
            break;
        case 2: story.exits(start, who); break;
        default: {
            const std::uint64_t ns = 1 + some(300) * kMs;
            const bool last = some(6) == 0 && start + ns < end;
            const std::uint64_t until = last ? end : start + ns;
            constexpr std::array<std::int32_t, 5> kReturns{1, 0, -32, -512, -11};
            story.slept(who, some(2) != 0, 1 + some(3), start, until, kReturns[some(5)],
                        static_cast<std::uint32_t>(some(8)), last);
            waited += until - start;
            free_ns[pid] = last ? end : until;
            break;
        }
        }
        free_ns[pid] = std::max(free_ns[pid], start);
    }
    const Report report = story.report(end);
    const WaitGraph graph(report);
    const Blame blame = book_waits(graph);
    RC_ASSERT(blame.waited_ns == waited);
    RC_ASSERT(blame.handed_on_ns + blame.shared_ns + blame.unattributed_ns == waited);
    std::uint64_t edges = 0;
    for (const Blame::Edge& edge : blame.edges) {
        edges += edge.ns;
    }
    RC_ASSERT(edges == blame.handed_on_ns);
    diagnose(report);   // and no record makes it fail
}

}  // namespace
}  // namespace ipcscope::diagnose
