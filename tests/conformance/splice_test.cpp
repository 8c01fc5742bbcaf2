// SPDX-License-Identifier: GPL-2.0-only
// Every field of what is done to a pipe beside reads and writes.
#include <cerrno>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class Splices : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace =
            record_workload({}, "splice_fields", {mount_tmpfs("1m")});
        return trace;
    }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static Calls calls(const std::string& name, unsigned op)
    {
        return calls_on(trace().capture, op, fact(name));
    }
    static Json row(const std::string& name) { return pipe_row(trace().report, fact(name)); }

    static decode::Call call(const std::string& name, unsigned op)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_SPLICE);
        expected.op = static_cast<__u8>(op);
        expected.type = IPCSCOPE_OBJECT_PIPE;
        expected.object = fact(name, 0);
        expected.dev = static_cast<std::uint32_t>(fact(name, 1));
        expected.requested = 13;
        expected.ret = 13;
        expected.tail.pipe.ring_slots = 16;
        expected.tail.pipe.used_slots = op == IPCSCOPE_OP_SPLICE_IN || op == IPCSCOPE_OP_TEE;
        expected.tail.pipe.readers = expected.tail.pipe.writers = 1;
        return expected;
    }
    static void expect_calls(const Calls& seen, const decode::Call& expected, std::size_t count)
    {
        EXPECT_EQ(seen.size(), count) << show(expected);
        for (const auto& one : seen) {
            EXPECT_EQ(show(*one.body), show(expected));
        }
    }
    /// Its time is in the record before it.
    static bool is_other_end(const Seen<decode::Call>& one)
    {
        return one->since_ns == one.event->time_ns && one->enter_ns == one.event->time_ns;
    }
};

TEST_F(Splices, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Splices, BetweenPipesBothHaveTheBytes)
{
    const Calls in = calls("moved_from", IPCSCOPE_OP_SPLICE_IN);
    const Calls out = calls("moved_to", IPCSCOPE_OP_SPLICE_OUT);
    expect_calls(in, call("moved_from", IPCSCOPE_OP_SPLICE_IN), 97);
    expect_calls(out, call("moved_to", IPCSCOPE_OP_SPLICE_OUT), 97);
    for (std::size_t i = 0; i < std::min(in.size(), out.size()); ++i) {
        EXPECT_FALSE(is_other_end(in[i]));
        EXPECT_TRUE(is_other_end(out[i]));
        EXPECT_EQ(in[i].event->time_ns, out[i].event->time_ns);
    }
    EXPECT_EQ(row("moved_from")["reads"]["bytes"], 97 * 13);
    EXPECT_EQ(row("moved_from")["writes"]["bytes"], 97 * 13);
    EXPECT_EQ(row("moved_to")["writes"]["count"], 97);
    EXPECT_EQ(row("moved_to")["writes"]["bytes"], 97 * 13);
    EXPECT_EQ(row("moved_to")["writes"]["latency_ns"]["count"], 0);
    EXPECT_EQ(row("moved_to")["reads"]["bytes"], 97 * 13);
}

TEST_F(Splices, WhatIsCopiedStays)
{
    expect_calls(calls("copied_from", IPCSCOPE_OP_TEE), call("copied_from", IPCSCOPE_OP_TEE), 31);
    expect_calls(calls("copied_to", IPCSCOPE_OP_SPLICE_OUT),
                 call("copied_to", IPCSCOPE_OP_SPLICE_OUT), 31);
    EXPECT_EQ(row("copied_from")["reads"]["count"], 32);
    EXPECT_EQ(row("copied_from")["reads"]["bytes"], 13);
    EXPECT_EQ(row("copied_to")["writes"]["bytes"], 31 * 13);
}

TEST_F(Splices, UserMemory)
{
    expect_calls(calls("memory", IPCSCOPE_OP_VMSPLICE), call("memory", IPCSCOPE_OP_VMSPLICE), 37);
    auto read = call("memory", IPCSCOPE_OP_SPLICE_IN);
    read.tail.pipe.used_slots = 2;   // one of each segment
    const Calls reads = calls("memory", IPCSCOPE_OP_SPLICE_IN);
    expect_calls(reads, read, 37);
    EXPECT_EQ(row("memory")["reads"]["bytes"], 37 * 13);
    EXPECT_EQ(row("memory")["writes"]["bytes"], 37 * 13);
}

/// One record each: the file has none, and neither has what sendfile() calls itself.
TEST_F(Splices, Files)
{
    expect_calls(calls("files", IPCSCOPE_OP_SPLICE_OUT), call("files", IPCSCOPE_OP_SPLICE_OUT),
                 17 + 11);
    expect_calls(calls("files", IPCSCOPE_OP_SPLICE_IN), call("files", IPCSCOPE_OP_SPLICE_IN), 17);
    EXPECT_EQ(calls("files", IPCSCOPE_OP_WRITE).size(), 0u);
    EXPECT_EQ(calls("files", IPCSCOPE_OP_READ).size(), 11u);
    EXPECT_EQ(calls("file", IPCSCOPE_OP_SPLICE_IN).size(), 0u);
    EXPECT_EQ(calls("file", IPCSCOPE_OP_SPLICE_OUT).size(), 0u);
}

TEST_F(Splices, ARefusalIsOfThePipeThatRefused)
{
    auto refused = call("refused_empty", IPCSCOPE_OP_SPLICE_IN);
    refused.flags = IPCSCOPE_CALL_NONBLOCK;
    refused.ret = -EAGAIN;
    refused.tail.pipe.used_slots = 0;
    expect_calls(calls("refused_empty", IPCSCOPE_OP_SPLICE_IN), refused, 5);
    auto full = call("refused_full", IPCSCOPE_OP_SPLICE_OUT);
    full.flags = IPCSCOPE_CALL_NONBLOCK;
    full.ret = -EAGAIN;
    full.tail.pipe.ring_slots = full.tail.pipe.used_slots = 2;
    expect_calls(calls("refused_full", IPCSCOPE_OP_SPLICE_OUT), full, 7);
    EXPECT_EQ(calls("refused_from", IPCSCOPE_OP_SPLICE_IN).size(), 0u);
    EXPECT_EQ(row("refused_full")["writes"]["eagain"], 7);
}

TEST_F(Splices, NoReaderNoWriter)
{
    auto broken = call("broken", IPCSCOPE_OP_SPLICE_OUT);
    broken.ret = -EPIPE;
    broken.tail.pipe.readers = 0;
    expect_calls(calls("broken", IPCSCOPE_OP_SPLICE_OUT), broken, 3);
    EXPECT_EQ(row("broken")["writes"]["epipe"], 3);
    auto ended = call("ended", IPCSCOPE_OP_SPLICE_IN);
    ended.ret = 0;
    ended.tail.pipe.writers = 0;
    ended.tail.pipe.used_slots = 0;
    expect_calls(calls("ended", IPCSCOPE_OP_SPLICE_IN), ended, 3);
    EXPECT_EQ(row("ended")["reads"]["eof"], 3);
    auto nothing = call("refused_to", IPCSCOPE_OP_SPLICE_OUT);
    nothing.ret = 0;
    expect_calls(calls("refused_to", IPCSCOPE_OP_SPLICE_OUT), nothing, 3);
}

TEST_F(Splices, Resizes)
{
    auto resized = call("refused_full", IPCSCOPE_OP_RESIZE);
    resized.requested = 8192;
    resized.ret = 8192;
    expect_calls(calls("refused_full", IPCSCOPE_OP_RESIZE), resized, 1);
    EXPECT_EQ(calls("waits_for_room", IPCSCOPE_OP_RESIZE).size(), 1u);
    EXPECT_EQ(row("refused_full")["writes"]["bytes"], 8192);
}

/// The time is with the pipe that it was waited for.
TEST_F(Splices, Blocked)
{
    const Calls in = calls("waits_for_bytes", IPCSCOPE_OP_SPLICE_IN);
    const Calls out = calls("waits_for_room", IPCSCOPE_OP_SPLICE_OUT);
    ASSERT_EQ(in.size(), 10u);
    ASSERT_EQ(out.size(), 10u);
    for (std::size_t i = 0; i < 10; ++i) {
        const bool for_bytes = i < 5;
        const auto& waited = for_bytes ? in[i] : out[i];
        const auto& other = for_bytes ? out[i] : in[i];
        EXPECT_EQ(waited.event->task.tgid, fact("mover"));
        EXPECT_GE(waited->blocked_ns, 10'000'000u) << show(*waited.body);
        EXPECT_EQ(waited->waker_tid, fact("director"));
        EXPECT_FALSE(is_other_end(waited));
        EXPECT_TRUE(is_other_end(other));
        EXPECT_EQ(other->blocked_ns, 0u);
        EXPECT_EQ(other->sleeps, 0);
        EXPECT_EQ(other->ret, 13);
    }
}

/// What is waited for is no pipe: that has a record of its own.
TEST_F(Splices, ASocketIsWaitedFor)
{
    const Calls in = calls("socket", IPCSCOPE_OP_SPLICE_IN);
    ASSERT_EQ(in.size(), 7u);
    for (const auto& one : in) {
        EXPECT_EQ(one->type, IPCSCOPE_OBJECT_NONE);
        EXPECT_EQ(one.event->kind, IPCSCOPE_CALL_SPLICE);
        EXPECT_EQ(one->waker_tid, fact("director"));
        EXPECT_GE(one->blocked_ns, 10'000'000u);
        EXPECT_EQ(one->ret, 13);
    }
    const Calls out = calls("from_socket", IPCSCOPE_OP_SPLICE_OUT);
    ASSERT_EQ(out.size(), 7u);
    for (const auto& one : out) {
        EXPECT_TRUE(is_other_end(one));
        EXPECT_EQ(one->ret, 13);
    }
    EXPECT_EQ(row("from_socket")["writes"]["blocked_ns"], 0);
    EXPECT_EQ(row("from_socket")["writes"]["bytes"], 7 * 13);
}

TEST_F(Splices, OpensOfAFifo)
{
    const Calls opens = calls("fifo", IPCSCOPE_OP_OPEN);
    ASSERT_EQ(opens.size(), 11u);
    unsigned readers = 0, writers = 0;
    for (const auto& one : opens) {
        EXPECT_EQ(one->type, IPCSCOPE_OBJECT_FIFO);
        EXPECT_EQ(one->dev, fact("fifo", 1));
        if (one->flags == IPCSCOPE_CALL_OPENS_READ) {
            ++readers;
            EXPECT_EQ(one->ret, 0);
            EXPECT_GE(one->blocked_ns, 10'000'000u);
            EXPECT_EQ(one->waker_tid, fact("director"));
        } else if (one->flags == IPCSCOPE_CALL_OPENS_WRITE) {
            ++writers;
            EXPECT_EQ(one->ret, 0);
            EXPECT_EQ(one->tail.pipe.readers, 1u);
        } else {
            EXPECT_EQ(one->flags, IPCSCOPE_CALL_OPENS_WRITE | IPCSCOPE_CALL_NONBLOCK);
            EXPECT_EQ(one->ret, -ENXIO);
        }
    }
    EXPECT_EQ(readers, 5u);
    EXPECT_EQ(writers, 5u);
    EXPECT_EQ(row("fifo")["reads"]["count"], 0);
}

}  // namespace
}  // namespace ipcscope::conformance
