// SPDX-License-Identifier: GPL-2.0-only
#include <ipcscope/policy.h>

#include <gtest/gtest.h>

namespace ipcscope {
namespace {

constexpr int kUsr1 = 10, kTerm = 15, kStop = 19, kUrg = 23;

TEST(Policy, StatesByMask)
{
    const std::pair<unsigned, int> known[] = {
        {0x0000, IPCSCOPE_STATE_RUNNING},         {0x0200, IPCSCOPE_STATE_RUNNING},
        {0x0001, IPCSCOPE_STATE_INTERRUPTIBLE},   {0x0201, IPCSCOPE_STATE_INTERRUPTIBLE},
        {0x0002, IPCSCOPE_STATE_UNINTERRUPTIBLE}, {0x0102, IPCSCOPE_STATE_KILLABLE},
        {0x0402, IPCSCOPE_STATE_IDLE},            {0x0502, IPCSCOPE_STATE_KILLABLE},
        {0x1002, IPCSCOPE_STATE_UNINTERRUPTIBLE}, {0x0004, IPCSCOPE_STATE_STOPPED},
        {0x0104, IPCSCOPE_STATE_STOPPED},         {0x0108, IPCSCOPE_STATE_TRACED},
        {0x0080, IPCSCOPE_STATE_DEAD},            {0x8000, IPCSCOPE_STATE_FROZEN},
        {0x0040, IPCSCOPE_STATE_OTHER},           {0x1000, IPCSCOPE_STATE_OTHER},
    };
    for (const auto& [bits, state] : known)
        EXPECT_EQ(ipcscope_state_of_bits(bits), state) << std::hex << bits;
    EXPECT_EQ(ipcscope_task_state(0x80, IPCSCOPE_EXIT_ZOMBIE), IPCSCOPE_STATE_ZOMBIE);
    EXPECT_EQ(ipcscope_task_state(0x80, IPCSCOPE_EXIT_DEAD), IPCSCOPE_STATE_DEAD);
    EXPECT_EQ(ipcscope_task_state(0x01, 0), IPCSCOPE_STATE_INTERRUPTIBLE);
}

TEST(Policy, WhatIsFatal)
{
    const auto fatal = [](int sig, __u8 does, bool blocked = false, bool init = false) {
        return ipcscope_is_fatal(sig, does, blocked, init) != 0;
    };
    EXPECT_TRUE(fatal(IPCSCOPE_SIGKILL, IPCSCOPE_DISPOSITION_HANDLER, true, true));
    EXPECT_TRUE(fatal(kTerm, IPCSCOPE_DISPOSITION_DEFAULT));
    EXPECT_TRUE(fatal(64, IPCSCOPE_DISPOSITION_DEFAULT));
    EXPECT_FALSE(fatal(kTerm, IPCSCOPE_DISPOSITION_HANDLER));
    EXPECT_FALSE(fatal(kTerm, IPCSCOPE_DISPOSITION_IGNORE));
    EXPECT_FALSE(fatal(kTerm, IPCSCOPE_DISPOSITION_DEFAULT, true));
    EXPECT_FALSE(fatal(kTerm, IPCSCOPE_DISPOSITION_DEFAULT, false, true));
    EXPECT_FALSE(fatal(kStop, IPCSCOPE_DISPOSITION_DEFAULT));
    EXPECT_FALSE(fatal(kUrg, IPCSCOPE_DISPOSITION_DEFAULT));
}

TEST(Policy, WhatIsIgnored)
{
    EXPECT_TRUE(ipcscope_is_ignored(kUsr1, IPCSCOPE_DISPOSITION_IGNORE));
    EXPECT_TRUE(ipcscope_is_ignored(kUrg, IPCSCOPE_DISPOSITION_DEFAULT));
    EXPECT_FALSE(ipcscope_is_ignored(kUsr1, IPCSCOPE_DISPOSITION_DEFAULT));
    EXPECT_FALSE(ipcscope_is_ignored(kUrg, IPCSCOPE_DISPOSITION_HANDLER));
}

TEST(Policy, WhoseSignalItIs)
{
    const auto origin = [](auto info, int code) {
        return ipcscope_origin_of(info, kUsr1, code, false, false);
    };
    EXPECT_EQ(origin(0, IPCSCOPE_SI_TIMER), IPCSCOPE_ORIGIN_TASK);
    EXPECT_EQ(origin(1, IPCSCOPE_SI_TIMER), IPCSCOPE_ORIGIN_KERNEL);
    EXPECT_EQ(origin(4096, IPCSCOPE_SI_TIMER), IPCSCOPE_ORIGIN_TIMER);
    EXPECT_EQ(origin(4096, IPCSCOPE_SI_KERNEL), IPCSCOPE_ORIGIN_KERNEL);
    EXPECT_EQ(origin(4096, IPCSCOPE_SI_USER), IPCSCOPE_ORIGIN_TASK);
}

/// A dying thread sends its children's PDEATHSIG without siginfo; the SIGHUP of an orphaned
/// process group, and its parent's SIGCHLD, with one.
TEST(Policy, WhatAnExitingThreadSends)
{
    const auto origin = [](auto info, int code) {
        return ipcscope_origin_of(info, kUsr1, code, false, true);
    };
    EXPECT_EQ(origin(0, 0), IPCSCOPE_ORIGIN_PARENT_EXIT);
    EXPECT_EQ(origin(1, 0), IPCSCOPE_ORIGIN_KERNEL);
    EXPECT_EQ(origin(4096, 1), IPCSCOPE_ORIGIN_TASK);
}

/// Only a thread that sends it to itself: kill(2) of another may say anything.
TEST(Policy, WhatAThreadSendsItself)
{
    const auto origin = [](int sig, int code, bool own) {
        return ipcscope_origin_of(4096, sig, code, own, false);
    };
    constexpr int kSegv = 11, kMapErr = 1, kUserTrap = -6;
    EXPECT_EQ(origin(kSegv, kMapErr, true), IPCSCOPE_ORIGIN_FAULT);
    EXPECT_EQ(origin(kSegv, IPCSCOPE_SI_KERNEL, true), IPCSCOPE_ORIGIN_FAULT);
    EXPECT_EQ(origin(kSegv, kUserTrap, true), IPCSCOPE_ORIGIN_TASK);   // raise()
    EXPECT_EQ(origin(kSegv, kMapErr, false), IPCSCOPE_ORIGIN_TASK);
    EXPECT_EQ(origin(kUsr1, kMapErr, true), IPCSCOPE_ORIGIN_TASK);
    EXPECT_EQ(origin(IPCSCOPE_SIGSYS, IPCSCOPE_SYS_SECCOMP, true), IPCSCOPE_ORIGIN_SECCOMP);
    EXPECT_EQ(origin(IPCSCOPE_SIGSYS, 2, true), IPCSCOPE_ORIGIN_TASK);
}

TEST(Policy, WhatAnIntervalTimerSends)
{
    for (const int sig : {14, 26, 27}) {
        EXPECT_EQ(ipcscope_origin_of(1, sig, 0, false, false), IPCSCOPE_ORIGIN_ITIMER);
        EXPECT_EQ(ipcscope_origin_of(0, sig, 0, false, false), IPCSCOPE_ORIGIN_TASK);
    }
}

TEST(Policy, WhoseCallersAreOfInterest)
{
    constexpr int kTstp = 20, kPipe = 13;
    EXPECT_TRUE(ipcscope_wants_callers(1, IPCSCOPE_SIGKILL, IPCSCOPE_ORIGIN_KERNEL, true));
    EXPECT_TRUE(ipcscope_wants_callers(1, kTstp, IPCSCOPE_ORIGIN_KERNEL, false));
    for (const int key : {1, 2, 3}) {   // SIGHUP, and Ctrl-C and Ctrl-\\ that have handlers
        EXPECT_TRUE(ipcscope_wants_callers(1, key, IPCSCOPE_ORIGIN_KERNEL, false)) << key;
    }
    EXPECT_FALSE(ipcscope_wants_callers(1, kUsr1, IPCSCOPE_ORIGIN_KERNEL, false));
    EXPECT_TRUE(ipcscope_wants_callers(0, IPCSCOPE_SIGKILL, IPCSCOPE_ORIGIN_TASK, true))
        << "cgroup.kill";
    EXPECT_FALSE(ipcscope_wants_callers(4096, IPCSCOPE_SIGKILL, IPCSCOPE_ORIGIN_TASK, true))
        << "kill(2)";
    EXPECT_FALSE(ipcscope_wants_callers(0, kPipe, IPCSCOPE_ORIGIN_TASK, true));
    EXPECT_FALSE(ipcscope_wants_callers(0, IPCSCOPE_SIGKILL, IPCSCOPE_ORIGIN_PARENT_EXIT, true));
}

TEST(Policy, WhatSiginfoHolds)
{
    EXPECT_TRUE(ipcscope_info_has_pid(kUsr1, IPCSCOPE_SI_QUEUE));
    EXPECT_TRUE(ipcscope_info_has_pid(IPCSCOPE_SIGCHLD, 1));
    EXPECT_FALSE(ipcscope_info_has_pid(IPCSCOPE_SIGCHLD, IPCSCOPE_SI_KERNEL));
    EXPECT_FALSE(ipcscope_info_has_pid(11, 1));   // a fault's address
    EXPECT_TRUE(ipcscope_info_has_value(IPCSCOPE_SI_QUEUE));
    EXPECT_FALSE(ipcscope_info_has_value(IPCSCOPE_SI_USER));
}

}  // namespace
}  // namespace ipcscope
