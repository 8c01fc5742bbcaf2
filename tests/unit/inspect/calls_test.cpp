// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>

#include <fmt/format.h>

#include "inspect/calls.hpp"
#include "inspect/mappings.hpp"

namespace ipcscope::inspect {
namespace {

std::string no_memory(std::uint64_t, std::size_t) { return {}; }
std::vector<std::uint32_t> nothing_watched(std::uint32_t) { return {}; }

std::optional<Call> call(const std::string& text)
{
    return parse_call(text, no_memory, nothing_watched);
}

TEST(Calls, DescriptorOfARead)
{
    const auto read = call(fmt::format("{} 0x7 0x7ffc 0x1000 0x0 0x0 0x0 0x7ffd 0x7f00", SYS_read));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->name, "read");
    EXPECT_EQ(read->descriptors, std::vector<std::uint32_t>{7});
}

TEST(Calls, BothEndsOfASplice)
{
    const auto splice = call(fmt::format("{} 0x3 0x0 0x5 0x0 0x1000 0x0 0x0 0x0", SYS_splice));
    EXPECT_EQ(splice->descriptors, (std::vector<std::uint32_t>{3, 5}));
}

TEST(Calls, WhatPollWaitsFor)
{
    const pollfd polled[] = {{4, POLLIN, 0}, {-1, POLLIN, 0}, {9, POLLOUT, 0}};
    const auto memory = [&](std::uint64_t address, std::size_t size) {
        EXPECT_EQ(address, 0x7000u);
        EXPECT_EQ(size, sizeof polled);
        return std::string(reinterpret_cast<const char*>(polled), sizeof polled);
    };
    const auto found =
        parse_call(fmt::format("{} 0x7000 0x3 0x0 0x0 0x0 0x0 0x0 0x0", SYS_ppoll), memory,
                   nothing_watched);
    EXPECT_EQ(found->descriptors, (std::vector<std::uint32_t>{4, 9}));
}

TEST(Calls, WhatSelectWaitsFor)
{
    const auto memory = [](std::uint64_t address, std::size_t size) {
        EXPECT_EQ(size, 8u);   // of 41 descriptors
        std::string set(size, '\0');
        if (address == 0x10) set[0] = 1 << 3;
        if (address == 0x20) set[5] = 1;
        return set;
    };
    const auto found =
        parse_call(fmt::format("{} 0x29 0x10 0x20 0x0 0x0 0x0 0x0 0x0", SYS_pselect6), memory,
                   nothing_watched);
    EXPECT_EQ(found->descriptors, (std::vector<std::uint32_t>{3, 40}));
}

TEST(Calls, WhatEpollWatches)
{
    const auto found = parse_call(
        fmt::format("{} 0x6 0x0 0x8 0x0 0x0 0x0 0x0 0x0", SYS_epoll_pwait), no_memory,
        [](std::uint32_t descriptor) {
            EXPECT_EQ(descriptor, 6u);
            return std::vector<std::uint32_t>{0, 8};
        });
    EXPECT_EQ(found->descriptors, (std::vector<std::uint32_t>{6, 0, 8}));
}

TEST(Calls, FunctionsOfAStack)
{
    const std::string text = "[<0>] folio_wait_bit_common+0x13d/0x350\n[<0>] filemap_read+0x2f2/0x390\n"
                             "[<0>] ext4_file_read_iter+0x5b/0x1e0 [ext4]\n[<0>] vfs_read+0x1fa/0x2e0\n";
    EXPECT_EQ(functions_of(text, 3), (std::vector<std::string>{"folio_wait_bit_common", "filemap_read",
                                                               "ext4_file_read_iter"}));
    EXPECT_EQ(functions_of(text, 9).size(), 4u);
    EXPECT_TRUE(functions_of("", 9).empty());
    EXPECT_TRUE(functions_of("[<0>] \nnot a stack\n\n", 9).empty());
}

TEST(Calls, OthersAndNone)
{
    EXPECT_EQ(call(fmt::format("{} 0x7f00 0x0 0x2 0x0 0x0 0x0 0x0 0x0", SYS_futex))->address,
              0x7f00u);
    EXPECT_FALSE(call("running\n")->number);
    EXPECT_FALSE(call("-1 0x7f 0x55\n")->number);
    EXPECT_EQ(call(fmt::format("{} 0x3 0x0", SYS_statx))->name, "statx");
    EXPECT_EQ(call(fmt::format("{} 0x3 0x0", SYS_statx))->descriptors.size(), 0u);
    EXPECT_EQ(call("9999 0x0\n")->number, 9999u);
    EXPECT_EQ(call("9999 0x0\n")->name, "");
    EXPECT_FALSE(call(""));
    EXPECT_FALSE(call("x"));
}

// A hostile count asks for no more than fits.
TEST(Calls, PollOfTooMany)
{
    std::size_t asked = 0;
    parse_call(fmt::format("{} 0x7000 0xffffffffffffffff", SYS_ppoll),
               [&](std::uint64_t, std::size_t size) {
                   asked = size;
                   return std::string(3, 'x');
               },
               nothing_watched);
    EXPECT_EQ(asked, 4096 * sizeof(pollfd));
}

TEST(Mappings, SharedAndWritable)
{
    const auto found = shared_mappings(
        "55d0a000-55d0b000 r-xp 00000000 fd:01 1234                       /usr/bin/node\n"
        "7f0000000000-7f0000002000 rw-s 00000000 00:01 2049               /dev/zero (deleted)\n"
        "7f0000004000-7f0000005000 r--s 00000000 fd:01 77                 /usr/lib/gconv.cache\n"
        "7f0000006000-7f0000007000 rw-s 00001000 00:1a 12                 /dev/shm/a ring\n"
        "7f0000008000-7f0000009000 rw-p 00000000 00:00 0 \n"
        "7f000000a000-7f000000b000 rw-s 00000000 00:00 0 \n"
        "not a line\n");
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(object_of(found[0]), (Object{Kind::shared_memory, 1, 2049}));
    EXPECT_EQ(found[0].name, "anonymous shared memory");
    EXPECT_EQ(found[0].end - found[0].begin, 0x2000u);
    EXPECT_EQ(object_of(found[1]), (Object{Kind::shared_memory, 0x1a, 12}));
    EXPECT_EQ(found[1].name, "/dev/shm/a ring");
}

}  // namespace
}  // namespace ipcscope::inspect
