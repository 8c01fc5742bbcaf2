// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <sys/syscall.h>

#include "base/syscall_name.hpp"

namespace ipcscope {
namespace {

TEST(SyscallName, OfThisMachine)
{
    EXPECT_EQ(syscall_name(SYS_read), "read");
    EXPECT_EQ(syscall_name(SYS_rt_sigprocmask), "rt_sigprocmask");
    EXPECT_EQ(syscall_name(SYS_clock_nanosleep), "clock_nanosleep");
    EXPECT_EQ(syscall_name(SYS_statx), "statx");
    EXPECT_EQ(syscall_name(SYS_pidfd_open), "pidfd_open");
#ifdef SYS_open
    EXPECT_EQ(syscall_name(SYS_open), "open");
#endif
}

TEST(SyscallName, OfNone)
{
    EXPECT_EQ(syscall_name(9999), "");
    EXPECT_EQ(syscall_name(UINT32_MAX), "");
}

}  // namespace
}  // namespace ipcscope
