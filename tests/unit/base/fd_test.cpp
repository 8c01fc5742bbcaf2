// SPDX-License-Identifier: GPL-2.0-only
#include "base/fd.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace ipcscope {
namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }
Fd open_null() { return Fd{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

TEST(Fd, ClosesWhatItHolds)
{
    int raw = -1;
    {
        const Fd fd = open_null();
        raw = fd.get();
        ASSERT_TRUE(fd);
        ASSERT_TRUE(is_open(raw));
    }
    EXPECT_FALSE(is_open(raw));
}

TEST(Fd, MovesAndReplaces)
{
    Fd first = open_null();
    const int raw = first.get();
    Fd second{std::move(first)};
    EXPECT_FALSE(first);
    EXPECT_EQ(second.get(), raw);
    Fd third = open_null();
    const int replaced = third.get();
    third = std::move(second);
    EXPECT_FALSE(is_open(replaced));
    EXPECT_EQ(third.get(), raw);
}

TEST(Fd, ReleasedIsNotClosed)
{
    Fd fd = open_null();
    const int raw = fd.release();
    EXPECT_FALSE(fd);
    fd.reset();
    EXPECT_TRUE(is_open(raw));
    ::close(raw);
}

}  // namespace
}  // namespace ipcscope
