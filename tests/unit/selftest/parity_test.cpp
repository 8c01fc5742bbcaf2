// SPDX-License-Identifier: GPL-2.0-only
// The comparison finds what differs, and only that.
#include <cstring>

#include <gtest/gtest.h>

#include "selftest/parity.hpp"

namespace ipcscope::selftest {
namespace {

template <typename Body>
Body record(unsigned kind, std::uint32_t tid, std::uint64_t time)
{
    Body body{};
    body.header.time_ns = time;
    body.header.tid = tid;
    body.header.tgid = tid;
    body.header.kind = static_cast<__u16>(kind);
    body.header.size = sizeof body;
    return body;
}

template <typename Body>
void keep(Kept& kept, const Body& body)
{
    const auto* bytes = reinterpret_cast<const std::byte*>(&body);
    ASSERT_TRUE(kept.records(0, {bytes, sizeof body}));
}

ipcscope_pipe_op read_of(std::uint32_t tid, std::uint64_t time)
{
    return record<ipcscope_pipe_op>(IPCSCOPE_PIPE_READ, tid, time);
}

TEST(Parity, TimesMayDiffer)
{
    Kept one, two;
    ipcscope_pipe_op read = read_of(7, 100);
    keep(one, read);
    read.header.time_ns = 200;
    read.header.lost_before = 3;
    read.enter_ns = read.blocked_ns = read.runqueue_ns = read.uninterruptible_ns = 9;
    keep(two, read);
    EXPECT_TRUE(compare(one, two, IPCSCOPE_PIPE_READ).equal());
}

/// Every other byte of every kind counts.
TEST(Parity, EveryByteCounts)
{
    const ipcscope_pipe_op read = read_of(7, 100);
    unsigned apart = 0;
    for (std::size_t at = 0; at < sizeof read; at++) {
        Kept one, two;
        keep(one, read);
        Record changed(sizeof read);
        std::memcpy(changed.data(), &read, sizeof read);
        changed[at] ^= std::byte{1};
        // Kind and size say what it is: another kind is not compared at all.
        if (at >= offsetof(ipcscope_header, kind) && at < offsetof(ipcscope_header, flags)) {
            continue;
        }
        ASSERT_TRUE(two.records(0, changed));
        apart += !compare(one, two, IPCSCOPE_PIPE_READ).equal();
    }
    // All but time_ns, lost_before, five times of the call, and kind and size.
    EXPECT_EQ(apart, sizeof read - 8 * 7 - 4);
}

TEST(Parity, MissingAndSuperfluous)
{
    Kept one, two;
    keep(one, read_of(7, 1));
    keep(one, read_of(7, 2));
    keep(two, read_of(7, 1));
    EXPECT_FALSE(compare(one, two, IPCSCOPE_PIPE_READ).equal());
    EXPECT_FALSE(compare(two, one, IPCSCOPE_PIPE_READ).equal());
    keep(two, read_of(8, 2));
    EXPECT_FALSE(compare(one, two, IPCSCOPE_PIPE_READ).equal());
    EXPECT_TRUE(compare(one, two, IPCSCOPE_PIPE_WRITE).equal());
}

TEST(Parity, ThreadsMayComeInAnotherOrder)
{
    Kept one, two;
    keep(one, read_of(7, 1));
    keep(one, read_of(8, 2));
    keep(two, read_of(8, 1));
    keep(two, read_of(7, 2));
    EXPECT_TRUE(compare(one, two, IPCSCOPE_PIPE_READ).equal());
}

TEST(Parity, SaysWhere)
{
    Kept one, two;
    ipcscope_pipe_op read = read_of(7, 1);
    keep(one, read);
    read.ret = 1;
    keep(two, read);
    const auto parity = compare(one, two, IPCSCOPE_PIPE_READ);
    EXPECT_EQ(parity.unequal, 1u);
    EXPECT_NE(parity.example.find("byte 72 of pipe_read"), std::string::npos) << parity.example;
}

TEST(Parity, SameBucket)
{
    Histogram one, two, far;
    one.add(20'000'000);
    two.add(20'100'000);
    far.add(25'000'000);
    EXPECT_TRUE(same_bucket(one, two));
    EXPECT_FALSE(same_bucket(one, far));
    EXPECT_FALSE(same_bucket(one, {}));
    EXPECT_FALSE(same_bucket({}, {}));
    two.add(20'000'000);
    EXPECT_FALSE(same_bucket(one, two)) << "not as many";
}

TEST(Parity, HalfARecordIsAnError)
{
    Kept kept;
    const ipcscope_pipe_op read = read_of(7, 1);
    const auto* bytes = reinterpret_cast<const std::byte*>(&read);
    EXPECT_FALSE(kept.records(0, {bytes, sizeof read - 1}));
}

}  // namespace
}  // namespace ipcscope::selftest
