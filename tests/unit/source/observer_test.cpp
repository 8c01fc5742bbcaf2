// SPDX-License-Identifier: GPL-2.0-only
// Looks at a /proc tree of our own making, and at real processes.
#include "source/observer.hpp"

#include <filesystem>
#include <fstream>

#include <sys/syscall.h>

#include <fmt/format.h>

#include "notes.hpp"

namespace ipcscope::source {
namespace {

using namespace ipcscope::test;
namespace fs = std::filesystem;

/// PIDs beyond what a kernel gives out: such a process is not hidden, but gone.
constexpr std::uint32_t kPid = 0x7ffffff0, kThread = 0x7ffffff1;

struct ObserverTest : testing::Test {
    fs::path root = fs::temp_directory_path() / fmt::format("observer-{}", getpid());
    std::unique_ptr<ThreadStacks> stacks;
    proc::Cgroups cgroups{(root / "cgroup").string()};

    ~ObserverTest() override { fs::remove_all(root); }

    void put(const std::string& path, const std::string& text)
    {
        fs::create_directories((root / path).parent_path());
        std::ofstream(root / path) << text;
    }
    void put_thread(std::uint32_t tid, const std::string& file, const std::string& text)
    {
        put(fmt::format("{}/task/{}/{}", kPid, tid, file), text);
    }
    /// A whole thread, asleep in read().
    void thread(std::uint32_t tid, char state = 'S')
    {
        std::string stat = fmt::format("{} (a) x) {} 77", tid, state);
        for (int field = 5; field <= 52; ++field) {
            stat += field == 22 ? " 1234" : field == 52 ? " 768" : " 9";
        }
        put_thread(tid, "stat", stat + "\n");
        put_thread(tid, "status", "Name:\ta\nTgid:\t5\nPPid:\t77\nTracerPid:\t88\n"
                                  "SigPnd:\t0000000000000200\nShdPnd:\t0000000000004000\n"
                                  "SigBlk:\t0000000000004001\nSigIgn:\t0000000000001000\n"
                                  "SigCgt:\t0000000180000002\n");
        put_thread(tid, "cgroup", "0::/a/b\n");
        put_thread(tid, "syscall", "0 0x3 0x7ffe 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00\n");
        put_thread(tid, "wchan", "pipe_read");
        put_thread(tid, "stack", "[<0>] pipe_read+0x1/0x2\n[<0>] vfs_read+0x3/0x4\n");
    }
    void cgroup(int frozen, int freeze_parent)
    {
        put("cgroup/a/b/cgroup.events", fmt::format("populated 1\nfrozen {}\n", frozen));
        put("cgroup/a/b/cgroup.freeze", "0\n");
        put("cgroup/a/cgroup.freeze", fmt::format("{}\n", freeze_parent));
    }
    ObservedProcess look(std::uint32_t pid = kPid)
    {
        if (!stacks) stacks = std::make_unique<ThreadStacks>(root.string());
        return Observer(*stacks, cgroups, root.string()).look(pid);
    }
};

TEST_F(ObserverTest, ASleepingThread)
{
    thread(kPid);
    cgroup(0, 0);
    const auto process = look();
    EXPECT_TRUE(process.exists);
    EXPECT_EQ(process.start_ticks, 1234u);
    ASSERT_EQ(process.threads.size(), 1u);
    const auto& [record, wait_channel, stack] = process.threads[0];
    EXPECT_EQ(record.header.tgid, kPid);
    EXPECT_EQ(record.header.tid, kPid);
    EXPECT_EQ(record.state, IPCSCOPE_STATE_INTERRUPTIBLE);
    EXPECT_EQ(record.ppid, 77u);
    EXPECT_EQ(record.tracer_pid, 88u);
    EXPECT_EQ(record.pending, 0x4200u);
    EXPECT_EQ(record.blocked, 0x4001u);
    EXPECT_EQ(record.ignored, 0x1000u);
    EXPECT_EQ(record.caught, 0x180000002u);
    EXPECT_EQ(record.exit_code, 0) << "it has not exited";
    EXPECT_EQ(record.threads, 1u);
    EXPECT_EQ(record.syscall, 0);
    EXPECT_EQ(record.frozen, 0);
    EXPECT_EQ(record.missing, 0);
    EXPECT_EQ(wait_channel, "pipe_read");
    EXPECT_EQ(stack, "[<0>] pipe_read+0x1/0x2\n[<0>] vfs_read+0x3/0x4\n");
}

TEST_F(ObserverTest, AZombieHasAnExitCodeAndSleepsInNothing)
{
    thread(kPid, 'Z');
    cgroup(0, 0);
    const auto process = look();
    ASSERT_EQ(process.threads.size(), 1u);
    EXPECT_EQ(process.threads[0].record.state, IPCSCOPE_STATE_ZOMBIE);
    EXPECT_EQ(process.threads[0].record.exit_code, 768);
    EXPECT_EQ(process.threads[0].record.syscall, IPCSCOPE_SYSCALL_NONE);
    EXPECT_EQ(process.threads[0].record.missing, 0);
    EXPECT_TRUE(process.threads[0].stack.empty());
}

TEST_F(ObserverTest, ACgroupThatIsFrozenOrIsToBe)
{
    thread(kPid);
    cgroup(1, 0);
    EXPECT_EQ(look().threads.at(0).record.frozen, 1);
    cgroup(0, 1);
    EXPECT_EQ(look().threads.at(0).record.frozen, 1);
    put_thread(kPid, "cgroup", "4:freezer:/x\n0::/\n");
    EXPECT_EQ(look().threads.at(0).record.frozen, 0);
    EXPECT_EQ(look().threads.at(0).record.missing, 0);
}

TEST_F(ObserverTest, WhatIsMissingIsNamed)
{
    thread(kPid);   // without its cgroup's directory
    put_thread(kPid, "status", "Name:\ta\n");
    put_thread(kPid, "syscall", "");
    put_thread(kPid, "wchan", "0");
    put_thread(kPid, "stack", "\n");
    EXPECT_EQ(look().threads.at(0).record.missing,
              IPCSCOPE_MISSING_ALL & ~(IPCSCOPE_MISSING_CHILD | IPCSCOPE_MISSING_STATE));
}

TEST_F(ObserverTest, AThreadThatRunsLacksNothing)
{
    thread(kPid, 'R');
    cgroup(0, 0);
    put_thread(kPid, "syscall", "running\n");
    put_thread(kPid, "stack", "");
    EXPECT_EQ(look().threads.at(0).record.state, IPCSCOPE_STATE_RUNNING);
    EXPECT_EQ(look().threads.at(0).record.missing, 0);
}

TEST_F(ObserverTest, TheChildOfAVfork)
{
    thread(kPid, 'D');
    cgroup(0, 0);
    put_thread(kPid, "syscall", fmt::format("{} 0x0 0x0 0x0\n", SYS_clone));
    EXPECT_EQ(look().threads.at(0).record.missing, IPCSCOPE_MISSING_CHILD);
    put_thread(kPid, "children", "12 345 ");
    EXPECT_EQ(look().threads.at(0).record.vfork_child, 345u);
    EXPECT_EQ(look().threads.at(0).record.missing, 0);
}

TEST_F(ObserverTest, TheLeaderFirstAndNoMoreThanAFew)
{
    for (unsigned i = 0; i < 2 * Observer::kMostThreads; ++i) thread(kPid - i);
    const auto process = look();
    EXPECT_EQ(process.threads.size(), Observer::kMostThreads);
    EXPECT_EQ(process.threads[0].record.header.tid, kPid);
    EXPECT_EQ(process.threads[0].record.threads, 2 * Observer::kMostThreads);
}

TEST_F(ObserverTest, AThreadThatVanishesIsLeftOut)
{
    thread(kPid);
    fs::create_directories(root / fmt::format("{}/task/{}", kPid, kThread));
    EXPECT_EQ(look().threads.size(), 1u);
    fs::remove(root / fmt::format("{0}/task/{0}/stat", kPid));
    EXPECT_FALSE(look().exists);
}

TEST_F(ObserverTest, AProcessThatIsGoneAndOneThatIsHidden)
{
    fs::create_directories(root);
    EXPECT_FALSE(look().exists);
    const auto hidden = look(static_cast<std::uint32_t>(getpid()));
    EXPECT_TRUE(hidden.exists);
    ASSERT_EQ(hidden.threads.size(), 1u);
    EXPECT_EQ(hidden.threads[0].record.state, IPCSCOPE_STATE_UNKNOWN);
    EXPECT_EQ(hidden.threads[0].record.missing, IPCSCOPE_MISSING_ALL & ~IPCSCOPE_MISSING_CHILD);
}

TEST_F(ObserverTest, RealProcesses)
{
    ThreadStacks real;
    proc::Cgroups real_cgroups;
    const Observer observer(real, real_cgroups);
    sigset_t term;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    const Child child([&] { sigprocmask(SIG_BLOCK, &term, nullptr); });
    usleep(50'000);   // until it sleeps
    const auto process = observer.look(child.pid());
    ASSERT_EQ(process.threads.size(), 1u);
    const auto& record = process.threads[0].record;
    EXPECT_EQ(record.ppid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(record.state, IPCSCOPE_STATE_INTERRUPTIBLE);
    EXPECT_NE(record.blocked & 1ull << (SIGTERM - 1), 0u);
    EXPECT_EQ(record.missing & IPCSCOPE_MISSING_STATUS, 0);
    EXPECT_FALSE(observer.look(kPid).exists);
}

TEST(ProcText, AStatThatIsNone)
{
    EXPECT_FALSE(proc::parse_stat(""));
    EXPECT_FALSE(proc::parse_stat("12 (name"));
    EXPECT_FALSE(proc::parse_stat("12 (name)"));
    EXPECT_FALSE(proc::parse_stat("12 (name) SS 1"));
    EXPECT_EQ(proc::parse_stat("12 (name) S")->state, 'S');
}

TEST(ProcText, ASyscall)
{
    EXPECT_EQ(proc::parse_syscall("1 0x4 0x7f 0x100 0x0")->number, 1);
    EXPECT_EQ(proc::parse_syscall("1 0x4 0x7f 0x100 0x0")->argument, 4u);
    EXPECT_EQ(proc::parse_syscall("1 0x4 0x7f 0x100 0x0")->bytes, 256u);
    EXPECT_EQ(proc::parse_syscall("running")->number, IPCSCOPE_SYSCALL_NONE);
    EXPECT_EQ(proc::parse_syscall("-1 0x7f 0x55")->number, IPCSCOPE_SYSCALL_NONE);
    EXPECT_FALSE(proc::parse_syscall(""));
    EXPECT_FALSE(proc::parse_syscall("\n"));
    EXPECT_FALSE(proc::parse_syscall("x 1"));
}

}  // namespace
}  // namespace ipcscope::source
