// SPDX-License-Identifier: GPL-2.0-only
// Every field of every call on a System V message queue and a semaphore.
#include <cerrno>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

constexpr __s32 kKey = 0x1234567;

class Sysvs : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,sysv"}, "sysv_fields");
        return trace;
    }
    static std::uint64_t fact(const std::string& name) { return trace().facts.at(name, 0); }
    static std::uint64_t semaphore_id(std::uint64_t number)
    {
        return number << 32 | fact("semaphores");
    }
    static Calls calls(std::uint64_t object, unsigned op)
    {
        const unsigned type = op == IPCSCOPE_OP_SEMAPHORE ? IPCSCOPE_OBJECT_SYSV_SEM
                                                          : IPCSCOPE_OBJECT_SYSV_MSG;
        Calls found;
        for (const auto& one : calls_on(trace().capture, op, object)) {
            if (one->type == type) {   // ids of the two kinds may be equal
                found.push_back(one);
            }
        }
        return found;
    }
    static Calls calls(const std::string& name, unsigned op) { return calls(fact(name), op); }
    static decode::Call message(const std::string& name, unsigned op)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_SYSV);
        const bool send = op == IPCSCOPE_OP_SEND;
        expected.op = static_cast<__u8>(op);
        expected.type = IPCSCOPE_OBJECT_SYSV_MSG;
        expected.object = fact(name);
        expected.requested = 13;
        expected.ret = send ? 0 : 13;
        expected.tail.sysv.key = kKey;
        expected.tail.sysv.depth = send ? 0 : 1;
        expected.tail.sysv.amount = send ? 7 : 0;
        return expected;
    }
    static decode::Call semaphore(__s32 amount, __s32 value, std::uint64_t number = 1)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_SYSV);
        expected.op = IPCSCOPE_OP_SEMAPHORE;
        expected.type = IPCSCOPE_OBJECT_SYSV_SEM;
        expected.object = semaphore_id(number);
        expected.tail.sysv.key = kKey + 1;
        expected.tail.sysv.depth = 1;
        expected.tail.sysv.amount = amount;
        expected.tail.sysv.semaphore_value = value;
        return expected;
    }
    static std::size_t count(const Calls& seen, const decode::Call& expected)
    {
        std::size_t equal = 0;
        for (const auto& one : seen) {
            EXPECT_EQ(one.event->kind, IPCSCOPE_CALL_SYSV);
            equal += show(*one.body) == show(expected) ? 1 : 0;
        }
        return equal;
    }
};

TEST_F(Sysvs, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Sysvs, Messages)
{
    const Calls sends = calls("messages", IPCSCOPE_OP_SEND);
    ASSERT_EQ(sends.size(), 101u + 2u + 1u);
    auto send = message("messages", IPCSCOPE_OP_SEND);
    EXPECT_EQ(count(sends, send), 102u) << show(*sends[0].body) << "\n" << show(send);
    send.tail.sysv.depth = 1;
    EXPECT_EQ(show(*sends[102].body), show(send));
    send.ret = -EINVAL;   // it is gone: neither key nor depth
    send.tail.sysv.depth = 0;
    send.tail.sysv.key = 0;
    EXPECT_EQ(show(*sends[103].body), show(send));
    const Calls receives = calls("messages", IPCSCOPE_OP_RECEIVE);
    ASSERT_EQ(receives.size(), 101u + 11u);
    auto receive = message("messages", IPCSCOPE_OP_RECEIVE);
    EXPECT_EQ(count(receives, receive), 101u) << show(*receives[0].body) << "\n" << show(receive);
    receive.flags = IPCSCOPE_CALL_NONBLOCK;
    receive.ret = -ENOMSG;
    receive.tail.sysv.depth = 0;
    receive.tail.sysv.amount = -9;
    EXPECT_EQ(count(receives, receive), 11u) << show(*receives.back().body) << "\n"
                                             << show(receive);
}

TEST_F(Sysvs, AReceiverWaits)
{
    const Calls receives = calls("empty", IPCSCOPE_OP_RECEIVE);
    EXPECT_EQ(receives.size(), 13u);
    for (const auto& one : receives) {
        EXPECT_EQ(one.event->task.tgid, fact("receiver"));
        EXPECT_GE(one->blocked_ns, 10'000'000u);
        EXPECT_EQ(one->waker_tid, fact("director"));
        EXPECT_EQ(one->tail.sysv.key, 0);
    }
    EXPECT_EQ(calls("empty", IPCSCOPE_OP_SEND).size(), 13u);
}

TEST_F(Sysvs, Semaphores)
{
    EXPECT_TRUE(calls(semaphore_id(0), IPCSCOPE_OP_SEMAPHORE).empty()) << "never the first";
    const Calls all = calls(semaphore_id(1), IPCSCOPE_OP_SEMAPHORE);
    const Calls others = calls(semaphore_id(2), IPCSCOPE_OP_SEMAPHORE);
    ASSERT_EQ(all.size(), 2u * 101u + 2u * 13u);
    ASSERT_EQ(others.size(), 1u + 11u + 2u * 7u);
    EXPECT_EQ(count(all, semaphore(2, 0)), 101u) << show(*all[0].body) << "\n"
                                                 << show(semaphore(2, 0));
    EXPECT_EQ(count(all, semaphore(-2, 2)), 101u);
    for (const auto& [amount, value] : {std::pair{3, 0}, {-3, 3}}) {
        auto undone = semaphore(amount, value, 2);
        undone.flags = IPCSCOPE_CALL_UNDO;
        EXPECT_EQ(count(others, undone), 7u);
    }
    auto two = semaphore(5, 0, 2);
    two.tail.sysv.depth = 2;
    EXPECT_EQ(count(others, two), 1u);
    auto refused = semaphore(-6, 5, 2);
    refused.flags = IPCSCOPE_CALL_NONBLOCK;
    refused.ret = -EAGAIN;
    EXPECT_EQ(count(others, refused), 11u);
    EXPECT_EQ(count(all, semaphore(1, 0)), 13u);
    unsigned waited = 0;
    for (const auto& one : all) {
        if (one.event->task.tgid == fact("waiter")) {
            ++waited;
            EXPECT_GE(one->blocked_ns, 10'000'000u);
            EXPECT_EQ(one->waker_tid, fact("director"));
            EXPECT_EQ(show(*one.body), show([&] {
                          auto expected = semaphore(-1, 0);
                          expected.sleeps = one->sleeps;
                          return expected;
                      }()));
        }
    }
    EXPECT_EQ(waited, 13u);
}

TEST_F(Sysvs, TheReportHasTheirBytesAndWaits)
{
    const auto row = [&](const char* kind, std::uint64_t object) {
        for (const Json& one : trace().report["objects"]) {
            if (one["kind"] == kind && one["id"] == object) {
                return one;
            }
        }
        return Json();
    };
    const Json messages = row("sysv_msg", fact("messages"));
    ASSERT_FALSE(messages.is_null());
    EXPECT_EQ(messages["operations"][0]["bytes"], 103 * 13);
    EXPECT_EQ(messages["operations"][1]["bytes"], 101 * 13);
    const Json semaphores = row("sysv_sem", semaphore_id(1));
    ASSERT_FALSE(semaphores.is_null());
    EXPECT_EQ(semaphores["operations"][0]["blocked_count"], 13);
    EXPECT_EQ(semaphores["operations"][0]["bytes"], 0);
}

}  // namespace
}  // namespace ipcscope::conformance
