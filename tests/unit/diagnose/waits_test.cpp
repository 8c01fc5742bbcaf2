// SPDX-License-Identifier: GPL-2.0-only
// What is found where one side of a pipe sleeps in another system call: in wait4() for its
// children, or in poll.
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kShell = task(10, "sh"), kA = task(11, "a"), kB = task(12, "b"),
                   kOther = task(13, "other");
constexpr std::uint64_t kEnd = 4 * kSecond;

/// a reads pipe 1 and writes pipe 2, b the reverse, and both read first.  The shell has all.
Story two_children()
{
    Story story;
    story.born(1 * kMs, kShell, 5).born(2 * kMs, kA, 10).born(3 * kMs, kB, 10);
    for (const std::uint64_t at : {50 * kMs, kEnd}) {
        for (const std::uint64_t pipe : {1u, 2u}) {
            story.holds(at, kShell, pipe, true, true);
        }
        story.holds(at, kA, 1, true, false).holds(at, kA, 2, false, true);
        story.holds(at, kB, 2, true, false).holds(at, kB, 1, false, true);
    }
    story.slept(kA, false, 1, 100 * kMs, kEnd, 0, 0, true);
    story.slept(kB, false, 2, 110 * kMs, kEnd, 0, 0, true);
    story.lives_on(kEnd, kA).lives_on(kEnd, kB).lives_on(kEnd, kShell);
    return story;
}

TEST(DeadlockOfChildren, TheirShellHoldsTheEndsAndWaits)
{
    Story story = two_children();
    story.sleeps(kShell, kWait4, 60 * kMs, kEnd, true);
    const auto found = only(story.report(kEnd), Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text,
              "Deadlock: 11 (a) was blocked reading pipe 1, of which only 10 (sh), 12 (b) hold "
              "the write end, since 100 ms into the trace; 12 (b) was blocked reading pipe 2, of "
              "which only 10 (sh), 11 (a) hold the write end, since 110 ms into the trace. 10 "
              "(sh) waits in wait4() for a child to exit. It had lasted 3.89 s when the trace "
              "ended.");
    EXPECT_EQ(plain(found->advice),
              "What would end it: one of 10 (sh), 12 (b) writes pipe 1 or all close it; or one "
              "of 10 (sh), 11 (a) writes pipe 2 or all close it.");
    EXPECT_EQ(found->subjects.size(), 3u);
}

TEST(DeadlockOfChildren, IsNoneWhereTheShellDoesSomethingElse)
{
    EXPECT_FALSE(only(two_children().report(kEnd), Code::deadlock));
    Story polls = two_children();
    polls.sleeps(kShell, kPoll, 60 * kMs, kEnd, true);
    EXPECT_FALSE(only(polls.report(kEnd), Code::deadlock));
    Story waited = two_children();
    waited.sleeps(kShell, kWait4, 60 * kMs, 3 * kSecond);
    EXPECT_FALSE(only(waited.report(kEnd), Code::deadlock));
}

/// Its wait may be for that one, and then it may write, or close its ends.
TEST(DeadlockOfChildren, IsNoneWhereAnotherChildMayEndTheWait)
{
    Story story = two_children();
    story.born(4 * kMs, kOther, 10).lives_on(kEnd, kOther);
    story.sleeps(kShell, kWait4, 60 * kMs, kEnd, true);
    EXPECT_FALSE(only(story.report(kEnd), Code::deadlock));
}

TEST(DeadlockOfChildren, IsNoneWhereItMayHaveInheritedAnother)
{
    Story story = two_children();
    story.born(4 * kMs, kOther, 10).born(5 * kMs, task(14, "orphan"), 13);
    story.exits(6 * kMs, kOther).lives_on(kEnd, task(14, "orphan"));
    story.sleeps(kShell, kWait4, 60 * kMs, kEnd, true);
    EXPECT_FALSE(only(story.report(kEnd), Code::deadlock));
}

/// popen(stdin=PIPE), and wait() without a close().
TEST(DeadlockOfChildren, OfOneThatReadsWhatItsWaitingParentHolds)
{
    Story story;
    story.born(1 * kMs, kShell, 5).born(2 * kMs, kA, 10).did(40 * kMs, kShell, true, 1, 10);
    story.did(41 * kMs, kA, false, 1, 10);
    story.holds(kEnd, kShell, 1, false, true).holds(kEnd, kA, 1, true, false);
    story.slept(kA, false, 1, 100 * kMs, kEnd, 0, 0, true);
    story.sleeps(kShell, kWait4, 60 * kMs, kEnd, true);
    story.lives_on(kEnd, kA).lives_on(kEnd, kShell);
    const auto found = only(story.report(kEnd), Code::deadlock);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("10 (sh) waits in wait4() for 11 (a) to exit."), std::string::npos)
        << found->text;
}

/// The reader read a part, and sleeps in epoll_wait() since then.
Story missed_edge(std::uint16_t syscall)
{
    Story story;
    story.born(1 * kMs, kA, 5).born(2 * kMs, kB, 5);
    story.did(50 * kMs, kA, true, 1, 65'536, 65'536);
    story.did(60 * kMs, kB, false, 1, 1'000, 1'000);
    story.sleeps(kB, syscall, 200 * kMs, 3 * kSecond);
    return story;
}

TEST(MissedEdge, UntilTheWriterWasEnded)
{
    Story story = missed_edge(kEpollWait);
    story.slept(kA, true, 1, 100 * kMs, 3 * kSecond, -512, 0);
    story.exits(3'001 * kMs, kA, 9).exits(3'002 * kMs, kB, 9);
    const auto found = only(story.report(kEnd), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->text,
              "11 (a) had been blocked in a write of pipe 1 for 2.90 s when SIGKILL ended it: the "
              "pipe was full. 12 (b) alone holds the read end, and last read from it 60.0 ms "
              "into the trace. 12 (b) slept in epoll_wait() for 2.80 s of that, though the pipe "
              "could be read: it does not poll this pipe for input, or by EPOLLET, where what "
              "was left unread is no new event.");
}

TEST(MissedEdge, UntilTheReaderWasGone)
{
    Story story = missed_edge(kEpollWait);
    story.exits(3'001 * kMs, kB, 9);
    story.slept(kA, true, 1, 100 * kMs, 3'001 * kMs, -32, 12);
    story.exits(3'002 * kMs, kA, 13);
    const Report report = story.report(kEnd);
    const auto found = only(report, Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_NE(found->text.find("for 2.90 s when its last reader was gone"), std::string::npos)
        << found->text;
    EXPECT_EQ(above_note(report).size(), 1u);   // its SIGPIPE follows from that
}

TEST(MissedEdge, IsNotSaidOfPoll)
{
    Story story = missed_edge(kPoll);
    story.slept(kA, true, 1, 100 * kMs, 3 * kSecond, -512, 0);
    story.exits(3'001 * kMs, kA, 9).exits(3'002 * kMs, kB, 9);
    const auto found = only(story.report(kEnd), Code::stuck_write);
    ASSERT_TRUE(found);
    EXPECT_TRUE(found->text.ends_with("slept in poll() for 2.80 s of that, though the pipe could "
                                      "be read: it does not poll this pipe for input."))
        << found->text;
}

/// Each answers what the other asks, by poll; and then both wait for a question.
Story two_polls(bool b_reads_all = true)
{
    Story story;
    story.born(1 * kMs, kA, 5).born(2 * kMs, kB, 5);
    for (std::uint64_t at = 10 * kMs; at < 40 * kMs; at += 10 * kMs) {
        story.did(at, kA, true, 1, 10).did(at + 5 * kMs, kB, true, 2, 10);
        story.polled(at + 50'000, kB, 1, b_reads_all || at < 30 * kMs ? 10 : 5, 2 * kMs);
        story.polled(at + 5'050'000, kA, 2, 10, 2 * kMs);
    }
    story.sleeps(kA, kPoll, 60 * kMs, 3 * kSecond).sleeps(kB, kEpollWait, 70 * kMs, kEnd, true);
    story.exits(3'001 * kMs, kA, 15).lives_on(kEnd, kB);
    return story;
}

TEST(MutualPolls, AreToldAsANoteWhereBothPipesAreEmpty)
{
    const auto found = only(two_polls().report(kEnd), Code::stuck_read);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->severity, Severity::note);
    EXPECT_EQ(found->text,
              "11 (a) and 12 (b) both slept in poll for 2.93 s when SIGTERM ended 11 (a). The "
              "pipes between them, pipe 2 and pipe 1, were empty, and each had polled for the "
              "other's before: they may wait for each other. What they poll now is not "
              "recorded.");
}

TEST(MutualPolls, AreNoneWhereOneHasDataLeft)
{
    EXPECT_FALSE(only(two_polls(false).report(kEnd), Code::stuck_read));
}

TEST(MutualPolls, AreNoneWhereAnotherMayWrite)
{
    Story story = two_polls();
    story.born(3 * kMs, kOther, 5).holds(50 * kMs, kOther, 1, false, true).lives_on(kEnd, kOther);
    EXPECT_FALSE(only(story.report(kEnd), Code::stuck_read));
}

/// record --pid of a process that is in poll, and stays there.
TEST(NothingSeen, SaysWhatTheTracedProcessesDid)
{
    Report report;
    report.host.filters = {"--pid=11"};
    report.host.kernel = "6.12.0";
    report.host.hooks = {"pipe_read"};
    EXPECT_TRUE(what_to_check(report).front().starts_with("Do the filters match"));
    aggregate::ProcessRow row;
    row.task = kA;
    row.time.span_ns = kSecond;
    row.time.parts_ns[static_cast<std::size_t>(aggregate::Part::poll_unknown)] = kSecond;
    report.processes.push_back(row);
    EXPECT_EQ(plain(what_to_check(report).front()),
              "The filters match what made no such call: 11 (a): 100 % in poll for an unknown "
              "object.");
}

TEST(NothingStandsOut, NamesTheLongestWaitsAndWhoEndedThem)
{
    Story story;
    story.did(1 * kMs, kA, true, 1, 8);
    story.slept(kB, false, 1, 100 * kMs, 2 * kSecond, 8, 11);
    story.slept(kA, false, 2, 100 * kMs, 1 * kSecond, -512, 0);
    const std::string text = plain(all_quiet(story.report(kEnd)));
    EXPECT_TRUE(text.ends_with(" The longest waits were those of 12 (b) for 11 (a), 1.90 s in "
                               "all.")) << text;
}

/// An idle server, whose read its own timeout, or a signal, breaks off.
TEST(NothingStandsOut, NamesAWaitThatNoProcessEnded)
{
    Story story;
    story.did(1 * kMs, kA, true, 1, 8);
    story.slept(kA, false, 1, 100 * kMs, 2 * kSecond, -512, 0);
    std::string text = plain(all_quiet(story.report(kEnd)));
    EXPECT_TRUE(text.ends_with(" 11 (a) waited 1.90 s for pipe 1, and no other process is known "
                               "to have ended that.")) << text;
    story.slept(kB, false, 2, 1 * kSecond, kEnd, 0, 0, true);
    text = plain(all_quiet(story.report(kEnd)));
    EXPECT_TRUE(text.ends_with(" 12 (b) waited 3.00 s for pipe 2, and still did when the trace "
                               "ended.")) << text;
}

/// seq | xargs -n 1 sh -c 'sleep; echo' | cat: no sh is slow.
TEST(SlowStage, MayRunCommandsThatWriteForItOneAfterTheOther)
{
    const auto xargs = task(2, "xargs"), cat = task(3, "cat");
    Story story;
    story.born(kMs, xargs, 9).holds(kMs, xargs, 1, false, true).born(kMs, cat, 9);
    std::uint64_t at = 2 * kMs;
    for (std::uint32_t round = 0; round < 6; ++round, at += 200 * kMs) {
        const auto sh = task(10 + round, "sh");
        story.born(at, sh, 2);
        story.stopped(sh, at + kMs, at + 190 * kMs, IPCSCOPE_STATE_INTERRUPTIBLE);
        story.did(at + 191 * kMs, sh, true, 1, 512);
        story.slept(cat, false, 1, at, at + 191 * kMs, 512, 10 + round);
        story.exits(at + 192 * kMs, sh);
    }
    story.lives_on(at, xargs);
    const auto found = only(story.report(at), Code::slow_stage);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->subjects.front().task.tgid, 2u);
    EXPECT_NE(found->text.find("xargs(2) is the slow stage: cat waited 1.1"), std::string::npos)
        << found->text;
    EXPECT_NE(found->text.find("for its 6 commands"), std::string::npos) << found->text;
}

}  // namespace
}  // namespace ipcscope::diagnose
