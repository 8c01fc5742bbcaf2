// SPDX-License-Identifier: GPL-2.0-only
// What is said of processes that should have ended: from events, the whole sentence.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "death_sentences.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;
using Story = DeathStory;

constexpr Life::Send kToZombie{.result = IPCSCOPE_RESULT_IGNORED,
                               .state = IPCSCOPE_STATE_ZOMBIE, .dying = true};

TEST(DeathFindings, AKillThatFoundNothingStuckAndThenD)
{
    Story life;
    life.send(1000, kShell, kApp, kKill);
    life.look(1100, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "request_wait_answer");
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 1000, 5000);
    life.exit(5000, kApp, 9);
    life.reap(5001, kApp);
    EXPECT_EQ(life.text(6000), "kill-stuck: SIGKILL from 5 (bash) to 6 (app): it then slept in D "
                               "in request_wait_answer for 4.00 s; it was gone 4.00 s after the "
                               "signal.");
    const Finding finding = life.found(6000).at(0);
    EXPECT_EQ(finding.severity, Severity::warning);
    EXPECT_EQ(finding.at_ns, Life::ns(1000));
    EXPECT_EQ(finding.duration_ns, 4000 * kMs);
    EXPECT_EQ(finding.stack, std::vector<std::string>{"request_wait_answer+0x1"});
    ASSERT_EQ(finding.subjects.size(), 2u);
    EXPECT_EQ(finding.subjects[0].task.tgid, kApp);
    EXPECT_EQ(finding.subjects[1].role, "sender");
}

TEST(DeathFindings, OneThatNeverEndedIsAnError)
{
    Story life;
    life.send(1000, kShell, kApp, kKill, {.state = IPCSCOPE_STATE_UNINTERRUPTIBLE});
    life.send(2000, kShell, kApp, kKill, {.state = IPCSCOPE_STATE_UNINTERRUPTIBLE});
    life.send(3000, kOther, kApp, kTerm, {.result = IPCSCOPE_RESULT_IGNORED, .dying = true});
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 0, 4000);
    life.lives(4000, kApp);
    EXPECT_EQ(life.text(4000),
              "kill-stuck: SIGKILL from 5 (bash), 2 times, to 6 (app): it slept in D, in what is "
              "not known (its kernel stack could not be read) for 3.00 s; it was still there "
              "3.00 s after the signal, when the trace ended. 1 more signal that should end it "
              "came meanwhile (SIGTERM from 7 (other)).");
    EXPECT_EQ(life.found(4000).at(0).severity, Severity::error);
}

TEST(DeathFindings, AHandlerThatTakesLong)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.look(1100, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "hrtimer_nanosleep");
    life.look(2000, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "hrtimer_nanosleep");
    life.exit(3000, kApp, 0);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at "
                               "1.00 s; it was gone 2.00 s after the signal. It slept in "
                               "hrtimer_nanosleep when it was looked at.");
    EXPECT_EQ(life.found(4000).at(0).duration_ns, 2000 * kMs);
}

/// trace kills records no thread's time.
TEST(DeathFindings, AKillOfAThreadInDByLooksAlone)
{
    Story life;
    life.send(1000, kShell, kApp, kKill);
    life.look(1100, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "request_wait_answer");
    life.look(2000, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "request_wait_answer");
    life.lives(2000, kApp);
    EXPECT_EQ(life.text(2000), "kill-stuck: SIGKILL from 5 (bash) to 6 (app): it then slept in D "
                               "in request_wait_answer for 1.00 s; it was still there 1.00 s "
                               "after the signal, when the trace ended.");
}

/// A trap of a shell runs when its child has ended.
TEST(DeathFindings, AHandlerThatWaitedForAChild)
{
    Story life;
    life.process(8, "sleep", kApp, 500, IPCSCOPE_THREAD_FORK);
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.look(1100, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "do_wait");
    life.exit(2990, 8, 0);
    life.exit(3000, kApp, 0);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at "
                               "1.00 s; it was gone 2.00 s after the signal. It slept in do_wait "
                               "when it was looked at, and its child 8 (sleep) exited 10.0 ms "
                               "before it.");
}

TEST(DeathFindings, AShortChildIsNotWhatItWaitedFor)
{
    Story life;
    life.process(8, "sleep", kApp, 2800, IPCSCOPE_THREAD_FORK);
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.exit(2990, 8, 0);
    life.exit(3000, kApp, 0);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000).find("child"), std::string::npos) << life.text(4000);
}

/// A critical section: it dies as it unblocks the signal.
TEST(DeathFindings, ASignalThatWasBlockedForAWhile)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kBlocked);
    life.take(2000, kApp, kTerm, IPCSCOPE_TAKE_DEFAULT);
    life.exit(2001, kApp, kTerm);
    life.reap(2002, kApp);
    EXPECT_EQ(life.text(4000), "signal-blocked: SIGTERM from 5 (bash) to 6 (app): it blocked "
                               "SIGTERM for 1.00 s; it was gone 1.00 s after the signal.");
}

TEST(DeathFindings, AHandlerThatTheMaskHeldBack)
{
    Story life;
    Life::Send how = kHandled;
    how.blocked = true;
    life.send(1000, kShell, kApp, kTerm, how);
    life.take(2000, kApp, kTerm);
    life.exit(2500, kApp, 0);
    life.reap(2501, kApp);
    EXPECT_EQ(life.text(4000), "signal-blocked: SIGTERM from 5 (bash) to 6 (app): it blocked "
                               "SIGTERM for 1.00 s, ran its handler at 2.00 s; it was gone 1.50 s "
                               "after the signal.");
}

/// To reload, and not to end: the SIGTERM that comes later has no delay.
TEST(DeathFindings, ASighupWithAHandlerIsAMessage)
{
    for (const unsigned how : {IPCSCOPE_TAKE_HANDLER, IPCSCOPE_TAKE_SIGWAIT}) {
        Story life;
        life.send(1000, kShell, kApp, kHup, kHandled);
        life.take(1000, kApp, kHup, how);
        life.send(2000, kShell, kApp, kTerm);
        life.exit(2001, kApp, kTerm);
        life.reap(2002, kApp);
        EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) was ended by SIGTERM from 5 "
                                   "(bash), uid 0, at 2.00 s.");
    }
}

TEST(DeathFindings, ASighupThatIsIgnored)
{
    Story life;
    life.send(1000, kShell, kApp, kHup, kIgnored);
    life.exit(3000, kApp, 0);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "signal-ignored: SIGHUP from 5 (bash) to 6 (app): it ignores "
                               "SIGHUP; it was gone 2.00 s after the signal.");
    EXPECT_EQ(life.found(4000).at(0).severity, Severity::note) << "nohup does that";
}

TEST(DeathFindings, ASigintThatStaysBlocked)
{
    Story life;
    life.send(1000, kShell, kApp, kInt, kBlocked);
    life.lives(4000, kApp);
    EXPECT_EQ(life.text(4000), "signal-blocked: SIGINT from 5 (bash) to 6 (app): it blocks "
                               "SIGINT, which stayed pending; it was still there 3.00 s after the "
                               "signal, when the trace ended.");
}

TEST(DeathFindings, AHandlerAndThenSigkill)
{
    Story life;
    life.process(8, "sleep", kApp);
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.look(1100, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "do_wait");
    life.send(3000, kOther, kApp, kKill);
    life.exit(3001, kApp, 9);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at "
                               "1.00 s. SIGKILL from 7 (other) ended it 2.00 s later. It slept in "
                               "do_wait when it was looked at, and its child 8 (sleep) was alive.");
}

TEST(DeathFindings, ABlockedSigterm)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kBlocked);
    life.send(3000, kShell, kApp, kKill);
    life.exit(3001, kApp, 9);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "signal-blocked: SIGTERM from 5 (bash) to 6 (app): it blocks SIGTERM, "
                               "which stayed pending. SIGKILL ended it 2.00 s later.");
}

TEST(DeathFindings, AnIgnoredSigterm)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kIgnored);
    life.send(3000, kShell, kApp, kKill);
    life.exit(3001, kApp, 9);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "signal-ignored: SIGTERM from 5 (bash) to 6 (app): it ignores SIGTERM. "
                               "SIGKILL ended it 2.00 s later.");
}

/// It was not the parent's wish, and need not have been its child's when it began.
TEST(DeathFindings, APdeathsigIsTheKernelsAtTheParentsExit)
{
    Story life;
    life.exit(1000, kShell, 0);
    life.send(1000, kShell, kApp, kTerm,
              {.result = IPCSCOPE_RESULT_IGNORED, .disposition = IPCSCOPE_DISPOSITION_IGNORE,
               .origin = IPCSCOPE_ORIGIN_PARENT_EXIT});
    life.lives(4000, kApp);
    EXPECT_EQ(life.text(4000), "signal-ignored: SIGTERM from the kernel as its parent 5 (bash) "
                               "exited (PDEATHSIG) to 6 (app): it ignores SIGTERM; it was still "
                               "there 3.00 s after the signal, when the trace ended.");
    EXPECT_EQ(life.found(4000).at(0).subjects.at(1).role, "parent");
}

/// timeout(1) ignores the signal that it sends to its own group.
TEST(DeathFindings, OnesOwnIgnoredSignalIsNone)
{
    Story life;
    life.send(1000, kApp, kApp, kTerm, kIgnored);
    life.lives(4000, kApp);
    EXPECT_EQ(life.text(4000), "");
}

TEST(DeathFindings, AStoppedTarget)
{
    for (const bool itself : {false, true}) {
        Story life;
        life.send(300, itself ? kApp : kOther, kApp, kStop);
        life.send(600, kShell, kApp, kTerm);
        life.send(2600, kShell, kApp, kCont);
        life.stay(kApp, IPCSCOPE_STATE_STOPPED, 300, 2600);
        life.take(2600, kApp, kTerm, IPCSCOPE_TAKE_GROUP_EXIT);
        life.exit(2601, kApp, 15);
        life.reap(2602, kApp);
        EXPECT_EQ(life.text(4000),
                  fmt::format("target-stopped: SIGTERM from 5 (bash) to 6 (app): it had been stopped by "
                              "SIGSTOP from {} at 300 ms, until SIGCONT from 5 (bash) at 2.60 s (2.00 s "
                              "of that after the signal); it was gone 2.00 s after the signal.",
                              itself ? "itself" : "7 (other)"));
    }
}

TEST(DeathFindings, AFrozenTargetThatHandlesIt)
{
    Story life;
    life.send(600, kShell, kApp, kTerm, kHandled);
    life.stay(kApp, IPCSCOPE_STATE_FROZEN, 300, 2600);
    life.take(2600, kApp, kTerm);
    life.exit(2601, kApp, 0);
    life.reap(2602, kApp);
    EXPECT_EQ(life.text(4000),
              "target-frozen: SIGTERM from 5 (bash) to 6 (app): it was frozen, with its cgroup, for "
              "2.00 s, and ran its handler at 2.60 s; it was gone 2.00 s after the signal.");
}

TEST(DeathFindings, ATracedTarget)
{
    Story life;
    life.process(9, "gdb");
    life.send(1000, kShell, kApp, kTerm);
    auto look = life.look_of(IPCSCOPE_STATE_TRACED);
    look.record.tracer_pid = 9;
    life.look(1100, kApp, look);
    life.stay(kApp, IPCSCOPE_STATE_TRACED, 500, 3000);
    life.exit(3001, kApp, 15);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "target-traced: SIGTERM from 5 (bash) to 6 (app): it was held by its "
                               "debugger 9 (gdb) for 2.00 s; it was gone 2.00 s after the signal.");
}

TEST(DeathFindings, AVforkWait)
{
    Story life;
    life.process(9, "sh", kApp);
    life.send(1000, kShell, kApp, kTerm);
    auto look = life.look_of(IPCSCOPE_STATE_UNINTERRUPTIBLE);
    look.record.vfork_child = 9;
    life.look(1100, kApp, look);
    life.stay(kApp, IPCSCOPE_STATE_KILLABLE, 500, 3000);
    life.exit(3001, kApp, 15);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "kill-stuck: SIGTERM from 5 (bash) to 6 (app): it waited 2.00 s in "
                               "vfork() for its child 9 (sh); it was gone 2.00 s after the signal.");
}

/// One look finds it in vfork(), long after the signal: for how long, is not known.
TEST(DeathFindings, AVforkWaitOfOneLook)
{
    Story life;
    life.process(9, "sh", kApp);
    life.send(1000, kShell, kApp, kTerm);
    auto look = life.look_of(IPCSCOPE_STATE_INTERRUPTIBLE);
    look.record.vfork_child = 9;
    life.look(4000, kApp, look);
    EXPECT_EQ(life.text(4100).find("vfork()"), std::string::npos) << life.text(4100);
}

TEST(DeathFindings, ReasonsThatFollowEachOther)
{
    Story life;
    life.send(500, kOther, kApp, kStop);
    life.send(1000, kShell, kApp, kTerm);
    life.send(2000, kOther, kApp, kCont);
    life.stay(kApp, IPCSCOPE_STATE_STOPPED, 500, 2000);
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 2000, 5000);
    life.look(3000, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "nfs_wait");
    life.exit(5000, kApp, 15);
    life.reap(5000, kApp);
    EXPECT_EQ(life.text(6000),
              "kill-stuck: SIGTERM from 5 (bash) to 6 (app): it then slept in D in nfs_wait for "
              "3.00 s, had been stopped by SIGSTOP from 7 (other) at 500 ms, until SIGCONT from "
              "7 (other) at 2.00 s (1.00 s of that after the signal); it was gone 4.00 s after "
              "the signal.");
}

TEST(DeathFindings, AZombie)
{
    Story life;
    life.exit(1, kApp, 3 << 8);
    for (const std::uint64_t ms : {1000, 1300, 1600}) {
        life.send(ms, kOther, kApp, kKill, kToZombie);
    }
    EXPECT_EQ(life.text(4000), "zombie: SIGKILL from 7 (other), 3 times, to 6 (app) can do nothing: it "
                               "is a zombie, which exited at 1.00 ms with status 3, and its parent "
                               "5 (bash) has not reaped it.");
    EXPECT_EQ(life.found(4000).at(0).severity, Severity::error);
    life.reap(5000, kApp);
    EXPECT_NE(life.text(6000).find("did not reap it for at least 4.00 s."), std::string::npos);
    EXPECT_EQ(life.found(6000).at(0).severity, Severity::warning);
}

TEST(DeathFindings, AZombieWhoseParentNeverReapedIt)
{
    Story life;
    life.exit(1, kApp, 3 << 8);
    life.send(1000, kOther, kApp, kKill, kToZombie);
    life.send(2000, kShell, 1, 17, {.child = kApp});
    life.exit(2000, kShell, 0);
    life.reap(2010, kApp);   // by init
    EXPECT_NE(life.text(4000).find("its parent 5 (bash) never did reap it, but exited at 2.00 s."),
              std::string::npos) << life.text(4000);
}

TEST(DeathFindings, AZombieThatADebuggerHolds)
{
    Story life;
    life.send(1000, kShell, kApp, kKill);
    life.exit(1001, kApp, 9);
    auto look = life.look_of(IPCSCOPE_STATE_ZOMBIE);
    look.record.tracer_pid = kOther;
    life.look(1100, kApp, look);
    life.reap(4001, kApp);
    EXPECT_EQ(life.text(5000), "slow-reap: SIGKILL from 5 (bash) to 6 (app) ended it within 1.00 "
                               "ms. Its debugger 7 (other) did not reap it for at least another 2.00 s.");
}

TEST(DeathFindings, ASigkillThatEndedWhatWasHeld)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm);
    life.send(2000, kOther, kApp, kKill);
    life.stay(kApp, IPCSCOPE_STATE_TRACED, 500, 2000);
    life.exit(2001, kApp, 9);
    life.reap(2002, kApp);
    EXPECT_NE(life.text(4000).find("for 1.00 s. SIGKILL from 7 (other) ended it 1.00 s later."),
              std::string::npos) << life.text(4000);
}

TEST(DeathFindings, ASigkillThatTheInitOfANamespaceIgnoresEndsNothing)
{
    Story life;
    Life::Send to_init = kIgnored;
    to_init.unkillable = true;
    life.send(1000, kOther, kApp, kTerm, to_init);
    life.send(2000, kOther, kApp, kKill, to_init);
    life.exit(3500, kApp, 0);
    life.reap(3501, kApp);
    EXPECT_EQ(life.text(4000).find("SIGKILL ended"), std::string::npos) << life.text(4000);
    EXPECT_EQ(life.text(4000).find("SIGKILL followed"), std::string::npos) << life.text(4000);
}

TEST(DeathFindings, AZombieOfBeforeTheTrace)
{
    Story life;
    life.send(1000, kOther, kApp, kKill, kToZombie);
    auto look = life.look_of(IPCSCOPE_STATE_ZOMBIE);
    look.record.exit_code = 3 << 8;
    look.record.ppid = kShell;
    life.look(1000, kApp, look);
    life.look(2000, kApp, look);
    EXPECT_EQ(life.text(4000), "zombie: SIGKILL from 7 (other) to 6 (app) can do nothing: it is a "
                               "zombie, which had exited before the trace with status 3, and its "
                               "parent 5 (bash) has not reaped it.");
}

TEST(DeathFindings, AZombieOfBeforeTheTraceThatADebuggerHolds)
{
    Story life;
    life.process(9, "gdb");
    life.send(1000, kOther, kApp, kKill, kToZombie);
    auto look = life.look_of(IPCSCOPE_STATE_ZOMBIE);
    look.record.ppid = kShell;
    look.record.tracer_pid = 9;
    life.look(1000, kApp, look);
    life.look(2000, kApp, look);
    EXPECT_EQ(life.text(4000), "zombie: SIGKILL from 7 (other) to 6 (app) can do nothing: it is a zombie, "
                               "which had exited before the trace with status 0, and its debugger 9 (gdb) "
                               "has not reaped it.");
    EXPECT_TRUE(life.found(4000).at(0).advice.starts_with("End or detach the debugger"));
}

TEST(DeathFindings, AParentThatReapsLate)
{
    Story life;
    life.send(1000, kOther, kApp, kKill);
    life.exit(1001, kApp, 9);
    life.stay(kShell, IPCSCOPE_STATE_INTERRUPTIBLE, 900, 3000);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-reap: SIGKILL from 7 (other) to 6 (app) ended it within 1.00 ms. "
                               "Its parent 5 (bash) did not reap it for at least another 2.00 s.");
}

TEST(DeathFindings, ACrashThatIsReapedLateIsACrash)
{
    Story life;
    life.send(1000, kApp, kApp, 11, {.origin = IPCSCOPE_ORIGIN_FAULT});
    life.exit(1001, kApp, 11);
    life.stay(kShell, IPCSCOPE_STATE_INTERRUPTIBLE, 900, 3000);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "crash: 6 (app) was ended by SIGSEGV from a fault of its own at 1.00 s. "
                               "Its parent 5 (bash) did not reap it for at least another 2.00 s.");
}

TEST(DeathFindings, ACoreDumpThatTakesLong)
{
    Story life;
    life.send(1000, kApp, kApp, 11, {.origin = IPCSCOPE_ORIGIN_FAULT});
    life.take(1000, kApp, 11, IPCSCOPE_TAKE_DEFAULT);
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 1000, 1300);
    life.look(1100, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "call_usermodehelper_exec");
    life.look(2000, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "do_coredump");
    EXPECT_EQ(life.text(2500), "crash: SIGSEGV from a fault of its own to 6 (app): it was dumping core "
                               "for 1.00 s (in do_coredump when it was last looked at); it was still "
                               "there 1.00 s after the signal, when it was last looked at.");
    life.exit(4000, kApp, 11 | 0x80);
    life.reap(4001, kApp);
    EXPECT_EQ(life.text(5000), "crash: SIGSEGV from a fault of its own to 6 (app): it dumped core for "
                               "3.00 s (in do_coredump when it was last looked at); it was gone 3.00 s "
                               "after the signal.");
}

TEST(DeathFindings, TheInitOfANamespace)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm,
              {.result = IPCSCOPE_RESULT_IGNORED, .unkillable = true});
    life.send(3000, kShell, kApp, kKill);
    life.exit(3001, kApp, 9);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000),
              "container-shutdown: SIGTERM from 5 (bash) to 6 (app): it is the init of its pid "
              "namespace, which has no handler for it and so ignores it. SIGKILL ended it 2.00 s "
              "later.");
}

/// The init of a pid namespace, 6, and a process in it, 8.
struct Container : Story {
    Container() { process(8, "java", kApp); }
    void shut_down()
    {
        send(1000, kShell, kApp, kTerm, {.result = IPCSCOPE_RESULT_IGNORED, .unkillable = true});
    }
    void end(std::uint64_t ms)
    {
        send(ms, kShell, kApp, kKill);
        send(ms + 1, kApp, 8, kKill, {.origin = IPCSCOPE_ORIGIN_PID_NAMESPACE});
        exit(ms + 2, 8, 9);
        reap(ms + 2, 8);
        exit(ms + 3, kApp, 9);
        reap(ms + 3, kApp);
    }
};

TEST(Shutdown, WhatEndsWithTheInitIsToldWithIt)
{
    Container life;
    life.shut_down();
    life.end(3000);
    EXPECT_EQ(life.text(4000),
              "container-shutdown: SIGTERM from 5 (bash) to 6 (app): it is the init of its pid "
              "namespace, which has no handler for it and so ignores it. SIGKILL ended it 2.00 s "
              "later. The kernel ended 8 (java) with it, which got no SIGTERM.");
    const Finding finding = life.found(4000).at(0);
    ASSERT_EQ(finding.subjects.size(), 3u);
    EXPECT_EQ(finding.subjects[2].role, "inside");
    EXPECT_EQ(finding.subjects[2].task.tgid, 8u);
    EXPECT_NE(finding.advice.find("--init"), std::string::npos);
}

TEST(Shutdown, AProcessThatGotTheSignalToo)
{
    Container life;
    life.shut_down();
    life.send(1001, kApp, 8, kTerm, kHandled);
    life.take(1002, 8, kTerm);
    life.end(3000);
    EXPECT_NE(life.text(4000).find("The kernel ended 8 (java) with it, which ran its handler at "
                                   "1.00 s."),
              std::string::npos)
        << life.text(4000);
}

TEST(Shutdown, AHandlerThatComesLate)
{
    Container life;
    life.shut_down();
    auto look = life.look_of(IPCSCOPE_STATE_INTERRUPTIBLE);
    life.look(1100, kApp, look);
    look.record.caught = 1u << (kTerm - 1);
    life.look(2000, kApp, look);
    life.end(3000);
    EXPECT_NE(life.text(4000).find("had no handler for it yet, so that the kernel ignored it; it "
                                   "had one 1.00 s after it, and none 100 ms after it"),
              std::string::npos)
        << life.text(4000);
}

TEST(Shutdown, ASignalFromInsideIsNone)
{
    Container life;
    life.send(1000, 8, kApp, kTerm,
              {.result = IPCSCOPE_RESULT_IGNORED, .unkillable = true});
    life.end(3000);
    EXPECT_TRUE(life.text(4000).starts_with("signal-unkillable: SIGTERM from 8 (java)"))
        << life.text(4000);
}

TEST(Shutdown, OneThatEndsSoonIsNone)
{
    Container life;
    life.send(1000, kShell, kApp, kTerm, {.disposition = IPCSCOPE_DISPOSITION_HANDLER,
                                          .unkillable = true});
    life.take(1000, kApp, kTerm);
    life.send(1021, kApp, 8, kKill, {.origin = IPCSCOPE_ORIGIN_PID_NAMESPACE});
    life.exit(1022, 8, 9);
    life.reap(1022, 8);
    life.exit(1023, kApp, 0);
    life.reap(1023, kApp);
    for (const Finding& finding : life.found(4000)) {
        EXPECT_EQ(finding.severity, Severity::note) << finding.text;
    }
}

TEST(DeathFindings, WhatEndsAtOnceIsANote)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm);
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 1000, 1050);
    life.exit(1060, kApp, 15);
    life.reap(1061, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) was ended by SIGTERM from 5 (bash), "
                               "uid 0, at 1.00 s.");
}

TEST(DeathFindings, WhoEndedIt)
{
    Story life;
    life.user(0, "root");
    life.process(1, "init");
    life.look_up(1000, kShell, "bash", 1, "bash -c 'kill -9 6'");
    life.send(1000, kShell, kApp, kKill);
    life.exit(1001, kApp, 9);
    life.reap(1002, kApp);
    EXPECT_EQ(life.text(2000), "ended-by-process: 6 (app) was ended by SIGKILL from 5 (bash), "
                               "user root, at 1.00 s: bash -c 'kill -9 6'.");
    const Finding finding = life.found(2000).at(0);
    EXPECT_EQ(finding.severity, Severity::note);
    ASSERT_EQ(finding.subjects.size(), 2u);
    EXPECT_EQ(identity(finding.subjects[0]),
              "target: app(6) ← bash(5) ← init(1); user root");
    EXPECT_EQ(identity(finding.subjects[1]),
              "sender: bash(5) ← init(1); user root; bash -c 'kill -9 6'");
}

TEST(DeathFindings, WhoEndedItIsTheOneWhoseSignalWasDelivered)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kIgnored);
    life.send(1010, kOther, kApp, kKill);
    life.send(1011, kShell, kApp, kKill, {.result = IPCSCOPE_RESULT_IGNORED, .dying = true});
    life.exit(1012, kApp, 9);
    life.reap(1013, kApp);
    EXPECT_EQ(life.text(2000), "ended-by-process: 6 (app) was ended by SIGKILL from 7 (other), "
                               "uid 0, at 1.01 s. SIGTERM from 5 (bash) had come 10.0 ms before.");
}

TEST(DeathFindings, ManyThatOneProcessEndedAreToldAsOne)
{
    Story life;
    for (std::uint32_t pid = 100; pid < 110; ++pid) {
        life.process(pid, "worker", kShell);
        life.send(1000, pid == 109 ? kOther : kShell, pid, kTerm);
        life.exit(1001, pid, kTerm);
        life.reap(1002, pid);
    }
    const Findings found = life.found(2000);
    ASSERT_EQ(found.size(), 5u);
    EXPECT_EQ(found.back().subjects.size(), 6u);
    EXPECT_NE(life.text(2000).find("6 more processes were ended by SIGTERM from 5 (bash)."),
              std::string::npos);
}

TEST(DeathFindings, AProcessThatWaitsForACpuIsANote)
{
    Story life;
    life.send(1000, kShell, kApp, kKill);
    life.stay(kApp, IPCSCOPE_STATE_KILLABLE, 1010, 1050);   // less than half of the time
    life.exit(1150, kApp, 9);
    life.reap(1151, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) was ended by SIGKILL from 5 (bash), "
                               "uid 0, at 1.00 s.");
    life.process(kShell, "sleep", 0, 1500, IPCSCOPE_THREAD_EXEC);
    EXPECT_EQ(life.text(4000), "sender-renamed: SIGKILL from 5 (bash, now sleep) to 6 (app) ended it "
                               "at 1.00 s.");
}

TEST(DeathFindings, TheOomKillerNamesTheMemoryCgroup)
{
    Story life;
    life.send(1000, kOther, kApp, kKill,
              {.origin = IPCSCOPE_ORIGIN_OOM, .memory_limit = 20u << 20, .memory_cgroup = "oom"});
    life.exit(1010, kApp, 9);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000),
              "oom-kill: 6 (app) was ended by SIGKILL from the kernel's OOM killer at 1.00 s: "
              "memory cgroup oom was at its limit of 20.0 MiB. No process sent it.");
}

TEST(DeathFindings, TheOomKillerOfTheWholeMachine)
{
    Story life;
    life.send(1000, kOther, kApp, kKill, {.origin = IPCSCOPE_ORIGIN_OOM});
    life.exit(1010, kApp, 9);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000),
              "oom-kill: 6 (app) was ended by SIGKILL from the kernel's OOM killer at 1.00 s: "
              "the machine had run out of memory. No process sent it.");
}

TEST(DeathFindings, AKeyOrAHangupNamesTheTerminal)
{
    Story life;
    life.send(1000, kOther, kApp, kInt,
              {.origin = IPCSCOPE_ORIGIN_TERMINAL, .terminal = 136u << 20 | 3});
    life.exit(1010, kApp, kInt);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-kernel: 6 (app) was ended by SIGINT from the terminal "
                               "/dev/pts/3 at 1.00 s.");
}

TEST(DeathFindings, AFaultIsOnesOwn)
{
    Story life;
    life.send(1000, kApp, kApp, 11, {.origin = IPCSCOPE_ORIGIN_FAULT});
    life.exit(1010, kApp, 11 | 0x80);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000),
              "crash: 6 (app) was ended by SIGSEGV from a fault of its own at 1.00 s.");
}

/// A handled fault, or another signal that ended it, is none.
TEST(DeathFindings, AFaultThatDidNotEndItIsNone)
{
    Story life;
    life.send(1000, kApp, kApp, 11,
              {.disposition = IPCSCOPE_DISPOSITION_HANDLER, .origin = IPCSCOPE_ORIGIN_FAULT});
    life.exit(1010, kApp, 0);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000), "");
}

TEST(DeathFindings, ManyThatTheKernelEndedAreToldAsOne)
{
    Story life;
    for (std::uint32_t pid = 20; pid < 27; ++pid) {
        life.process(pid, "worker", kShell);
        life.send(1000, kOther, pid, kKill, {.origin = IPCSCOPE_ORIGIN_PID_NAMESPACE});
        life.exit(1010, pid, 9);
        life.reap(1011, pid);
    }
    const std::string text = life.text(4000);
    EXPECT_NE(text.find("20 (worker) was ended by SIGKILL from the kernel as the init of its pid "
                        "namespace ended at 1.00 s."),
              std::string::npos) << text;
    EXPECT_NE(text.find("4 more processes were ended by SIGKILL from the kernel as the init"),
              std::string::npos) << text;
    EXPECT_EQ(text.find("23 (worker)"), std::string::npos) << text;
}

TEST(DeathFindings, ABlockedSigtermOfAnInheritedMask)
{
    const std::uint64_t term = IPCSCOPE_SIG_BIT(kTerm);
    for (const bool execs : {false, true}) {
        for (const bool unblocked : {false, true}) {
            Story life;
            life.process(9, "child", kShell, 500, IPCSCOPE_THREAD_FORK, term);
            if (execs) {
                life.process(9, "sleep", kShell, 501, IPCSCOPE_THREAD_EXEC,
                             unblocked ? 0 : term);
            }
            life.send(1000, kOther, 9, kTerm, kBlocked);
            life.send(3000, kOther, 9, kKill);
            life.exit(3001, 9, 9);
            life.reap(3001, 9);
            const std::string text = life.text(4000);
            const std::string inherited = execs
                ? ", and did so at its exec already: it inherited that mask from its parent 5 (bash)."
                : ", as its parent 5 (bash) did when it made it.";
            EXPECT_EQ(text.find("stayed pending" + inherited) != std::string::npos,
                      !(execs && unblocked)) << text;
        }
    }
}

TEST(DeathFindings, AReloadIsNone)
{
    Story life;
    life.send(1000, kShell, kApp, kHup, kHandled);
    life.take(1000, kApp, kHup);
    life.lives(9000, kApp);
    EXPECT_EQ(life.text(9000), "");
}

TEST(DeathFindings, ASigintThatAProcessEndsAfter)
{
    Story life;
    life.send(1000, kShell, kApp, kInt, kHandled);
    life.take(1000, kApp, kInt);
    EXPECT_EQ(life.text(4000), "") << "it may go on";
    life.exit(3000, kApp, 0);
    life.reap(3000, kApp);
    EXPECT_NE(life.text(4000).find("SIGINT from 5 (bash) to 6 (app): it ran its handler"),
              std::string::npos);
}

/// Of what is outside the trace, no taking is recorded: it may have taken it at once.
TEST(DeathFindings, ATargetOutsideTheTrace)
{
    Story life({"--pid=5"});
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.look(1100, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "do_wait");
    life.look(2000, kApp, IPCSCOPE_STATE_INTERRUPTIBLE, "do_wait");
    EXPECT_EQ(life.text(4000), "");
    life.send(2000, kShell, kOther, kKill, {.state = IPCSCOPE_STATE_UNINTERRUPTIBLE});
    life.look(3000, kOther, IPCSCOPE_STATE_UNINTERRUPTIBLE, "nfs_wait");
    EXPECT_EQ(life.text(4000), "kill-stuck: SIGKILL from 5 (bash) to 7 (other): it slept in D in "
                               "nfs_wait for 1.00 s; it was still there 1.00 s after the signal, "
                               "when it was last looked at.");
}

TEST(DeathFindings, WhatProcRefusedIsNamed)
{
    Story life;
    life.send(1000, kShell, kApp, kKill);
    auto look = life.look_of(IPCSCOPE_STATE_UNINTERRUPTIBLE);
    look.record.missing = IPCSCOPE_MISSING_STACK | IPCSCOPE_MISSING_SYSCALL;
    look.wait_channel = SafeText::escape("folio_wait");
    life.look(1100, kApp, look);
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 1000, 2000);
    life.exit(2000, kApp, 9);
    const auto found = life.found(4000);
    ASSERT_FALSE(found.empty());
    EXPECT_NE(found[0].text.find("in D in folio_wait for"), std::string::npos);
    const auto missing = std::ranges::find(found[0].evidence, "not_read", &Evidence::key);
    ASSERT_NE(missing, found[0].evidence.end());
    EXPECT_EQ(std::get<std::string>(missing->value), "syscall, stack");
}

TEST(DeathFindings, NineOfTenSigchldOfTenSenders)
{
    Story life;
    for (std::uint32_t child = 10; child < 20; ++child) {
        life.process(child, "job", kApp, 10, IPCSCOPE_THREAD_FORK);
        correlate::SignalInterval signal;
        signal.generated_ns = Life::ns(child);
        signal.sender = aggregate::test::task(child, "job");
        signal.target = aggregate::test::task(kApp, "app");
        signal.signal = kChld;
        signal.outcome = child == 10 ? decode::Outcome::delivered
                                     : decode::Outcome::already_pending;
        signal.end = child == 10 ? aggregate::End::handler : aggregate::End::not_queued;
        signal.ended_ns = Life::ns(2000);
        life.aggregator.interval(signal);
        life.exit(child, child, 0);
    }
    life.take(2000, kApp, kChld);
    life.reap(2000, 10);
    EXPECT_EQ(life.text(2050), "") << "a shell reaps them all";
    EXPECT_EQ(life.text(3000), "signal-merged: 9 of 10 SIGCHLD from 10 senders to 6 (app) merged into "
                               "one that was already pending, and 9 children were left unreaped "
                               "after it, for 250 ms and more.");
}

TEST(DeathFindings, ASenderWithAnotherNameNow)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm);
    life.exit(1001, kApp, 15);
    life.reap(1001, kApp);
    EXPECT_EQ(life.text(3000), "ended-by-process: 6 (app) was ended by SIGTERM from 5 (bash), "
                               "uid 0, at 1.00 s.");
    life.process(kShell, "sleep", 0, 1500, IPCSCOPE_THREAD_EXEC);
    EXPECT_EQ(life.text(3000), "sender-renamed: SIGTERM from 5 (bash, now sleep) to 6 (app) ended it "
                               "at 1.00 s.");
    EXPECT_EQ(life.found(3000).at(0).severity, Severity::note);
}

correlate::SignalInterval usr1(std::uint64_t from_ms, std::uint64_t to_ms)
{
    correlate::SignalInterval signal;
    signal.generated_ns = Life::ns(from_ms);
    signal.ended_ns = Life::ns(to_ms);
    signal.sender = aggregate::test::task(kShell, "bash");
    signal.target = aggregate::test::task(kApp, "app");
    signal.signal = 10;
    signal.shared = true;
    signal.end = to_ms == 0 ? aggregate::End::pending : aggregate::End::handler;
    return signal;
}

TEST(LateSignals, SayOfAllWhatHeldThem)
{
    Story life;
    life.stay(kApp, IPCSCOPE_STATE_STOPPED, 1000, 1900);
    for (unsigned nth = 0; nth < 3; ++nth) {
        life.aggregator.interval(usr1(1000 + nth, 1901));
    }
    auto blocked = usr1(2000, 2006);
    blocked.blocked = true;
    life.aggregator.interval(blocked);
    life.aggregator.interval(usr1(2100, 2104));   // no record says what so short a wait was for
    life.aggregator.interval(usr1(2200, 2205));
    EXPECT_TRUE(life.text(3000).ends_with(
        "Of 5 that took 5.00 ms or more 3 waited while it was stopped, 1 while it had them "
        "blocked, 1 for what no record says."))
        << life.text(3000);
    EXPECT_EQ(life.report(3000).signals.at(0).held,
              (std::array<std::uint64_t, aggregate::kHeldBy>{3, 0, 0, 0, 0, 0, 0, 1, 1}));
}

TEST(LateSignals, SayWhy)
{
    Story life;
    life.stay(kApp, IPCSCOPE_STATE_FROZEN, 900, 1900);
    life.aggregator.interval(usr1(1000, 2000));
    EXPECT_EQ(life.text(3000), "target-frozen: SIGUSR1 from 5 (bash) to 6 (app) took 1.00 s to arrive: "
                               "the receiver was frozen for 900 ms of that.");
    Story starved;
    starved.stay(kApp, IPCSCOPE_STATE_RUNNABLE, 1001, 1999);
    starved.aggregator.interval(usr1(1000, 2000));
    EXPECT_EQ(starved.text(3000), "target-starved: SIGUSR1 from 5 (bash) to 6 (app) took 1.00 s to "
                                  "arrive: the receiver waited for a CPU for 998 ms of that.");
    Story blocks;
    auto signal = usr1(1000, 2000);
    signal.blocked = true;
    blocks.aggregator.interval(signal);
    EXPECT_EQ(blocks.text(3000), "signal-late: SIGUSR1 from 5 (bash) to 6 (app) took 1.00 s to "
                                 "arrive: the receiver blocked it until then.");
    Story thread;
    signal.shared = false;
    signal.target = {kApp, kApp + 1, aggregate::test::task(kApp, "io").comm};
    signal.target_process = aggregate::test::task(kApp, "app").comm;
    thread.aggregator.interval(signal);
    EXPECT_EQ(thread.text(3000), "signal-late: SIGUSR1 from 5 (bash) to 6 (app) took 1.00 s to "
                                 "arrive: its thread 7 (io), to which alone it was sent, blocked it "
                                 "until then.");
    Story unknown;
    unknown.aggregator.interval(usr1(1000, 2000));
    EXPECT_EQ(unknown.text(3000),
              "signal-late: SIGUSR1 from 5 (bash) to 6 (app) took 1.00 s to arrive.");
}

TEST(LateSignals, StillPending)
{
    Story life;
    auto signal = usr1(1000, 0);
    signal.blocked = true;
    life.aggregator.interval(signal);
    EXPECT_EQ(life.text(3000), "signal-pending: SIGUSR1 from 5 (bash) to 6 (app): 1 was still pending "
                               "when the trace ended, 2.00 s after it was sent: the receiver "
                               "blocked it.");
}

TEST(LateSignals, ASigchldThatAShellBlocksIsNone)
{
    Story life;
    auto signal = usr1(1000, 2000);
    signal.signal = kChld;
    signal.blocked = true;
    life.aggregator.interval(signal);
    EXPECT_EQ(life.text(3000), "");
}

}  // namespace
}  // namespace ipcscope::diagnose
