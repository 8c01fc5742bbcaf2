// SPDX-License-Identifier: GPL-2.0-only
// Kernel stacks of sleeping threads, through a helper that keeps the one
// privilege for it.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"

namespace ipcscope::source {

/// /proc/PID/task/TID/stack needs CAP_SYS_ADMIN.  A child that is forked while
/// we still have it answers for us: it takes three numbers and gives that file's
/// text, nothing else.  It ends with us.  It reads …/syscall, too: both files wait
/// for an execve() of that process, which may hang.
class ThreadStacks {
public:
    /// `root`: where /proc is.
    explicit ThreadStacks(const std::string& root = "/proc");
    ~ThreadStacks();
    ThreadStacks(const ThreadStacks&) = delete;
    ThreadStacks& operator=(const ThreadStacks&) = delete;

    enum class File : std::uint32_t { stack, syscall };

    /// "[<0>] io_schedule+0x46/0x70\n…"; empty, or a newline, where it cannot be read.
    std::string read(std::uint32_t tgid, std::uint32_t tid, File file = File::stack);

    /// The child's PID; negative where there is none.
    int helper() const { return child_; }

private:
    Fd socket_;
    int child_ = -1;
};

}  // namespace ipcscope::source
