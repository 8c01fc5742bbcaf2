// SPDX-License-Identifier: GPL-2.0-only
// Every field of every send and receive by a POSIX message queue.
#include <cerrno>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class Mqueues : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,mqueue"}, "mqueue_fields");
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
    static decode::Call call(const std::string& name, unsigned op)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_MQUEUE);
        const bool send = op == IPCSCOPE_OP_SEND;
        expected.op = static_cast<__u8>(op);
        expected.type = IPCSCOPE_OBJECT_MQUEUE;
        expected.object = fact(name, 0);
        expected.dev = static_cast<std::uint32_t>(fact(name, 1));
        expected.requested = send ? 13 : 32;
        expected.ret = send ? 0 : 13;
        expected.tail.mqueue.messages = send ? 0 : 1;
        expected.tail.mqueue.max_messages = 3;
        expected.tail.mqueue.message_bytes = 32;
        return expected;
    }
    static void expect_calls(const Calls& seen, const decode::Call& expected, std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_EQ(one.event->kind, IPCSCOPE_CALL_MQUEUE);
            EXPECT_EQ(show(*one.body), show(expected));
        }
    }
};

TEST_F(Mqueues, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Mqueues, InTurn)
{
    auto send = call("in_turn", IPCSCOPE_OP_SEND);
    send.tail.mqueue.priority = 5;
    expect_calls(calls("in_turn", IPCSCOPE_OP_SEND), send, 101);
    expect_calls(calls("in_turn", IPCSCOPE_OP_RECEIVE), call("in_turn", IPCSCOPE_OP_RECEIVE),
                 101);
}

TEST_F(Mqueues, Refused)
{
    auto empty = call("refused", IPCSCOPE_OP_RECEIVE);
    empty.flags = IPCSCOPE_CALL_NONBLOCK;
    empty.ret = -EAGAIN;
    empty.tail.mqueue.messages = 0;
    expect_calls(calls("refused", IPCSCOPE_OP_RECEIVE), empty, 11);
    const Calls sends = calls("refused", IPCSCOPE_OP_SEND);
    ASSERT_EQ(sends.size(), 3u + 11u + 1u);
    auto send = call("refused", IPCSCOPE_OP_SEND);
    send.flags = IPCSCOPE_CALL_NONBLOCK;
    send.requested = 7;
    for (__u32 i = 0; i < 3; ++i) {
        send.tail.mqueue.messages = send.tail.mqueue.priority = i;
        EXPECT_EQ(show(*sends[i].body), show(send));
    }
    send.tail.mqueue.messages = 3;
    send.tail.mqueue.priority = 0;
    send.ret = -EAGAIN;
    for (std::size_t i = 3; i < 14; ++i) {
        EXPECT_EQ(show(*sends[i].body), show(send));
    }
    send.requested = 33;
    send.ret = -EMSGSIZE;
    EXPECT_EQ(show(*sends[14].body), show(send));
}

TEST_F(Mqueues, Blocked)
{
    const Calls received = calls("empty", IPCSCOPE_OP_RECEIVE);
    EXPECT_EQ(received.size(), 13u);
    for (const auto& one : received) {
        EXPECT_EQ(one.event->task.tgid, fact("receiver"));
        EXPECT_GE(one->blocked_ns, 10'000'000u);
        EXPECT_EQ(one->waker_tid, fact("director"));
        EXPECT_EQ(one->sleeps, 1);
    }
    expect_calls(calls("empty", IPCSCOPE_OP_SEND), call("empty", IPCSCOPE_OP_SEND), 13);
    unsigned waited = 0;
    for (const auto& one : calls("full", IPCSCOPE_OP_SEND)) {
        if (one.event->task.tgid == fact("sender")) {
            ++waited;
            EXPECT_GE(one->blocked_ns, 10'000'000u);
            EXPECT_EQ(one->waker_tid, fact("director"));
            EXPECT_EQ(one->tail.mqueue.messages, 3u);
        }
    }
    EXPECT_EQ(waited, 13u);
    const Calls all = calls("full", IPCSCOPE_OP_SEND);
    ASSERT_EQ(all.size(), 3u + 13u + 1u);
    EXPECT_EQ(all.back()->ret, -ETIMEDOUT);
    EXPECT_EQ(all.back()->requested, 0u);
}

TEST_F(Mqueues, TheReportHasItsNameAndItsBytes)
{
    Json row;
    for (const Json& one : trace().report["objects"]) {
        if (one["kind"] == "mqueue" && one["id"] == fact("empty")) {
            row = one;
        }
    }
    ASSERT_FALSE(row.is_null());
    EXPECT_EQ(row["name"], "/empty");
    ASSERT_EQ(row["operations"].size(), 2u);
    EXPECT_EQ(row["operations"][0]["op"], "send");
    EXPECT_EQ(row["operations"][0]["bytes"], 13 * 13);
    EXPECT_EQ(row["operations"][1]["op"], "receive");
    EXPECT_EQ(row["operations"][1]["bytes"], 13 * 13);
    EXPECT_EQ(row["operations"][1]["blocked_count"], 13);
    EXPECT_EQ(row["users"].size(), 2u);
}

/// --object and --path: of one queue of four, and the rest is counted as filtered.
TEST(MqueueFilters, ShowTheCallsOfOneQueue)
{
    for (const char* option : {"--object=mqueue:/empty", "--path=/emp?y"}) {
        const Trace trace = record_workload({"--trace=signals,mqueue", option}, "mqueue_fields");
        expect_lossless(trace);
        const std::uint64_t wanted = trace.facts.at("empty", 0);
        EXPECT_EQ(calls_on(trace.capture, IPCSCOPE_OP_SEND, wanted).size(), 13u) << option;
        EXPECT_EQ(calls_on(trace.capture, IPCSCOPE_OP_RECEIVE, wanted).size(), 13u) << option;
        for (const char* other : {"in_turn", "refused", "full"}) {
            for (const unsigned op : {IPCSCOPE_OP_SEND, IPCSCOPE_OP_RECEIVE}) {
                EXPECT_TRUE(calls_on(trace.capture, op, trace.facts.at(other, 0)).empty())
                    << option << " " << other;
            }
        }
        // in turn 2 * 101, refused 11 + 3 + 11 + 1, full 3 + 13 + 13 + 1
        EXPECT_EQ(trace.capture.filtered(IPCSCOPE_CALL_MQUEUE), 202u + 26u + 30u) << option;
    }
}

}  // namespace
}  // namespace ipcscope::conformance
