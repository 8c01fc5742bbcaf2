// SPDX-License-Identifier: GPL-2.0-only
// Every field of every read and write of an eventfd.
#include <cerrno>
#include <limits>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class Eventfds : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,eventfd"}, "eventfd_fields");
        return trace;
    }
    static std::uint64_t fact(const std::string& name) { return trace().facts.at(name, 0); }
    static Calls calls(const std::string& name, unsigned op)
    {
        Calls found;
        for (const auto& one : calls_on(trace().capture, op, fact(name))) {
            if (one.event->kind == IPCSCOPE_CALL_EVENTFD) {
                found.push_back(one);
            }
        }
        return found;
    }
    static decode::Call call(const std::string& name, unsigned op)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_EVENTFD);
        expected.op = static_cast<__u8>(op);
        expected.type = IPCSCOPE_OBJECT_EVENTFD;
        expected.object = fact(name);
        expected.requested = 8;
        expected.ret = 8;
        return expected;
    }
    static void expect_calls(const Calls& seen, const decode::Call& expected, std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_EQ(show(*one.body), show(expected));
        }
    }
};

TEST_F(Eventfds, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Eventfds, InTurn)
{
    expect_calls(calls("in_turn", IPCSCOPE_OP_WRITE), call("in_turn", IPCSCOPE_OP_WRITE), 103);
    auto read = call("in_turn", IPCSCOPE_OP_READ);
    read.tail.eventfd.counter = 1;
    expect_calls(calls("in_turn", IPCSCOPE_OP_READ), read, 103);
}

TEST_F(Eventfds, OfASemaphoreTheCounterFallsByOne)
{
    const auto reads = calls("semaphore", IPCSCOPE_OP_READ);
    auto read = call("semaphore", IPCSCOPE_OP_READ);
    read.tail.eventfd.semaphore = 1;
    ASSERT_EQ(reads.size(), 13u);
    for (std::size_t i = 0; i < reads.size(); ++i) {
        read.tail.eventfd.counter = 13 - i;
        EXPECT_EQ(show(*reads[i].body), show(read));
    }
}

TEST_F(Eventfds, Errors)
{
    auto refused = call("errors", IPCSCOPE_OP_READ);
    refused.flags = IPCSCOPE_CALL_NONBLOCK;
    refused.ret = -EAGAIN;
    auto reads = calls("errors", IPCSCOPE_OP_READ);
    ASSERT_EQ(reads.size(), 14u);
    auto small = refused;
    small.requested = 4;
    small.ret = -EINVAL;
    EXPECT_EQ(show(*reads.back().body), show(small));
    reads.pop_back();
    expect_calls(reads, refused, 13);
    auto largest = call("errors", IPCSCOPE_OP_WRITE);
    largest.flags = IPCSCOPE_CALL_NONBLOCK;
    largest.ret = -EINVAL;
    expect_calls(calls("errors", IPCSCOPE_OP_WRITE), largest, 1);
}

TEST_F(Eventfds, AReaderSleepsUntilTheWrite)
{
    const auto reads = calls("blocked", IPCSCOPE_OP_READ);
    EXPECT_EQ(reads.size(), 17u);
    for (const auto& read : reads) {
        EXPECT_EQ(read.event->task.tgid, fact("blocked_by"));
        EXPECT_GE(read->blocked_ns, 10'000'000u);
        EXPECT_EQ(read->waker_tid, fact("director"));
        EXPECT_EQ(read->sleeps, 1);
    }
    auto write = call("blocked", IPCSCOPE_OP_WRITE);
    write.tail.eventfd.waiters = 1;
    expect_calls(calls("blocked", IPCSCOPE_OP_WRITE), write, 17);
}

TEST_F(Eventfds, TheReportHasARowForEach)
{
    const auto row = [&](const std::string& name) {
        for (const Json& one : trace().report["objects"]) {
            if (one["kind"] == "eventfd" && one["id"] == fact(name)) {
                return one;
            }
        }
        return Json();
    };
    const Json blocked = row("blocked");
    ASSERT_FALSE(blocked.is_null());
    ASSERT_EQ(blocked["operations"].size(), 2u);
    EXPECT_EQ(blocked["operations"][0]["op"], "read");
    EXPECT_EQ(blocked["operations"][0]["count"], 17);
    EXPECT_EQ(blocked["operations"][0]["blocked_count"], 17);
    EXPECT_EQ(blocked["operations"][0]["bytes"], 17 * 8);
    EXPECT_EQ(blocked["users"].size(), 2u);
    EXPECT_EQ(row("errors")["operations"][0]["eagain"], 13);
    EXPECT_EQ(row("errors")["operations"][0]["errors"], 1);
}

}  // namespace
}  // namespace ipcscope::conformance
