// SPDX-License-Identifier: GPL-2.0-only
// What is said of pipes whose end of file does not come, and of those whose reader is gone.
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kShell = task(10, "bash"), kWriter = task(11, "writer"),
                   kRelay = task(12, "relay"), kReader = task(13, "reader");
constexpr std::uint64_t kEnd = 4 * kSecond;

/// while :; do date; sleep 2; done | cat: the next date will write.
TEST(HeldOpen, IsNotSaidOfAShellThatRunsAnotherCommand)
{
    for (const bool by_a_signal : {false, true}) {
        const auto date = task(20, "date"), sleep = task(21, "sleep");
        Story story;
        story.born(1 * kMs, kShell, 5).born(2 * kMs, kReader, 5);
        story.born(10 * kMs, date, 10).did(20 * kMs, date, true, 1, 30).exits(21 * kMs, date);
        story.did(22 * kMs, kReader, false, 1, 30).born(25 * kMs, sleep, 10);
        for (const auto& who : {kShell, sleep}) {
            story.holds(kEnd, who, 1, false, true).lives_on(kEnd, who);
        }
        story.holds(kEnd, kReader, 1, true, false);
        story.slept(kReader, false, 1, 30 * kMs, kEnd, by_a_signal ? -512 : 0, 0, !by_a_signal);
        EXPECT_FALSE(only(story.report(kEnd), Code::end_held_open));
    }
}

/// python -c 'subprocess.run(["date"]); time.sleep(60)' | tee log: python has nothing to write yet.
TEST(HeldOpen, IsNotSaidOfAProgramThatHasRunACommand)
{
    for (const bool forgot : {false, true}) {
        const auto date = task(20, "date");
        Story story;
        // Where it made both of them, it should have closed its end.
        story.born(1 * kMs, kShell, 5).born(2 * kMs, kReader, forgot ? kShell.tgid : 5);
        story.born(10 * kMs, date, kShell.tgid).did(20 * kMs, date, true, 1, 30).exits(21 * kMs, date);
        story.did(22 * kMs, kReader, false, 1, 30);
        story.holds(kEnd, kShell, 1, false, true).lives_on(kEnd, kShell);
        story.holds(kEnd, kReader, 1, true, false);
        story.slept(kReader, false, 1, 30 * kMs, kEnd, 0, 0, true);
        EXPECT_EQ(only(story.report(kEnd), Code::end_held_open).has_value(), forgot);
    }
}

/// sh -c 'server | logger &': the shell gave each its end, and is gone.
TEST(HeldOpen, IsNotSaidOfAWriterWhoseReaderHasTheSameParent)
{
    Story story;
    story.born(1 * kMs, kShell, 5).born(2 * kMs, kWriter, 10).born(3 * kMs, kReader, 10);
    story.exits(4 * kMs, kShell).holds(kEnd, kWriter, 1, false, true);
    story.holds(kEnd, kReader, 1, true, false).lives_on(kEnd, kWriter);
    story.slept(kReader, false, 1, 30 * kMs, kEnd, 0, 0, true);
    EXPECT_FALSE(only(story.report(kEnd), Code::end_held_open));
}

/// exec 3<>fifo; read <&3: any process may open it by its name.
TEST(HeldOpen, IsNotSaidOfAFifo)
{
    Story story;
    story.born(1 * kMs, kReader, 5).holds(kEnd, kReader, holder(1, true, true, "/run/cmd"));
    auto body = op(false, 1, 0, 0);
    body.type = IPCSCOPE_OBJECT_FIFO;
    story.called(kEnd, kReader, IPCSCOPE_CALL_PIPE, body, 100 * kMs, true).lives_on(kEnd, kReader);
    EXPECT_FALSE(only(story.report(kEnd), Code::end_held_open));
}

/// cat /dev/zero | (head; exit 3): the write that fills the pipe returns the part that it wrote.
TEST(ReaderGone, AfterAWriteThatHadMovedAPart)
{
    Story story;
    story.born(1 * kMs, kWriter, 5).born(2 * kMs, kReader, 5);
    story.did(10 * kMs, kReader, false, 1, 4096);
    story.slept(kWriter, true, 1, 20 * kMs, 500 * kMs, 65'536, 0, false, 65'536);
    story.exits(500 * kMs - 1'000, kReader, 3 << 8).exits(501 * kMs, kWriter, 13);
    const auto found = only(story.report(kSecond), Code::reader_gone);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_EQ(found->text, "11 (writer) was ended by SIGPIPE as it wrote to pipe 1: its last "
                           "reader, 13 (reader), had exited with status 3 500 ms into the trace.");
}

/// seq | cat | head: cat is ended as head has what it wanted, and seq as cat is gone.
TEST(ReaderGone, OneThatSigpipeEndedDidNotFail)
{
    Story story;
    story.did(10 * kMs, kReader, false, 1, 4096).exits(20 * kMs, kReader, 13);
    story.did(30 * kMs, kWriter, true, 1, -32).exits(31 * kMs, kWriter, 13);
    const auto found = only(story.report(kSecond), Code::reader_gone);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
}

/// It closed its end, and exited later.
TEST(ReaderGone, DoesNotBlameAnExitThatCameAfterIt)
{
    for (const bool exits : {false, true}) {
        Story story;
        story.did(10 * kMs, kReader, false, 1, 4096);
        story.did(500 * kMs, kWriter, true, 1, -32).exits(501 * kMs, kWriter, 13);
        if (exits) {
            story.exits(3 * kSecond, kReader, 3 << 8);
        }
        const auto found = only(story.report(kEnd), Code::reader_gone);
        ASSERT_TRUE(found);
        EXPECT_EQ(found->severity, Severity::note);
        EXPECT_EQ(found->text, "11 (writer) was ended by SIGPIPE as it wrote to pipe 1: no "
                               "process had its read end open any more.");
    }
}

/// seq | cat | head: cat reads in a loop, and is ended by SIGPIPE.
TEST(ShortReads, AreNoLossOfOneThatASignalEnded)
{
    Story story;
    for (std::uint64_t at = kMs; at <= 10 * kMs; at += kMs) {
        story.did(at, kWriter, true, 1, 65'536, 65'536);
        story.did(at + 10'000, kReader, false, 1, 65'536, 1u << 17);
    }
    story.did(12 * kMs, kWriter, true, 1, -32).exits(20 * kMs, kReader, 13);
    EXPECT_FALSE(only(story.report(kSecond), Code::short_reads));
}

/// (line; sleep; line; ...) | grep -q: it asks for 96 KiB each time, and has seen enough.
TEST(ShortReads, AreNoLossOfOneThatLooksForALine)
{
    Story story;
    for (std::uint64_t at = 30 * kMs; at <= 210 * kMs; at += 30 * kMs) {
        story.did(at, kWriter, true, 1, 7, 7).did(at + 10'000, kReader, false, 1, 7, 98'304);
    }
    story.exits(211 * kMs, kReader).did(240 * kMs, kWriter, true, 1, -32);
    EXPECT_FALSE(only(story.report(kSecond), Code::short_reads));
}

/// A loop that looks each 50 ms, and one that is woken in poll and finds that another was faster.
TEST(EagainStorm, IsNoneOfATickerOrOfOneThatWaitsInPoll)
{
    for (const std::uint64_t period : {50 * kMs, 5 * kMs}) {
        Story story;
        for (std::uint64_t at = period; at <= 100 * period; at += period) {
            story.polled(at, kReader, 1, -11, period == 50 * kMs ? 0 : 4 * kMs);
        }
        EXPECT_FALSE(only(story.report(10 * kSecond), Code::eagain_storm)) << period;
    }
}

TEST(SmallWrites, ThoseThatWereRefusedWroteNothing)
{
    Story story;
    std::uint64_t at = kMs;
    for (int i = 0; i < 6'000; ++i, at += 10'000) {
        story.did(at, kWriter, true, 1, i % 30 == 0 ? 1024 : -11, 1024);
    }
    EXPECT_FALSE(only(story.report(kSecond), Code::small_writes));
}

/// Request and answer, and then both read: another thread may have the next request.
TEST(Deadlock, IsNoneOfAnIdleClientWithAnotherThread)
{
    Story story;
    for (const std::uint64_t at : {100 * kMs, kEnd}) {
        story.holds(at, kWriter, 1, false, true).holds(at, kReader, 1, true, false);
        story.holds(at, kReader, 2, false, true).holds(at, kWriter, 2, true, false);
    }
    story.did(50 * kMs, kWriter, true, 1, 5).did(51 * kMs, kReader, false, 1, 5);
    story.did(52 * kMs, kReader, true, 2, 2).did(53 * kMs, kWriter, false, 2, 2);
    story.slept(kReader, false, 1, 60 * kMs, kEnd, 0, 0, true);
    story.slept(kWriter, false, 2, 60 * kMs, kEnd, 0, 0, true);
    story.lives_on(kEnd, kWriter).lives_on(kEnd, kReader).lives_on(kEnd, task(11, "writer", 15));
    EXPECT_FALSE(only(story.report(kEnd), Code::deadlock));
}

/// writer → relay → reader: the relay polls for room, and the reader reads nothing.
TEST(StuckWrite, NamesWhoKeepsTheRelayFromReading)
{
    Story story;
    story.born(1 * kMs, kWriter, 5).born(2 * kMs, kRelay, 5).born(3 * kMs, kReader, 5);
    story.did(40 * kMs, kWriter, true, 1, 65'536, 65'536).did(50 * kMs, kRelay, false, 1, 65'536, 65'536);
    auto write = op(true, 2, 0, 4096);
    write.requested = 65'536;
    write.flags = IPCSCOPE_CALL_NONBLOCK;
    story.called(60 * kMs, kRelay, IPCSCOPE_CALL_PIPE, write);
    story.sleeps(kRelay, kPoll, 70 * kMs, kEnd, true);
    story.slept(kWriter, true, 1, 100 * kMs, kEnd, 0, 0, true);
    for (const std::uint64_t at : {10 * kMs, kEnd}) {
        story.holds(at, kWriter, 1, false, true).holds(at, kRelay, 1, true, false);
        story.holds(at, kRelay, 2, false, true).holds(at, kReader, 2, true, false);
    }
    story.lives_on(kEnd, kWriter).lives_on(kEnd, kRelay).lives_on(kEnd, kReader);
    const auto found = only(story.report(kEnd), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("12 (relay) slept in poll() for 3.90 s of that, as pipe 2, which "
                               "it writes, was full. 13 (reader) alone holds the read end, and "
                               "has not read from it in the trace."),
              std::string::npos) << found->text;
}

/// One write of 500 MB, of which the reader takes 4 KiB each millisecond.
TEST(StuckWrite, IsNoneThatGoesOn)
{
    Story story;
    story.born(1 * kMs, kWriter, 5).born(2 * kMs, kReader, 5);
    for (std::uint64_t at = 10 * kMs; at < kEnd; at += kMs) {
        story.did(at, kReader, false, 1, 4096);
    }
    auto write = op(true, 1, 5 * kMs, 0, kEnd - 5 * kMs);
    write.sleeps = 255;
    story.adds(kEnd, kWriter, write, true);
    story.holds(kEnd, kWriter, 1, false, true).holds(kEnd, kReader, 1, true, false);
    story.lives_on(kEnd, kReader);
    const Report report = story.report(kEnd);
    EXPECT_FALSE(only(report, Code::stuck_write));
    const auto found = only(report, Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, kReader.tgid) << found->text;
}

/// recv() of a server that exits with 1; the next send() finds the peer of its socket gone.
TEST(ReaderGone, OfASocketWhoseOtherEndIsClosed)
{
    const auto on_socket = [](unsigned op, std::uint64_t own, std::uint64_t peer, std::int32_t ret) {
        decode::Call body{};
        body.type = IPCSCOPE_OBJECT_UNIX_STREAM;
        body.op = static_cast<std::uint8_t>(op);
        body.object = own;
        body.peer = peer;
        body.ret = ret;
        body.requested = 10;
        return body;
    };
    Story story;
    story.called(10 * kMs, kWriter, IPCSCOPE_CALL_UNIX, on_socket(IPCSCOPE_OP_SEND, 7, 8, 10));
    story.called(20 * kMs, kReader, IPCSCOPE_CALL_UNIX, on_socket(IPCSCOPE_OP_RECEIVE, 8, 7, 10));
    story.exits(30 * kMs, kReader, 1 << 8);
    story.called(90 * kMs, kWriter, IPCSCOPE_CALL_UNIX, on_socket(IPCSCOPE_OP_SEND, 7, 0, -32));
    story.exits(91 * kMs, kWriter, 13);
    const auto found = only(story.report(kSecond), Code::reader_gone);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::warning);
    EXPECT_NE(found->text.find("13 (reader), had exited with status 1 30.0 ms into the trace."),
              std::string::npos) << found->text;
}

/// It reads from upstream as it is stopped, and as it goes on; what it gets comes later.
TEST(Partner, IsNotTheReasonWhereItWaitedForAnother)
{
    Story story;
    const auto bash = task(22, "bash");
    story.did(50 * kMs, kRelay, true, 2, 10).did(51 * kMs, kReader, false, 2, 10);
    story.slept(kRelay, false, 1, 100 * kMs, 300 * kMs, -512, 0);
    story.signal(300 * kMs, bash, kRelay, 19).signal(1'500 * kMs, bash, kRelay, 18);
    story.stopped(kRelay, 300 * kMs, 1'500 * kMs);
    story.slept(kRelay, false, 1, 1'501 * kMs, 2'200 * kMs, 10, 11);
    story.slept(kReader, false, 2, 100 * kMs, 2'201 * kMs, 10, 12);
    EXPECT_FALSE(only(story.report(kEnd), Code::partner_stopped));
}

}  // namespace
}  // namespace ipcscope::diagnose
