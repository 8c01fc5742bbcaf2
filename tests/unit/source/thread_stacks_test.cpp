// SPDX-License-Identifier: GPL-2.0-only
#include "source/thread_stacks.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <memory>

#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

/// What the helper should answer: the file itself, where this process may read it.
std::string stack_of(pid_t pid)
{
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/stack", pid));
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(ThreadStacks, AnswersWithTheStackOfASleepingThread)
{
    const pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    usleep(200'000);   // until it sleeps
    ThreadStacks stacks;
    const auto id = static_cast<std::uint32_t>(child);
    const std::string expected = stack_of(child);
    for (int i = 0; i < 3; i++) {
        const std::string text = stacks.read(id, id);
        EXPECT_EQ(text.empty() || text == "\n" ? "" : text, expected);
    }
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
}

TEST(ThreadStacks, AnswersForAThreadThatIsNotThere)
{
    ThreadStacks stacks;
    EXPECT_LE(stacks.read(0x7fffffff, 0x7fffffff).size(), 1u);
    // and goes on
    const auto self = static_cast<std::uint32_t>(getpid());
    EXPECT_EQ(stacks.read(self, self).size() > 1, !stack_of(getpid()).empty());
}

TEST(ThreadStacks, LeaveNoChildBehind)
{
    {
        ThreadStacks stacks;
        stacks.read(1, 1);
    }
    EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
    EXPECT_EQ(errno, ECHILD);
}

/// The later helper has the earlier one's socket, and must not keep it alive.
TEST(ThreadStacks, EndsWhileAnotherLives)
{
    auto first = std::make_unique<ThreadStacks>();
    ThreadStacks second;
    alarm(20);   // it would wait for ever
    first.reset();
    alarm(0);
    const auto self = static_cast<std::uint32_t>(getpid());
    EXPECT_NE(second.read(self, self), "");
}

}  // namespace
}  // namespace ipcscope::source
