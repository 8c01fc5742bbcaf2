// SPDX-License-Identifier: GPL-2.0-only
// Which of several signals a death's finding is about, and from when on its delay counts.
#include <gtest/gtest.h>

#include "death_sentences.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;
using Story = DeathStory;

constexpr unsigned kQuit = 3, kPipe = 13, kAlarm = 14, kSegv = 11, kXfsz = 25;

TEST(DeathCauses, ACrashAfterASigtermIsACrash)
{
    for (const std::uint64_t later : {30u, 500u}) {
        Story life;
        life.send(1000, kShell, kApp, kTerm, kHandled);
        life.take(1000, kApp, kTerm);
        life.send(1000 + later, kApp, kApp, kSegv, {.origin = IPCSCOPE_ORIGIN_FAULT});
        life.exit(1001 + later, kApp, kSegv);
        life.reap(1001 + later, kApp);
        EXPECT_EQ(life.text(4000),
                  fmt::format("crash: 6 (app) was ended by SIGSEGV from a fault of its own at "
                              "1.{:02} s. SIGTERM from 5 (bash) had come {} ms before.",
                              later / 10, later == 30 ? "30.0" : "500"));
    }
}

TEST(DeathCauses, AnOomKillAfterASigtermNamesTheLimit)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.send(2000, kApp, kApp, kKill,
              {.origin = IPCSCOPE_ORIGIN_OOM, .memory_limit = 20u << 20, .memory_cgroup = "oom"});
    life.exit(2001, kApp, kKill);
    life.reap(2001, kApp);
    const std::string text = life.text(4000);
    EXPECT_TRUE(text.starts_with("oom-kill: 6 (app)")) << text;
    EXPECT_NE(text.find("20.0 MiB"), std::string::npos) << text;
    EXPECT_TRUE(text.ends_with("SIGTERM from 5 (bash) had come 1.00 s before.")) << text;
}

/// kill P; kill -9 P: the second ended it.
TEST(DeathCauses, OfTwoSignalsTheOneThatEndedIt)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.send(1010, kOther, kApp, kKill);
    life.exit(1011, kApp, kKill);
    life.reap(1012, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) was ended by SIGKILL from 7 (other), uid 0, at "
                               "1.01 s. SIGTERM from 5 (bash) had come 10.0 ms before.");
}

/// Reload; a stop of a second; then SIGTERM, which has nothing to do with it.
TEST(DeathCauses, WhatWasBeforeTheSignalDidNotDelayIt)
{
    Story life;
    life.send(1000, kShell, kApp, kHup, kHandled);
    life.take(1000, kApp, kHup);
    life.send(2000, kShell, kApp, kStop);
    life.send(3000, kShell, kApp, kCont);
    life.stay(kApp, IPCSCOPE_STATE_STOPPED, 2000, 3000);
    life.send(4000, kShell, kApp, kTerm, kHandled);
    life.take(4000, kApp, kTerm);
    life.exit(4300, kApp, 0);
    life.reap(4300, kApp);
    EXPECT_EQ(life.text(6000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at "
                               "4.00 s; it was gone 300 ms after the signal.");
}

TEST(DeathCauses, SeveralStopsAreCounted)
{
    Story life;
    for (std::uint64_t at = 500; at <= 1500; at += 500) {
        life.send(at, kOther, kApp, kStop);
        life.send(at + 400, kOther, kApp, kCont);
        life.stay(kApp, IPCSCOPE_STATE_STOPPED, at, at + 400);
        if (at == 500) {
            life.send(600, kShell, kApp, kTerm, kHandled);
        }
    }
    life.take(1950, kApp, kTerm);
    life.exit(2000, kApp, 0);
    life.reap(2000, kApp);
    EXPECT_NE(life.text(3000).find("it was stopped 3 times, 1.10 s of that after the signal: at "
                                   "longest it was stopped by SIGSTOP from 7 (other) at 1.00 s"),
              std::string::npos) << life.text(3000);
}

/// A daemon blocks SIGHUP while it works: what is late is a message, and no end.
TEST(DeathCauses, ALateReloadIsLate)
{
    Story life;
    Life::Send how = kHandled;
    how.blocked = true;
    life.send(1000, kShell, kApp, kHup, how);
    life.take(2000, kApp, kHup);
    life.lives(4000, kApp);
    aggregate::Report report = life.report(4000);
    aggregate::SignalRow row;
    row.signal = kHup;
    row.sender = aggregate::test::task(kShell, "bash");
    row.target = aggregate::test::task(kApp, "app");
    row.latency.add(1000 * kMs);
    row.longest = aggregate::SignalWait{Life::ns(1000), Life::ns(2000), true, false, {}};
    report.signals = {row};
    const Findings found = diagnose(report);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].code, Code::signal_late);
}

/// The starter is gone when the signal comes, and another has its child.
TEST(DeathCauses, AMaskIsInheritedFromWhoMadeTheProcess)
{
    const std::uint64_t term = IPCSCOPE_SIG_BIT(kTerm);
    Story life;
    life.process(8, "starter", kShell, 100, IPCSCOPE_THREAD_FORK);
    life.process(9, "daemon", 8, 500, IPCSCOPE_THREAD_FORK, term);
    life.exit(600, 8, 0);
    life.reap(601, 8);
    life.send(1000, kOther, 9, kTerm, kBlocked);
    decode::Observed look = life.look_of(IPCSCOPE_STATE_INTERRUPTIBLE);
    look.record.ppid = kOther;
    look.record.blocked = look.record.pending = term;
    life.look(1100, 9, look);
    life.send(3000, kOther, 9, kKill);
    life.exit(3001, 9, 9);
    life.reap(3001, 9);
    EXPECT_NE(life.text(4000).find("stayed pending, as its parent 8 (starter) did when it made it."),
              std::string::npos) << life.text(4000);
}

/// A thread that blocks the signal says nothing where another does not.
TEST(DeathCauses, AThreadThatDoesNotBlockTheSignalIsKeptByOtherThings)
{
    const std::uint64_t term = IPCSCOPE_SIG_BIT(kTerm);
    Story life;
    life.send(1000, kShell, kApp, kTerm);
    for (const bool blocks : {true, false}) {
        decode::Observed look = life.look_of(IPCSCOPE_STATE_UNINTERRUPTIBLE);
        look.record.threads = 2;
        look.record.pending = term;
        look.record.blocked = blocks ? term : 0;
        life.look(1100, kApp, look);
    }
    life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 900, 3000);
    life.send(3000, kShell, kApp, kKill);
    life.exit(3001, kApp, 9);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000).find("blocks"), std::string::npos) << life.text(4000);
}

/// Workers on one CPU finish after the main thread has taken the signal.
TEST(DeathCauses, WaitsForACpuAfterTheTakingAreOthers)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1001, kApp, kTerm);
    decode::Slice body{};
    body.state = IPCSCOPE_STATE_RUNNABLE;
    body.start_ns = Life::ns(1001);
    body.end_ns = Life::ns(1500);
    life.aggregator.event(aggregate::test::event(
        Life::ns(1500), aggregate::test::task(kApp, "worker", 60), IPCSCOPE_SLICE, body));
    life.exit(1501, kApp, 0);
    life.reap(1501, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at "
                               "1.00 s; it was gone 501 ms after the signal.");
}

/// The thread that forked it exited: its process goes on.
TEST(DeathCauses, APdeathsigComesFromAThread)
{
    for (const bool lives_on : {true, false}) {
        Story life;
        life.send(1000, kOther, kApp, kKill, {.origin = IPCSCOPE_ORIGIN_PARENT_EXIT});
        life.exit(1001, kApp, kKill);
        life.reap(1001, kApp);
        if (lives_on) {
            life.lives(3000, kOther);
        } else {
            life.exit(1002, kOther, 0);
        }
        EXPECT_NE(life.text(3000).find(lives_on ? "from the kernel as the main thread of its parent 7 "
                                                  "(other), which lived on, exited (PDEATHSIG)"
                                                : "from the kernel as its parent 7 (other) exited "
                                                  "(PDEATHSIG)"),
                  std::string::npos) << life.text(3000);
    }
}

TEST(DeathCauses, ATimerOfItsOwn)
{
    Story life;
    life.send(1000, kApp, kApp, kAlarm, {.origin = IPCSCOPE_ORIGIN_ITIMER});
    life.exit(1001, kApp, kAlarm);
    life.reap(1001, kApp);
    EXPECT_EQ(life.text(3000), "ended-by-kernel: 6 (app) was ended by SIGALRM from an interval timer "
                               "(setitimer(), alarm()) at 1.00 s.");
}

TEST(DeathCauses, WhatTheKernelSendsInACallOfItsOwn)
{
    for (const unsigned signal : {kPipe, kXfsz}) {
        Story life;
        life.send(1000, kApp, kApp, signal);
        life.exit(1001, kApp, static_cast<int>(signal));
        life.reap(1001, kApp);
        EXPECT_EQ(life.text(3000),
                  signal == kXfsz
                      ? "ended-by-kernel: 6 (app) was ended by SIGXFSZ at 1.00 s: a file would have "
                        "grown beyond its limit (RLIMIT_FSIZE)."
                      : "ended-by-kernel: 6 (app) was ended by SIGPIPE at 1.00 s: it wrote to a pipe "
                        "or socket whose other end is closed, which is not in the trace.");
    }
}

/// After many reloads by commands of their own, who ended it is still known.
TEST(DeathCauses, ManyReloadsLeaveRoomForWhatEndsIt)
{
    Story life;
    for (std::uint32_t i = 0; i < 40; ++i) {
        life.process(100 + i, "kill");
        life.send(100 + i, 100 + i, kApp, kHup, kHandled);
        life.take(100 + i, kApp, kHup);
    }
    life.send(1000, kShell, kApp, kTerm);
    life.exit(1001, kApp, kTerm);
    life.reap(1001, kApp);
    EXPECT_EQ(life.text(3000), "ended-by-process: 6 (app) was ended by SIGTERM from 5 (bash), uid 0, "
                               "at 1.00 s.");
}

/// As a JVM writes a stack of each thread on SIGQUIT, and goes on.
TEST(DeathCauses, ManyHandledSigquitsLeaveRoomForWhatEndsIt)
{
    Story life;
    for (std::uint32_t i = 0; i < 40; ++i) {
        life.process(100 + i, "kill");
        life.send(100 + i, 100 + i, kApp, kQuit, kHandled);
        life.take(100 + i, kApp, kQuit);
    }
    life.send(40'000, kShell, kApp, kKill);
    life.exit(40'001, kApp, kKill);
    life.reap(40'001, kApp);
    EXPECT_EQ(life.text(41'000), "ended-by-process: 6 (app) was ended by SIGKILL from 5 (bash), uid 0, "
                                 "at 40.0 s.");
}

/// Under nohup: the SIGHUP of a terminal that was closed long ago is not what is slow.
TEST(DeathCauses, AnOldSighupWithoutEffectIsNotTheStory)
{
    for (const bool handled : {true, false}) {
        Story life;
        life.send(1000, kShell, kApp, kHup, kIgnored);
        life.send(41'000, kShell, kApp, kTerm, handled ? kHandled : Life::Send{});
        if (handled) {
            life.take(41'000, kApp, kTerm);
        }
        life.exit(handled ? 44'000 : 41'001, kApp, handled ? 0 : kTerm);
        life.reap(handled ? 44'000 : 41'001, kApp);
        EXPECT_TRUE(life.text(45'000).starts_with(
            handled ? "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at 41.0 s; it was "
                      "gone 3.00 s after the signal."
                    : "ended-by-process: 6 (app) was ended by SIGTERM from 5 (bash), uid 0, at 41.0 s."))
            << life.text(45'000);
    }
}

TEST(DeathCauses, ASigintWithoutEffectIsTheStoryForSomeTime)
{
    for (const std::uint64_t later : {10'000u, 41'000u}) {
        Story life;
        life.send(1000, kShell, kApp, kInt, kIgnored);
        life.send(later, kShell, kApp, kTerm, kHandled);
        life.take(later, kApp, kTerm);
        life.exit(later + 3000, kApp, 0);
        life.reap(later + 3000, kApp);
        EXPECT_TRUE(life.text(45'000).starts_with(later == 10'000 ? "signal-ignored: SIGINT from 5 (bash)"
                                                                  : "slow-exit: SIGTERM from 5 (bash)"))
            << life.text(45'000);
    }
}

/// On 5.10 it is "delivered" to a zombie.
TEST(DeathCauses, ASigkillAfterTheEndEndedNothing)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.exit(1500, kApp, 0);
    life.send(3000, kOther, kApp, kKill, {.state = IPCSCOPE_STATE_ZOMBIE});
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at 1.00 s; "
                               "it was gone 500 ms after the signal. Its parent 5 (bash) did not reap it "
                               "for at least another 1.50 s.");
}

/// It comes as the process exits by itself already.
TEST(DeathCauses, ASigkillThatIsNotInTheExitCodeEndedNothing)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.send(3000, kOther, kApp, kKill);
    life.exit(3001, kApp, 3 << 8);
    life.reap(3001, kApp);
    EXPECT_EQ(life.text(4000), "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at 1.00 s. "
                               "SIGKILL from 7 (other) followed 2.00 s later, and it was gone 1.00 ms "
                               "after that.");
}

/// A handler that restores the default, and a second SIGTERM.
TEST(DeathCauses, OfTwoOfANumberTheFatalOneEndedIt)
{
    for (const std::uint64_t later : {60u, 2000u}) {
        Story life;
        life.send(1000, kShell, kApp, kTerm, kHandled);
        life.take(1000, kApp, kTerm);
        life.send(1000 + later, kOther, kApp, kTerm);
        life.exit(1001 + later, kApp, kTerm);
        life.reap(1001 + later, kApp);
        EXPECT_EQ(life.text(4000),
                  later == 60 ? "ended-by-process: 6 (app) was ended by SIGTERM from 7 (other), uid 0, at "
                                "1.06 s. SIGTERM from 5 (bash) had come 60.0 ms before."
                              : "slow-exit: SIGTERM from 5 (bash) to 6 (app): it ran its handler at 1.00 "
                                "s. SIGTERM from 7 (other) ended it 2.00 s later.");
    }
}

TEST(DeathCauses, AHandlerThatSendsTheSignalOnceMoreDoesNotHideItsSender)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.send(1010, kApp, kApp, kTerm);
    life.exit(1011, kApp, kTerm);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) was ended by SIGTERM from 5 (bash), uid 0, at "
                               "1.00 s.");
}

/// A shell writes its history, and sends the signal to itself.
TEST(DeathCauses, AHandledHangupThatEndedItIsTheTerminals)
{
    Story life;
    life.send(1000, kOther, kApp, kHup,
              {.disposition = IPCSCOPE_DISPOSITION_HANDLER, .origin = IPCSCOPE_ORIGIN_TERMINAL,
               .terminal = 136u << 20 | 3});
    life.take(1000, kApp, kHup);
    life.send(1010, kApp, kApp, kHup);
    life.exit(1011, kApp, kHup);
    life.reap(1011, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-kernel: 6 (app) was ended by SIGHUP from the terminal /dev/pts/3 "
                               "at 1.00 s.");
}

TEST(DeathCauses, AFaultWhoseHandlerSendsItOnceMoreIsACrashByThatFault)
{
    for (const bool blocked : {true, false}) {   // until the handler returns
        Story life;
        life.send(1000, kApp, kApp, kSegv,
                  {.disposition = IPCSCOPE_DISPOSITION_HANDLER, .origin = IPCSCOPE_ORIGIN_FAULT});
        life.send(1010, kApp, kApp, kSegv, {.blocked = blocked});
        life.exit(1011, kApp, kSegv);
        life.reap(1011, kApp);
        EXPECT_EQ(life.text(4000), "crash: 6 (app) was ended by SIGSEGV from a fault of its own at 1.00 s, "
                                   "which its handler sent once more.");
    }
}

/// A JVM handles many faults: an old one has nothing to do with a signal that it sends itself.
TEST(DeathCauses, AnOldHandledFaultIsNotWhatEndedIt)
{
    Story life;
    life.send(1000, kApp, kApp, kSegv,
              {.disposition = IPCSCOPE_DISPOSITION_HANDLER, .origin = IPCSCOPE_ORIGIN_FAULT});
    life.send(9000, kApp, kApp, kSegv);
    life.exit(9001, kApp, kSegv);
    life.reap(9001, kApp);
    EXPECT_EQ(life.text(9500), "crash: 6 (app) was ended by SIGSEGV, which it sent to itself, at 9.00 s.");
}

TEST(DeathCauses, AQuickExitAfterASigtermNamesItsSender)
{
    Story life;
    life.send(1000, kShell, kApp, kTerm, kHandled);
    life.take(1000, kApp, kTerm);
    life.exit(1040, kApp, 143 << 8);
    life.reap(1040, kApp);
    EXPECT_EQ(life.text(4000), "ended-by-process: 6 (app) got SIGTERM from 5 (bash), uid 0, at 1.00 s, ran "
                               "its handler, and exited with status 143 after 40.0 ms.");
    EXPECT_EQ(life.found(4000).at(0).severity, Severity::note);
}

TEST(DeathCauses, ManyQuickExitsAreOneFinding)
{
    Story life;
    for (std::uint32_t pid = 100; pid < 105; ++pid) {
        life.process(pid, "worker", kShell);
        life.send(1000, kShell, pid, kTerm, kHandled);
        life.take(1000, pid, kTerm);
        life.exit(1040, pid, 0);
        life.reap(1040, pid);
    }
    EXPECT_NE(life.text(4000).find("2 more processes were asked by SIGTERM from 5 (bash) to end, and exited "
                                   "at once."),
              std::string::npos) << life.text(4000);
}

TEST(DeathCauses, WhatTwoParentsEndedIsCountedApart)
{
    Story life;
    for (const std::uint32_t parent : {kShell, kOther}) {
        life.exit(1000, parent, 0);
        for (std::uint32_t pid = 100 * parent; pid < 100 * parent + 5; ++pid) {
            life.process(pid, "worker", parent);
            life.send(1000, parent, pid, kTerm, {.origin = IPCSCOPE_ORIGIN_PARENT_EXIT});
            life.exit(1001, pid, kTerm);
            life.reap(1002, pid);
        }
    }
    for (const std::string_view parent : {"5 (bash)", "7 (other)"}) {
        EXPECT_NE(life.text(4000).find(fmt::format("2 more processes were ended by SIGTERM from the kernel "
                                                   "as its parent {} exited (PDEATHSIG).", parent)),
                  std::string::npos) << life.text(4000);
    }
}

TEST(DeathCauses, AnAccidentThatIsSlowIsNoDelayAlone)
{
    for (const bool oom : {true, false}) {
        Story life;
        life.send(1000, kApp, kApp, oom ? kKill : kSegv,
                  oom ? Life::Send{.origin = IPCSCOPE_ORIGIN_OOM, .memory_limit = 20u << 20,
                                   .memory_cgroup = "oom"}
                      : Life::Send{.origin = IPCSCOPE_ORIGIN_FAULT});
        life.stay(kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, 1000, 2000);
        life.look(1500, kApp, IPCSCOPE_STATE_UNINTERRUPTIBLE, "nfs_wait");
        life.exit(2000, kApp, oom ? kKill : kSegv);
        life.reap(2000, kApp);
        EXPECT_EQ(life.text(4000),
                  oom ? "oom-kill: SIGKILL from the kernel's OOM killer to 6 (app): it then slept in D in "
                        "nfs_wait for 1.00 s; it was gone 1.00 s after the signal; memory cgroup oom was at "
                        "its limit of 20.0 MiB. No process sent it."
                      : "crash: SIGSEGV from a fault of its own to 6 (app): it then slept in D in nfs_wait "
                        "for 1.00 s; it was gone 1.00 s after the signal.");
        const Finding made = life.found(4000).at(0);
        EXPECT_EQ(made.severity, oom ? Severity::error : Severity::warning);
        EXPECT_EQ(std::ranges::count(made.evidence, "memory_limit_bytes", &Evidence::key), oom ? 1 : 0);
    }
}

}  // namespace
}  // namespace ipcscope::diagnose
