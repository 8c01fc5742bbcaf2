// SPDX-License-Identifier: GPL-2.0-only
#include "source/proc.hpp"

#include <fstream>
#include <iterator>
#include <string>

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/comm.hpp"

namespace ipcscope::source {
namespace {

Comm comm_of(const ipcscope_thread& record)
{
    return Comm(std::string_view(reinterpret_cast<const char*>(record.comm),
                                 sizeof record.comm));
}

std::string status(const std::string& name, const std::string& ppid)
{
    return "Name:\t" + name + "\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t12\nNgid:\t0\n"
           "Pid:\t34\nPPid:\t" + ppid + "\nTracerPid:\t0\nUid:\t1000\t0\t0\t0\n"
           "NSpid:\t34\t7\t3\nVmPeak:\t1 kB\n";
}

TEST(Proc, ReadsAStatus)
{
    const auto record = proc::parse_status(status("sh", "9"));
    ASSERT_TRUE(record);
    EXPECT_EQ(record->header.tgid, 12u);
    EXPECT_EQ(record->header.tid, 34u);
    EXPECT_EQ(record->ppid, 9u);
    EXPECT_EQ(record->uid, 1000u);
    EXPECT_EQ(record->ns_pid, 3u) << "in its own namespace";
    EXPECT_EQ(record->start_ns, 0u);
    EXPECT_EQ(comm_of(*record), Comm("sh"));
}

TEST(Proc, NamesAreBytes)
{
    const auto name = [](const std::string& text, const std::string& ppid = "1") {
        return comm_of(*proc::parse_status(status(text, ppid)));
    };
    EXPECT_EQ(name("a\\nTgid:\\t5"), Comm("a\nTgid:t5"));
    EXPECT_EQ(name("\\\\n"), Comm("\\n"));
    EXPECT_EQ(name("\x1b[2J\xff"), Comm("\x1b[2J\xff"));
    EXPECT_EQ(name(""), Comm());
    EXPECT_EQ(name("\\"), Comm("\\"));
    EXPECT_EQ(name("0123456789abcdefgh"), Comm("0123456789abcde"));
}

TEST(Proc, AWorkersNameIsWithoutItsWork)
{
    const auto name = [](const std::string& text, const std::string& ppid) {
        return comm_of(*proc::parse_status(status(text, ppid)));
    };
    EXPECT_EQ(name("kworker/0:1-events", "2"), Comm("kworker/0:1"));
    EXPECT_EQ(name("kworker/0:1+events", "2"), Comm("kworker/0:1"));
    EXPECT_EQ(name("kworker/R-mm_pe", "2"), Comm("kworker/R-mm_pe"));
    EXPECT_EQ(name("kworker/0:1-eve", "1"), Comm("kworker/0:1-eve")) << "an impostor";
}

TEST(Proc, WhatIsNoStatusIsNoThread)
{
    EXPECT_FALSE(proc::parse_status(""));
    EXPECT_FALSE(proc::parse_status("nonsense\n\n\t\n:\t"));
    EXPECT_FALSE(proc::parse_status("Pid:\tx\n"));
}

TEST(Proc, ReadsThisThread)
{
    const std::string name = "a\nb\\c)\x01 d";
    std::string old(16, '\0');
    prctl(PR_GET_NAME, old.data());
    prctl(PR_SET_NAME, name.c_str());
    proc::Cgroups cgroups;
    const Fd tasks = proc::open_directory(AT_FDCWD, "/proc/self/task");
    const auto tid = static_cast<std::uint32_t>(gettid());
    const auto record = proc::thread(tasks, tid, cgroups);
    prctl(PR_SET_NAME, old.c_str());
    ASSERT_TRUE(record);
    EXPECT_EQ(record->header.tgid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(record->header.tid, tid);
    EXPECT_EQ(record->ppid, static_cast<std::uint32_t>(getppid()));
    EXPECT_EQ(record->uid, getuid());
    EXPECT_EQ(comm_of(*record), Comm(name));
    EXPECT_FALSE(proc::thread(tasks, 0x7fffffff, cgroups));
}

TEST(Proc, CgroupsAreOfVersionTwoOnly)
{
    proc::Cgroups cgroups;
    EXPECT_EQ(cgroups.id_of(""), 0u);
    EXPECT_EQ(cgroups.id_of("1:cpu:/\n2::/x\n"), 0u);
    EXPECT_EQ(cgroups.id_of("0::/no/such/cgroup\n"), 0u);
}

TEST(Proc, NumbersOfADirectoryThatIsGone)
{
    EXPECT_TRUE(proc::numbers(Fd()).empty());
    EXPECT_TRUE(proc::numbers(proc::open_directory(AT_FDCWD, "/proc/no")).empty());
    EXPECT_FALSE(proc::processes().empty());
}

TEST(Proc, ACommandLineIsAsAShellTakesIt)
{
    using namespace std::string_literals;
    EXPECT_EQ(proc::command_line("kill\0-9\0912\0"s), "kill -9 912");
    EXPECT_EQ(proc::command_line("sh\0-c\0kill 5; exit\0"s), "sh -c 'kill 5; exit'");
    EXPECT_EQ(proc::command_line("a\0it's\0\0b\0"s), "a 'it'\\''s' '' b");
    EXPECT_EQ(proc::command_line("sshd: ann [priv]\0\0\0\0"s), "sshd: ann [priv]");
    EXPECT_EQ(proc::command_line(""), "");
    EXPECT_EQ(proc::command_line("\0\0"s), "");
    const std::string longest = proc::command_line(std::string(5000, 'a'));
    EXPECT_EQ(longest.size(), proc::kMostCommand + 3);
    EXPECT_TRUE(longest.ends_with("a..."));
}

}  // namespace
}  // namespace ipcscope::source
