// SPDX-License-Identifier: GPL-2.0-only
// Tasks that sleep: in D and K by the laboratory module, and in calls that are
// not over as the trace ends.
#include <csignal>
#include <cstring>
#include <fstream>
#include <map>
#include <sstream>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "device.hpp"
#include "lab.h"

namespace ipcscope::kmod_test {
namespace {

/// A child in D or K sleep.
pid_t sleeper(std::uint32_t state, std::uint32_t milliseconds)
{
    const pid_t pid = fork();
    if (pid == 0) {
        const Fd lab(open(kLab, O_RDWR));
        ipcscope_lab_sleep sleep{state, milliseconds};
        _exit(ioctl(lab.get(), IPCSCOPE_LAB_IOC_SLEEP, &sleep) == 0 ? 0 : 1);
    }
    EXPECT_TRUE(wait_state(pid, 'D')) << "K is D to /proc";
    return pid;
}

void release()
{
    const Fd lab(open(kLab, O_RDWR));
    ASSERT_EQ(ioctl(lab.get(), IPCSCOPE_LAB_IOC_RELEASE), 0);
}

std::vector<ipcscope_kill> kills_of(RunningTrace& trace, pid_t pid)
{
    std::vector<ipcscope_kill> kills;
    for (const Record& record : trace.take()) {
        if (record.header().kind != IPCSCOPE_KILL) {
            continue;
        }
        EXPECT_EQ(record.size(), sizeof(ipcscope_kill));
        const auto& kill = record.as<ipcscope_kill>();
        if (kill.target_tgid == static_cast<std::uint32_t>(pid)) {
            kills.push_back(kill);
        }
    }
    return kills;
}

/// Names of kernel functions by address.
std::string function_at(std::uint64_t address)
{
    static const std::map<std::uint64_t, std::string> functions = [] {
        std::map<std::uint64_t, std::string> all;
        std::ifstream file("/proc/kallsyms");
        for (std::string line; std::getline(file, line);) {
            std::istringstream words(line);
            std::uint64_t at = 0;
            std::string type, name;
            words >> std::hex >> at >> type >> name;
            if (type == "t" || type == "T") {
                all[at] = name;
            }
        }
        return all;
    }();
    auto at = functions.upper_bound(address);
    return at == functions.begin() ? "" : std::prev(at)->second;
}

std::string stack_of(const ipcscope_kill& kill)
{
    std::string stack;
    for (std::uint32_t i = 0; i < kill.stack_depth; i++) {
        stack += function_at(kill.stack[i]) + '\n';
    }
    return stack;
}

/// By another process: what the reader itself does is not traced.
void kill_by_child(pid_t pid, int signal)
{
    EXPECT_EQ(in_child([&] { return kill(pid, signal); }), 0);
}

/// Killed three times in uninterruptible sleep; exits once it is released.
TEST(Sleep, KillInD)
{
    RunningTrace trace;
    const pid_t victim = sleeper(IPCSCOPE_LAB_UNINTERRUPTIBLE, 0);
    for (int i = 0; i < 3; i++) {
        kill_by_child(victim, SIGKILL);
    }
    const auto kills = kills_of(trace, victim);
    EXPECT_TRUE(wait_state(victim, 'D'));
    release();
    int status = 0;
    ASSERT_EQ(waitpid(victim, &status, 0), victim);
    EXPECT_TRUE(WIFSIGNALED(status));
    ASSERT_EQ(kills.size(), 3u);
    for (const ipcscope_kill& kill : kills) {
        EXPECT_EQ(kill.stuck_tid, static_cast<std::uint32_t>(victim));
        EXPECT_EQ(kill.state, IPCSCOPE_STATE_UNINTERRUPTIBLE);
        EXPECT_EQ(kill.stuck_threads, 1u);
        EXPECT_EQ(kill.sig, SIGKILL);
        const std::string stack = stack_of(kill);
        EXPECT_NE(stack.find("lab_sleep\n"), std::string::npos) << stack;
        EXPECT_TRUE(stack.starts_with("__schedule\n"))
            << "the stack begins in the hook, not in the scheduler:\n" << stack;
    }
}

/// The kill wakes it, so only the saved stack shows where it slept.
TEST(Sleep, KillInK)
{
    RunningTrace trace;
    const pid_t victim = sleeper(IPCSCOPE_LAB_KILLABLE, 0);
    kill_by_child(victim, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(victim, &status, 0), victim);
    EXPECT_TRUE(WIFSIGNALED(status));
    const auto kills = kills_of(trace, victim);
    ASSERT_EQ(kills.size(), 1u);
    EXPECT_EQ(kills[0].state, IPCSCOPE_STATE_KILLABLE);
    EXPECT_NE(stack_of(kills[0]).find("lab_sleep\n"), std::string::npos) << stack_of(kills[0]);
}

/// It slept before the trace began: the record has no stack.
TEST(Sleep, AsleepBefore)
{
    const pid_t victim = sleeper(IPCSCOPE_LAB_UNINTERRUPTIBLE, 0);
    RunningTrace trace;
    kill_by_child(victim, SIGKILL);
    const auto kills = kills_of(trace, victim);
    release();
    ASSERT_EQ(waitpid(victim, nullptr, 0), victim);
    ASSERT_EQ(kills.size(), 1u);
    EXPECT_EQ(kills[0].state, IPCSCOPE_STATE_UNINTERRUPTIBLE);
    EXPECT_EQ(kills[0].stack_depth, 0u) << stack_of(kills[0]);
}

TEST(Sleep, ForATime)
{
    const std::uint64_t begin = monotonic_ns();
    const pid_t victim = sleeper(IPCSCOPE_LAB_UNINTERRUPTIBLE, 300);
    kill_by_child(victim, SIGKILL);
    ASSERT_EQ(waitpid(victim, nullptr, 0), victim);
    EXPECT_GE(monotonic_ns() - begin, 290'000'000u);
}

/// Blocked readers as the trace ends are reported as unfinished, and go on.
TEST(Sleep, UnfinishedCalls)
{
    constexpr unsigned kReaders = 7;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::vector<pid_t> readers;
    {
        RunningTrace trace;
        for (unsigned i = 0; i < kReaders; i++) {
            const pid_t pid = fork();
            if (pid == 0) {
                char byte = 0;
                _exit(read(ends[0], &byte, 1) == 1 ? byte : 99);
            }
            readers.push_back(pid);
            ASSERT_TRUE(wait_state(pid, 'S'));
        }
        std::map<std::uint32_t, ipcscope_call_split> calls;
        for (const Record& record : trace.unfinished(trace.stop())) {
            if (record.header().kind == IPCSCOPE_CALL_PIPE) {
                calls[record.header().tid] = record.as<ipcscope_call_split>();
            }
        }
        for (pid_t pid : readers) {
            const auto found = calls.find(static_cast<std::uint32_t>(pid));
            ASSERT_NE(found, calls.end()) << pid;
            const ipcscope_call_split& call = found->second;
            EXPECT_EQ(call.op, IPCSCOPE_OP_READ);
            EXPECT_EQ(call.type, IPCSCOPE_OBJECT_PIPE);
            EXPECT_EQ(call.header.flags, IPCSCOPE_UNFINISHED);
            EXPECT_EQ(call.header.tgid, static_cast<std::uint32_t>(pid));
            EXPECT_EQ(call.header.time_ns, trace.status().stop_ns);
            EXPECT_EQ(call.requested, 1u);
            EXPECT_EQ(call.sleeps, 1u);
            EXPECT_GT(call.blocked_ns, 0u);
            EXPECT_EQ(call.waker_tid, 0u);
        }
    }
    // The hooks are gone, and their return addresses are still on the stacks.
    for (unsigned i = 0; i < kReaders; i++) {
        const char byte = 42;
        ASSERT_EQ(write(ends[1], &byte, 1), 1);
    }
    for (pid_t pid : readers) {
        int status = 0;
        ASSERT_EQ(waitpid(pid, &status, 0), pid);
        EXPECT_EQ(WEXITSTATUS(status), 42) << status;
    }
}

}  // namespace
}  // namespace ipcscope::kmod_test
