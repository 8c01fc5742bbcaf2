// SPDX-License-Identifier: GPL-2.0-only
// Kernel stacks of sleeping threads, through a helper that keeps the one
// privilege for it.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.hpp"

namespace ipcscope::source {

/// /proc/PID/task/TID/stack needs CAP_SYS_ADMIN.  A child that is forked while
/// we still have it answers for us: it takes two numbers and gives that file's
/// text, nothing else.  It ends with us.
class ThreadStacks {
public:
    ThreadStacks();
    ~ThreadStacks();
    ThreadStacks(const ThreadStacks&) = delete;
    ThreadStacks& operator=(const ThreadStacks&) = delete;

    /// "[<0>] io_schedule+0x46/0x70\n…"; empty where it cannot be read.
    std::string read(std::uint32_t tgid, std::uint32_t tid);

private:
    Fd socket_;
    int child_ = -1;
};

}  // namespace ipcscope::source
