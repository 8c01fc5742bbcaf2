// SPDX-License-Identifier: GPL-2.0-only
// The wait graph over objects other than pipes: sockets, queues, semaphores, futexes.
#include <cerrno>

#include <gtest/gtest.h>

#include "diagnose/diagnose.hpp"
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kA = task(10, "a");
const decode::Task kB = task(11, "b");
const decode::Task kC = task(12, "c");

/// Semaphore `number` of set 5.
decode::Call semop(std::uint64_t number, std::int32_t amount, std::int32_t value)
{
    decode::Call body{};
    body.type = IPCSCOPE_OBJECT_SYSV_SEM;
    body.op = IPCSCOPE_OP_SEMAPHORE;
    body.object = number << 32 | 5;
    body.requested = 1;
    body.tail.sysv.depth = 1;
    body.tail.sysv.amount = amount;
    body.tail.sysv.semaphore_value = value;
    return body;
}

/// A call on one socket of the pair `own`, `peer`.
decode::Call socket(bool send, std::uint64_t own, std::uint64_t peer, std::int32_t ret,
                    std::uint32_t waker = 0)
{
    decode::Call body{};
    body.type = IPCSCOPE_OBJECT_UNIX_STREAM;
    body.op = send ? IPCSCOPE_OP_SEND : IPCSCOPE_OP_RECEIVE;
    body.object = own;
    body.peer = peer;
    body.dev = 8;
    body.ret = ret;
    body.requested = send ? static_cast<std::uint32_t>(ret) : 4096;
    body.waker_tid = waker;
    return body;
}

Story& sem(Story& story, std::uint64_t at, decode::Task who, std::uint64_t number,
           std::int32_t amount, std::int32_t value)
{
    return story.called(at, who, IPCSCOPE_CALL_SYSV, semop(number, amount, value));
}

void sem_waits(Story& story, decode::Task who, std::uint64_t number, std::uint64_t start,
               std::uint64_t end)
{
    story.called(end, who, IPCSCOPE_CALL_SYSV, semop(number, -1, 0), start, true);
}

Story mutexes(std::uint64_t end)
{
    Story story;
    for (const decode::Task& who : {kA, kB}) {
        story.born(1 * kMs, who, 5);
        story.lives_on(end, who);
    }
    for (std::uint64_t round = 0; round < 3; ++round) {
        const std::uint64_t at = (10 + round * 4) * kMs;
        sem(story, at, kA, 0, -1, 1);
        sem(story, at + kMs, kA, 0, 1, 0);
        sem(story, at + 2 * kMs, kB, 1, -1, 1);
        sem(story, at + 3 * kMs, kB, 1, 1, 0);
    }
    return story;
}

TEST(Channels, SemaphoresThatTwoTookInAnotherOrderAreADeadlock)
{
    const std::uint64_t end = 4 * kSecond;
    Story story = mutexes(end);
    sem(story, 50 * kMs, kA, 0, -1, 1);
    sem(story, 60 * kMs, kB, 1, -1, 1);
    sem_waits(story, kA, 1, 100 * kMs, end);
    sem_waits(story, kB, 0, 110 * kMs, end);
    const Report report = story.report(end);
    const auto found = only(report, Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text,
              "Deadlock: 10 (a) was blocked decrementing semaphore 1 of set 5, which 11 (b) has "
              "taken and not put back, since 100 ms into the trace; 11 (b) was blocked "
              "decrementing semaphore 0 of set 5, which 10 (a) has taken and not put back, since "
              "110 ms into the trace. It had lasted 3.89 s when the trace ended.");
    EXPECT_EQ(plain(found->advice),
              "What would end it: 11 (b) increments semaphore 1 of set 5; or 10 (a) increments "
              "semaphore 0 of set 5.");
    EXPECT_EQ(above_note(report).size(), 1u);
}

TEST(Channels, ASemaphoreThatADeadProcessTookIsAWarningUnlessItIsUndone)
{
    const std::uint64_t end = 4 * kSecond;
    for (const bool undo : {false, true}) {
        Story story = mutexes(end);
        decode::Call take = semop(0, -1, 1);
        take.flags = undo ? IPCSCOPE_CALL_UNDO : 0;
        story.born(1 * kMs, kC, 5).called(50 * kMs, kC, IPCSCOPE_CALL_SYSV, take);
        story.exits(60 * kMs, kC, 9);
        sem_waits(story, kA, 0, 100 * kMs, end);
        const auto found = only(story.report(end), Code::stuck_read);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->severity, undo ? Severity::note : Severity::warning);
        EXPECT_EQ(plain(found->text).find("12 (c) took it 50.0 ms into the trace, and ended 60.0 ms "
                                          "into it without putting it back") == std::string::npos,
                  undo) << found->text;
    }
}

/// It sees that its call failed: it goes on without what it waited for.
TEST(Channels, ACallThatWasBrokenOffSaysWhatItWaitedFor)
{
    const std::uint64_t end = 4 * kSecond;
    for (const std::int32_t ret : {-EINTR, -EAGAIN}) {
        const std::string how = ret == -EINTR ? "a signal" : "its timeout";
        Story story = mutexes(end);
        sem(story, 50 * kMs, kB, 0, -1, 1);
        decode::Call take = semop(0, -1, 0);
        take.ret = ret;
        story.called(2100 * kMs, kA, IPCSCOPE_CALL_SYSV, take, 100 * kMs);
        decode::Call send{};
        send.type = IPCSCOPE_OBJECT_SYSV_MSG;
        send.op = IPCSCOPE_OP_SEND;
        send.object = 7;
        send.ret = ret;
        story.called(3100 * kMs, kC, IPCSCOPE_CALL_SYSV, send, 100 * kMs);
        decode::Call connect = socket(true, 93, 0, ret);
        connect.op = IPCSCOPE_OP_CONNECT;
        story.called(1100 * kMs, task(14, "d"), IPCSCOPE_CALL_UNIX, connect, 100 * kMs);
        const Report report = story.report(end);
        const auto read = only(report, Code::stuck_read);
        ASSERT_TRUE(read);
        EXPECT_EQ(read->severity, Severity::warning);
        EXPECT_EQ(plain(read->text),
                  "10 (a) had been blocked in a semop() that decrements semaphore 0 of set 5 for 2.00 s when " + how +
                      " broke the call off. 11 (b) has taken it and not put it back, and last "
                      "decremented it 50.0 ms into the trace.");
        const auto write = only(report, Code::stuck_write);
        ASSERT_TRUE(write);
        EXPECT_EQ(write->severity, Severity::warning);
        EXPECT_EQ(plain(write->text),
                  "12 (c) had been blocked in a send to System V message queue 7 for 3.00 s when " +
                      how + " broke the call off: the System V message queue was full. Which process could have "
                            "ended that wait is not recorded; none has received from it in the "
                            "trace.");
        const auto connected = only(report, Code::stuck_connect);
        ASSERT_TRUE(connected);
        EXPECT_EQ(plain(connected->text),
                  "14 (d) had been blocked in the connect() of Unix socket 93 for 1.00 s when " + how +
                      " broke the call off: the backlog of the listening socket was full, and no "
                      "accept() had made room for it. Which socket listens is not recorded.");
    }
}

TEST(Channels, CallsWithATimeoutThatAreMadeAgainAreOneWait)
{
    Story story;
    decode::Call send{};
    send.type = IPCSCOPE_OBJECT_SYSV_MSG;
    send.op = IPCSCOPE_OP_SEND;
    send.object = 7;
    send.ret = -ETIMEDOUT;
    for (const std::uint64_t at : {100, 1101, 2102}) {
        story.called((at + 1000) * kMs, kC, IPCSCOPE_CALL_SYSV, send, at * kMs);
    }
    const auto found = only(story.report(4 * kSecond), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_TRUE(plain(found->text).starts_with(
        "12 (c) had been blocked in a send to System V message queue 7 for 3.00 s, by 3 calls in turn, "
        "when the last one's timeout was over: the System V message queue was full.")) << found->text;
}

/// The server's parent is gone either way, and it never sends: that alone makes it no left-over.
TEST(Channels, ASocketIsHeldOpenByWhoAcceptedItForAWorkerThatIsGone)
{
    const decode::Task worker = task(13, "worker");
    const std::uint64_t end = 5 * kSecond;
    for (const bool answered : {false, true}) {
        Story story;
        story.born(1 * kMs, kC, 5).born(2 * kMs, kA, 5).born(2 * kMs, kB, 12).born(20 * kMs, worker, 11);
        story.exits(10 * kMs, kC);
        story.called(21 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(true, 91, 92, 10));
        story.called(22 * kMs, worker, IPCSCOPE_CALL_UNIX, socket(false, 92, 91, 10));
        if (answered) {
            story.called(23 * kMs, worker, IPCSCOPE_CALL_UNIX, socket(true, 92, 91, 10));
            story.called(24 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(false, 91, 92, 10));
        }
        story.exits(25 * kMs, worker);
        story.called(4030 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(false, 91, 92, 0, 11), 30 * kMs);
        story.lives_on(end, kA).lives_on(end, kB);
        const auto found = only(story.report(end), Code::end_held_open);
        ASSERT_EQ(found.has_value(), answered);
        if (found) {
            EXPECT_EQ(plain(found->text), "10 (a) waited 4.00 s for end of file from Unix socket 91: only 11 (b) "
                                   "still held its other end, and never sent to it.");
        }
    }
}

/// Producer and consumer: who takes one semaphore puts the other back.
TEST(Channels, SemaphoresThatAreNoMutexesAreNoDeadlock)
{
    const std::uint64_t end = 4 * kSecond;
    Story story = mutexes(end);
    sem(story, 50 * kMs, kA, 0, -1, 1);
    sem(story, 60 * kMs, kB, 0, 1, 0);
    sem(story, 70 * kMs, kB, 1, -1, 1);
    sem(story, 80 * kMs, kA, 1, 1, 0);
    sem(story, 90 * kMs, kA, 0, -1, 1);
    sem(story, 95 * kMs, kB, 1, -1, 1);
    sem_waits(story, kA, 1, 100 * kMs, end);
    sem_waits(story, kB, 0, 110 * kMs, end);
    EXPECT_FALSE(only(story.report(end), Code::deadlock));
}

/// Both sides wait to receive: the sockets are 21 (of a) and 22 (of b).
TEST(Channels, TwoThatBothReceiveAreADeadlockOnlyWhereTheHoldersAreKnown)
{
    const std::uint64_t end = 4 * kSecond;
    for (const bool listed : {false, true}) {
        Story story;
        for (const auto& [who, own] : {std::pair(kA, 21), std::pair(kB, 22)}) {
            story.born(1 * kMs, who, 5);
            story.lives_on(end, who);
            if (listed) {
                decode::Holder holds = holder(static_cast<std::uint64_t>(own), true, true);
                holds.record.type = IPCSCOPE_OBJECT_UNIX_STREAM;
                holds.record.dev = 8;
                story.holds(end, who, holds);
            }
        }
        story.called(20 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(true, 21, 22, 10));
        story.called(30 * kMs, kB, IPCSCOPE_CALL_UNIX, socket(false, 22, 21, 10));
        story.called(end, kA, IPCSCOPE_CALL_UNIX, socket(false, 21, 22, 0), 40 * kMs, true);
        story.called(end, kB, IPCSCOPE_CALL_UNIX, socket(false, 22, 21, 0), 50 * kMs, true);
        const auto found = only(story.report(end), Code::deadlock);
        ASSERT_EQ(found.has_value(), listed);
        if (listed) {
            EXPECT_NE(found->text.find("10 (a) was blocked receiving from Unix socket 21, of "
                                       "which only 11 (b) holds the other end"),
                      std::string::npos) << found->text;
        }
    }
}

/// client -> socket -> server -> pipe -> logger, which takes its time.
TEST(Channels, AClientWaitsThroughASocketForTheLoggerBehindItsServer)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    for (const decode::Task& who : {kA, kB, kC}) {
        story.born(1 * kMs, who, 5);
        story.lives_on(end, who);
    }
    std::uint64_t at = 20 * kMs;
    story.did(at, kC, false, 7, 10);
    for (; at + 300 * kMs < end; at += 300 * kMs) {
        story.called(at + 299 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(true, 21, 22, 10, 11),
                     at + kMs);
        story.slept(kB, true, 7, at + kMs, at + 298 * kMs, 10, 12);
        story.called(at + 298 * kMs + 500'000, kB, IPCSCOPE_CALL_UNIX, socket(false, 22, 21, 10));
        story.did(at + 297 * kMs, kC, false, 7, 10);
    }
    const Report report = story.report(end);
    ASSERT_EQ(report.pipelines.size(), 1u);
    EXPECT_EQ(report.pipelines[0].stages.size(), 3u);
    const auto found = only(report, Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("Pipeline: a(10) → b(11) → c(12). c is the slow stage: a waited "),
              std::string::npos) << found->text;
    EXPECT_NE(found->text.find("(queue full), b "), std::string::npos) << found->text;
}

TEST(Channels, OneThatWasStoppedIsWhyItsClientWaited)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, kA, 5).born(1 * kMs, kB, 5);
    story.called(30 * kMs, kB, IPCSCOPE_CALL_UNIX, socket(true, 22, 21, 10));
    story.stopped(kB, 100 * kMs, 3 * kSecond);
    story.called(3'010 * kMs, kA, IPCSCOPE_CALL_UNIX, socket(false, 21, 22, 10, 11), 60 * kMs);
    story.lives_on(end, kA).lives_on(end, kB);
    const auto found = only(story.report(end), Code::partner_stopped);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("10 (a) was blocked receiving from Unix socket 21 for 2.95 s, "
                               "because 11 (b) at the other end was stopped"),
              std::string::npos) << found->text;
}

/// Of memory 7.
decode::Call futex(bool wake, std::uint64_t offset, std::uint32_t waker = 0)
{
    decode::Call body{};
    body.type = IPCSCOPE_OBJECT_FUTEX;
    body.op = wake ? IPCSCOPE_OP_WAKE : IPCSCOPE_OP_WAIT;
    body.object = std::uint64_t{7} << 32 | offset / 4;
    body.waker_tid = waker;
    return body;
}

void wakes(Story& story, std::uint64_t at, decode::Task who)
{
    story.called(at, who, IPCSCOPE_CALL_FUTEX, futex(true, 0x40));
}

void waits(Story& story, decode::Task who, std::uint64_t start, std::uint64_t end,
           const decode::Task& waker)
{
    wakes(story, end, waker);
    story.called(end + 1, who, IPCSCOPE_CALL_FUTEX, futex(false, 0x40, waker.tid), start);
}

/// A futex has no holders: who last woke a waiter is all that is known.
TEST(Channels, AFutexThatNoneWokeSaysWhoLastDid)
{
    const std::uint64_t end = 4 * kSecond;
    for (const bool woken : {false, true}) {
        Story story;
        story.born(1 * kMs, kA, 5).lives_on(end, kA);
        if (woken) {
            wakes(story, 40 * kMs, kB);
        }
        story.called(end, kA, IPCSCOPE_CALL_FUTEX, futex(false, 0x40), 50 * kMs, true);
        const auto found = only(story.report(end), Code::stuck_read);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->text,
                  std::string("10 (a) had been blocked in a wait on futex 0x40 of memory 7 for "
                              "3.95 s when the trace ended. Which process could have ended that "
                              "wait is not recorded; ") +
                      (woken ? "11 (b) last woke its waiters, 40.0 ms into the trace."
                             : "none has woken its waiters in the trace."));
    }
}

Story three(std::uint64_t end)
{
    Story story;
    for (const decode::Task& who : {kA, kB, kC}) {
        story.born(1 * kMs, who, 5);
        wakes(story, 5 * kMs, who);
        story.lives_on(end, who);
    }
    return story;
}

/// a holds a lock for 400 ms; b and c for 1 ms, one after the other: c is woken by b.
TEST(Channels, OneThatHoldsALockLongIsWaitedForByAll)
{
    const std::uint64_t end = 2 * kSecond;
    Story story = three(end);
    for (std::uint64_t at = 10 * kMs; at + 410 * kMs < end; at += 410 * kMs) {
        waits(story, kB, at, at + 400 * kMs, kA);
        waits(story, kC, at, at + 401 * kMs, kB);
    }
    const auto found = only(story.report(end), Code::convoy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->subjects.front().task.tgid, 10u);
    EXPECT_EQ(found->subjects.size(), 3u);
    EXPECT_NE(found->text.find("Waits on futex 0x40 of memory 7: 12 (c) 1.60 s, 11 (b) 1.60 s. "
                               "For 1.60 s of "), std::string::npos) << found->text;
    EXPECT_NE(found->text.find("they waited for 10 (a), which itself waited for none "
                               "meanwhile, to wake one of them."), std::string::npos) << found->text;
}

/// It took the lock while it was free: the first call that it makes is the one that gives it back.
TEST(Channels, OneThatTookALockWithoutACallIsWaitedForByAll)
{
    const std::uint64_t end = 2 * kSecond;
    Story story;
    for (const decode::Task& who : {kA, kB, kC}) {
        story.born(1 * kMs, who, 5).lives_on(end, who);
    }
    waits(story, kB, 10 * kMs, 1500 * kMs, kA);
    waits(story, kC, 10 * kMs, 1501 * kMs, kB);
    const auto found = only(story.report(end), Code::convoy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->subjects.front().task.tgid, 10u);
    EXPECT_EQ(found->duration_ns / kMs, 1490u);
}

/// All hold it for as long.
TEST(Channels, ALockThatAllHoldForAsLongIsNoConvoy)
{
    const std::uint64_t end = 2 * kSecond;
    Story story = three(end);
    for (std::uint64_t at = 10 * kMs; at + 310 * kMs < end; at += 300 * kMs) {
        waits(story, kB, at, at + 100 * kMs, kA);
        waits(story, kC, at + 100 * kMs + 2, at + 200 * kMs, kB);
        waits(story, kA, at + 200 * kMs + 2, at + 300 * kMs, kC);
    }
    EXPECT_FALSE(only(story.report(end), Code::convoy));
}

TEST(Channels, AConsumerThatWaitsForItsProducerIsANote)
{
    const std::uint64_t end = 2 * kSecond;
    Story story = three(end);
    for (std::uint64_t at = 10 * kMs; at + 110 * kMs < end; at += 110 * kMs) {
        waits(story, kB, at, at + 100 * kMs, kA);
    }
    const auto found = only(story.report(end), Code::convoy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
    EXPECT_EQ(found->subjects.size(), 2u);
}

TEST(Channels, TwoThatWaitForEachOtherAlikeAreNone)
{
    const std::uint64_t end = 2 * kSecond;
    Story story = three(end);
    for (std::uint64_t at = 10 * kMs; at + 210 * kMs < end; at += 200 * kMs) {
        waits(story, kB, at, at + 100 * kMs, kA);
        waits(story, kA, at + 100 * kMs + 2, at + 200 * kMs, kB);
    }
    EXPECT_FALSE(only(story.report(end), Code::convoy));
}

/// On a futex of process 10.
decode::Call lock(bool wake, std::uint32_t waker = 0)
{
    decode::Call body = futex(wake, 0, waker);
    body.type = IPCSCOPE_OBJECT_FUTEX_PRIVATE;
    body.object = 0x7f10;
    body.dev = 10;
    return body;
}

Story threads(std::uint64_t end, bool gives_back)
{
    const decode::Task one{10, 10, Comm("a")}, two{10, 21, Comm("b")}, three{10, 22, Comm("c")};
    Story story;
    for (const decode::Task& who : {one, two, three}) {
        story.born(1 * kMs, who, 5);
        story.called(5 * kMs, who, IPCSCOPE_CALL_FUTEX, lock(true));
        story.lives_on(end, who);
    }
    for (std::uint64_t at = 10 * kMs; at + 410 * kMs < end; at += 410 * kMs) {
        story.called(at + 400 * kMs, one, IPCSCOPE_CALL_FUTEX, lock(true));
        story.called(at + 400 * kMs + 1, two, IPCSCOPE_CALL_FUTEX, lock(false, one.tid), at);
        const decode::Task& second = gives_back ? two : one;
        story.called(at + 401 * kMs, second, IPCSCOPE_CALL_FUTEX, lock(true));
        story.called(at + 401 * kMs + 1, three, IPCSCOPE_CALL_FUTEX, lock(false, second.tid), at);
    }
    return story;
}

TEST(Channels, AThreadThatHoldsALockLongIsWaitedForByTheOthers)
{
    const std::uint64_t end = 2 * kSecond;
    const auto found = only(threads(end, true).report(end), Code::convoy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->subjects.size(), 3u);
    EXPECT_EQ(plain(found->text).substr(0, plain(found->text).find(" meanwhile")),
              "Waits on private futex 0x7f10: thread 22 (c) 1.60 s, thread 21 (b) 1.60 s. For "
              "1.60 s of 1.64 s they waited for thread 10 (a), which itself waited for none")
        << found->text;
}

TEST(Channels, ThreadsOfAnIdlePoolAreANote)
{
    const std::uint64_t end = 2 * kSecond;
    const auto found = only(threads(end, false).report(end), Code::convoy);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
}

decode::Call message(bool send, std::uint32_t priority, std::uint32_t queued)
{
    decode::Call body{};
    body.type = IPCSCOPE_OBJECT_MQUEUE;
    body.op = send ? IPCSCOPE_OP_SEND : IPCSCOPE_OP_RECEIVE;
    body.object = 44;
    body.dev = 7;
    body.ret = send ? 0 : 8;
    body.tail.mqueue.messages = queued;
    body.tail.mqueue.max_messages = 10;
    body.tail.mqueue.priority = priority;
    return body;
}

/// a sends one of priority 1 and then, each 10 ms, one of priority 9; b takes as many.
Story priorities(std::uint64_t end, int urgent)
{
    Story story;
    for (const decode::Task& who : {kA, kB}) {
        story.born(1 * kMs, who, 5);
        story.lives_on(end, who);
    }
    story.called(5 * kMs, kA, IPCSCOPE_CALL_MQUEUE, message(true, 1, 0));
    for (int i = 0; i < urgent; ++i) {
        const std::uint64_t at = (10 + 10 * static_cast<std::uint64_t>(i)) * kMs;
        story.called(at, kA, IPCSCOPE_CALL_MQUEUE, message(true, 9, 1));
        story.called(at + kMs, kB, IPCSCOPE_CALL_MQUEUE, message(false, 0, 2));
    }
    return story;
}

TEST(Channels, AMessageThatOthersOvertakeForLongIsStarved)
{
    const std::uint64_t end = 2 * kSecond;
    const auto found = only(priorities(end, 150).report(end), Code::priority_starved);
    ASSERT_TRUE(found);
    EXPECT_EQ(plain(found->text),
              "In message queue 44, a message of priority 1 has waited 2.00 s: 150 of a "
              "higher priority that were sent after it were received before it. 11 (b) received "
              "150 of priority 9, which waited up to 1.00 ms, and 0 of the 1 of priority 1.");
    EXPECT_EQ(found->subjects.front().task.tgid, 11u);
}

/// Few overtake it, or it does not wait for long.
TEST(Channels, AMessageThatWaitsALittleIsNotStarved)
{
    EXPECT_FALSE(only(priorities(2 * kSecond, 10).report(2 * kSecond), Code::priority_starved));
    EXPECT_FALSE(only(priorities(400 * kMs, 39).report(400 * kMs), Code::priority_starved));
}

/// That the word has changed is no refusal.
TEST(Channels, AFutexsWaitsThatFindAnotherValueAreNoStorm)
{
    const std::uint64_t end = 4 * kSecond;
    Story story;
    story.born(1 * kMs, kA, 5);
    decode::Call body = futex(false, 0x40);
    body.ret = -EAGAIN;
    for (std::uint64_t at = 10; at < 60; ++at) {
        story.called(at * kMs, kA, IPCSCOPE_CALL_FUTEX, body);
    }
    story.lives_on(end, kA);
    EXPECT_FALSE(only(story.report(end), Code::eagain_storm));
}

}  // namespace
}  // namespace ipcscope::diagnose
