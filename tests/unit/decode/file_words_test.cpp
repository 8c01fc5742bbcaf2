// SPDX-License-Identifier: GPL-2.0-only
#include "decode/file_words.hpp"

#include <algorithm>
#include <string_view>

#include <gtest/gtest.h>
#include <ipcscope/policy.h>
#include <linux/magic.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace ipcscope::decode::test {
namespace {

FdReceived file(unsigned mode, unsigned filesystem, std::string_view name)
{
    FdReceived out{};
    out.mode = static_cast<__u16>(mode);
    out.filesystem = filesystem;
    std::copy_n(name.begin(), std::min(name.size(), sizeof out.name), out.name);
    return out;
}

FdReceived socket(int family, int type, std::string_view name, bool listening = false,
                  unsigned port = 0)
{
    FdReceived out = file(S_IFSOCK | 0777, IPCSCOPE_SOCKFS_MAGIC, name);
    out.family = static_cast<__u16>(family);
    out.socket_type = static_cast<__u8>(type);
    out.listening = listening;
    out.port = static_cast<__u16>(port);
    return out;
}

TEST(FileWords, Sockets)
{
    EXPECT_EQ(file_words(socket(AF_INET, SOCK_STREAM, "TCP", true, 8080)),
              "a listening TCP socket, port 8080");
    EXPECT_EQ(file_words(socket(AF_INET6, SOCK_DGRAM, "UDPv6")), "a UDPv6 socket");
    EXPECT_EQ(file_words(socket(AF_UNIX, SOCK_STREAM, "UNIX-STREAM", true)),
              "a listening Unix stream socket");
    EXPECT_EQ(file_words(socket(AF_UNIX, SOCK_DGRAM, "UNIX")), "a Unix datagram socket");
    EXPECT_EQ(file_words(socket(AF_NETLINK, SOCK_RAW, "")), "a raw socket");
    EXPECT_EQ(file_words(socket(AF_NETLINK, 77, "")), "a socket");
}

/// An anonymous file's mode is that of a regular one since 6.16.
TEST(FileWords, Anonymous)
{
    EXPECT_EQ(file_words(file(0600, ANON_INODE_FS_MAGIC, "[eventfd]")), "an eventfd");
    EXPECT_EQ(file_words(file(S_IFREG | 0600, ANON_INODE_FS_MAGIC, "[eventpoll]")),
              "an epoll instance");
    EXPECT_EQ(file_words(file(0600, ANON_INODE_FS_MAGIC, "bpf-map")), "an anonymous file, bpf-map");
    EXPECT_EQ(file_words(file(0600, ANON_INODE_FS_MAGIC, "")), "an anonymous file");
    EXPECT_EQ(file_words(file(S_IFREG, 0x50494446, "")), "a pidfd");
    EXPECT_EQ(file_words(file(S_IFREG, NSFS_MAGIC, "")), "a namespace");
}

TEST(FileWords, Files)
{
    EXPECT_EQ(file_words(file(S_IFREG, EXT4_SUPER_MAGIC, "app.log")), "the file app.log");
    EXPECT_EQ(file_words(file(S_IFREG, TMPFS_MAGIC, "memfd:kept")), "the memfd kept");
    EXPECT_EQ(file_words(file(S_IFDIR, EXT4_SUPER_MAGIC, "/")), "the directory /");
    EXPECT_EQ(file_words(file(S_IFCHR, TMPFS_MAGIC, "null")), "the character device null");
    EXPECT_EQ(file_words(file(S_IFBLK, TMPFS_MAGIC, "sda")), "the block device sda");
    EXPECT_EQ(file_words(file(S_IFIFO, EXT4_SUPER_MAGIC, "queue")), "the FIFO queue");
    EXPECT_EQ(file_words(file(S_IFIFO, PIPEFS_MAGIC, "")), "a pipe");
    EXPECT_EQ(file_words(file(0, 0, "x")), "a file of another kind");
}

/// Any bytes, and all 32 of them.
TEST(FileWords, HostileNames)
{
    EXPECT_EQ(file_words(file(S_IFREG, EXT4_SUPER_MAGIC, "a\x1b[31m")), "the file a\\x1b[31m");
    const std::string full(sizeof FdReceived{}.name, 'n');
    EXPECT_EQ(file_words(file(S_IFREG, EXT4_SUPER_MAGIC, full)), "the file " + full);
}

}  // namespace
}  // namespace ipcscope::decode::test
