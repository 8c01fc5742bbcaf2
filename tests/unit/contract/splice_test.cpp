// SPDX-License-Identifier: GPL-2.0-only
// Which end of a splice has the time, and which one a refusal is of.
#include <cerrno>

#include <gtest/gtest.h>
#include <ipcscope/splice.h>

namespace {

ipcscope_open_call end(std::uint8_t op, std::uint64_t object, std::uint32_t used = 0)
{
    ipcscope_open_call made{};
    made.op = op;
    made.object = object;
    made.type = object != 0 ? IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_NONE;
    made.tail.pipe.ring_slots = object != 0 ? 16 : 0;
    made.tail.pipe.used_slots = used;
    return made;
}

/// A call between two ends, 0: that is no pipe.
struct Call {
    ipcscope_open_call call{};
    ipcscope_splice splice{};

    Call(std::uint64_t in, std::uint64_t out, std::uint32_t in_used = 1,
         std::uint32_t out_used = 0)
    {
        const auto from = end(IPCSCOPE_OP_SPLICE_IN, in, in_used);
        const auto to = end(IPCSCOPE_OP_SPLICE_OUT, out, out_used);
        call = out == 0 ? to : from;
        splice.other = out == 0 ? from : to;
        ipcscope_splice_begins(&splice, IPCSCOPE_BY_SPLICE, 2);
    }
    /// Object of the first record and, where there is one, of the second; 99: none.
    std::pair<std::uint64_t, std::uint64_t> returns(int ret, std::uint64_t blocked_ns = 0)
    {
        const int both = ipcscope_splice_returns(&call, &splice, ret, blocked_ns);
        return {call.object, both != 0 ? splice.other.object : 99};
    }
};

using Ends = std::pair<std::uint64_t, std::uint64_t>;

TEST(Splices, WithoutAWaitTheInputIsFirst)
{
    EXPECT_EQ(Call(5, 6).returns(13), Ends(5, 6));
    EXPECT_EQ(Call(5, 0).returns(13), Ends(5, 99));
    EXPECT_EQ(Call(0, 6).returns(13), Ends(6, 99));
}

TEST(Splices, TheTimeIsWithTheEndThatWasWaitedForLongest)
{
    Call call(5, 6);
    ipcscope_splice_waits(&call.call, &call.splice, 0, 0);
    ipcscope_splice_waited(&call.call, &call.splice, 100);
    ipcscope_splice_waits(&call.call, &call.splice, 1, 100);
    EXPECT_EQ(call.call.object, 6u);   // what an unfinished call names
    ipcscope_splice_waited(&call.call, &call.splice, 301);
    EXPECT_EQ(Call(call).returns(13, 301), Ends(6, 5));
    ipcscope_splice_waits(&call.call, &call.splice, 0, 301);
    EXPECT_EQ(call.call.object, 5u);
    ipcscope_splice_waited(&call.call, &call.splice, 500);
    EXPECT_EQ(call.returns(13, 500), Ends(5, 6));
}

TEST(Splices, ASocketIsNoPipe)
{
    Call call(0, 6);
    ipcscope_splice_waits(&call.call, &call.splice, 1, 0);
    EXPECT_EQ(call.call.object, 6u);
    ipcscope_splice_waited(&call.call, &call.splice, 10);
    EXPECT_EQ(call.call.type, IPCSCOPE_OBJECT_NONE);
    EXPECT_EQ(Call(call).returns(13, 30), Ends(0, 6));
    EXPECT_EQ(call.returns(13, 15), Ends(6, 99));
}

TEST(Splices, ARefusalIsOfOneEnd)
{
    EXPECT_EQ(Call(5, 6, 0).returns(-EAGAIN), Ends(5, 99));
    EXPECT_EQ(Call(5, 6, 1, 16).returns(-EAGAIN), Ends(6, 99));
    EXPECT_EQ(Call(5, 0, 1).returns(-EAGAIN), Ends(0, 99));
    EXPECT_EQ(Call(5, 0, 0).returns(-EAGAIN), Ends(5, 99));
    EXPECT_EQ(Call(0, 6, 0, 3).returns(-EAGAIN), Ends(0, 99));
    EXPECT_EQ(Call(5, 6).returns(-EPIPE), Ends(6, 99));
    EXPECT_EQ(Call(5, 6).returns(-EINVAL), Ends(5, 99));
    Call waited(5, 6);
    ipcscope_splice_waits(&waited.call, &waited.splice, 0, 0);
    EXPECT_EQ(waited.returns(-EPIPE, 100), Ends(5, 6));
}

}  // namespace
