// SPDX-License-Identifier: GPL-2.0-only
#include "source/unix_table.hpp"

#include <cstddef>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <ipcscope/record.h>

namespace ipcscope::source {
namespace {

const std::string kTitle =
    "Num       RefCount Protocol Flags    Type St Inode Path\n";
std::string line(const std::string& inode, const std::string& address, const char* type = "0001")
{
    return "00000000f9b2e1c8: 00000002 00000000 00010000 " + std::string(type) + " 01 " + inode +
           (address.empty() ? "" : " " + address) + "\n";
}

TEST(UnixTable, TypesAndAddresses)
{
    const auto table = parse_unix_table(kTitle + line("    7", "/run/a b") + line("12345", "") +
                                        line("   99", "@x@y", "0002") +
                                        line("  100", " @leading space", "0005"));
    ASSERT_EQ(table.size(), 4u);
    EXPECT_EQ(table.at(7).address, "/run/a b");
    EXPECT_EQ(table.at(7).type, IPCSCOPE_OBJECT_UNIX_STREAM);
    EXPECT_EQ(table.at(12345).address, "");
    EXPECT_EQ(table.at(99).address, "@x@y");
    EXPECT_EQ(table.at(99).type, IPCSCOPE_OBJECT_UNIX_DGRAM);
    EXPECT_EQ(table.at(100).address, " @leading space");
    EXPECT_EQ(table.at(100).type, IPCSCOPE_OBJECT_UNIX_SEQPACKET);
}

TEST(UnixTable, AnAddressMayHaveNewlines)
{
    const auto table = parse_unix_table(kTitle + line("7", "@one\ntwo\n\nthree") + line("8", "@b"));
    ASSERT_EQ(table.size(), 2u);
    EXPECT_EQ(table.at(7).address, "@one\ntwo\n\nthree");
    EXPECT_EQ(table.at(8).address, "@b");
}

TEST(UnixTable, OneThatWaitsToBeAcceptedIsNoAddress)
{
    const auto table =
        parse_unix_table(kTitle + line("7", "/run/a") + line("    0", "", "0000") + line("8", "@b"));
    ASSERT_EQ(table.size(), 2u);
    EXPECT_EQ(table.at(7).address, "/run/a");
}

TEST(UnixTable, NoneIsBelievedOfASocketWithTwoLines)
{
    const std::string forged = line("8", "/run/trusted");
    const auto table =
        parse_unix_table(kTitle + line("7", "@x\n" + forged + "y") + line("8", "@real") + line("9", "@c"));
    EXPECT_EQ(table.at(8).address, "");
    EXPECT_EQ(table.at(9).address, "@c");
}

TEST(UnixTable, WhatIsNoTable)
{
    EXPECT_TRUE(parse_unix_table("").empty());
    EXPECT_TRUE(parse_unix_table("Num\nno: such line\n").empty());
    EXPECT_TRUE(parse_unix_table(line("x", "@a")).empty());
    EXPECT_TRUE(parse_unix_table(line("7", "@a", "0003")).empty());
    EXPECT_EQ(parse_unix_table(line("7", "") + line("8", "@a", "0003")).at(7).address, "");
}

TEST(UnixTable, OfARealSocket)
{
    const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    ASSERT_GE(fd, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string name = std::string("\0unix\n\0\xff", 8) + std::to_string(getpid());
    std::memcpy(address.sun_path, name.data(), name.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
    struct stat file {};
    ASSERT_EQ(fstat(fd, &file), 0);
    UnixTables tables;
    const Fd process(open("/proc/self", O_RDONLY | O_DIRECTORY));
    const UnixSocket* found = tables.find(process, file.st_ino);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->type, IPCSCOPE_OBJECT_UNIX_SEQPACKET);
    EXPECT_EQ(found->address, "@unix\n@\xff" + std::to_string(getpid()));
    EXPECT_EQ(tables.find(process, file.st_ino + 1'000'000'000), nullptr);
    close(fd);
    EXPECT_NE(tables.find(process, file.st_ino), nullptr) << "one look";
    tables.forget();
    EXPECT_EQ(tables.find(process, file.st_ino), nullptr);
}

}  // namespace
}  // namespace ipcscope::source
