// SPDX-License-Identifier: GPL-2.0-only
// Every field of every call on a futex that processes share.
#include <cerrno>

#include <gtest/gtest.h>
#include <linux/futex.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

constexpr std::uint64_t kPage = 4096, kStep = 0x40;   // bytes
// Of the kernel: how a signal breaks a wait off, without and with a timeout.
constexpr __s32 kRestartSys = -512, kRestartBlock = -516;

class Futexes : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,futex"}, "futex_fields");
        return trace;
    }
    static std::uint64_t fact(const std::string& name) { return trace().facts.at(name, 0); }
    /// The kernel's number of the memory that has that address in the director.
    static std::uint64_t memory(std::uint64_t address)
    {
        for (const auto& event : trace().capture.events) {
            const auto* call = std::get_if<decode::Call>(&event.body);
            if (event.kind == IPCSCOPE_CALL_FUTEX && call != nullptr &&
                event.task.tgid == fact("director") && call->peer / kPage == address / kPage) {
                return call->object >> 32;
            }
        }
        ADD_FAILURE() << "no call on that memory";
        return 0;
    }
    /// The words are in the third page of their memory.
    static std::uint64_t object(std::uint64_t index)
    {
        return memory(fact("words")) << 32 | (2 * kPage + index * kStep) / 4;
    }
    static Calls calls(std::uint64_t index, unsigned op)
    {
        return calls_on(trace().capture, op, object(index));
    }
    static decode::Call call(std::uint64_t index, std::uint32_t operation)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_FUTEX);
        expected.op = IPCSCOPE_OP_WAIT;
        expected.type = IPCSCOPE_OBJECT_FUTEX;
        expected.object = object(index);
        expected.peer = fact("words") + index * kStep;
        expected.tail.futex.offset = static_cast<std::uint32_t>(index * kStep);
        expected.tail.futex.operation = operation;
        return expected;
    }
    static decode::Call wake(std::uint64_t index, std::uint32_t requested, std::uint32_t woken,
                             std::uint32_t operation = FUTEX_WAKE)
    {
        auto expected = call(index, operation);
        expected.op = IPCSCOPE_OP_WAKE;
        expected.requested = requested;
        expected.ret = static_cast<__s32>(woken);
        expected.tail.futex.woken = woken;
        return expected;
    }
    static std::size_t count(const Calls& seen, const decode::Call& expected)
    {
        std::size_t equal = 0;
        std::string shown;
        for (const auto& one : seen) {
            EXPECT_EQ(one.event->kind, IPCSCOPE_CALL_FUTEX);
            auto body = expected;
            body.sleeps = one->sleeps;   // those that wait are looked at below
            equal += show(*one.body) == show(body) ? 1 : 0;
            shown += show(*one.body) + "\n";
        }
        EXPECT_NE(equal, 0u) << show(expected) << "\n is none of\n" << shown;
        return equal;
    }
};

TEST_F(Futexes, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Futexes, WakesAndWaitsThatDoNotSleep)
{
    const Calls wakes = calls(1, IPCSCOPE_OP_WAKE);
    EXPECT_EQ(wakes.size(), 101u + 7u);
    EXPECT_EQ(count(wakes, wake(1, 3, 0)), 101u);
    EXPECT_EQ(count(wakes, wake(1, 2, 0, FUTEX_WAKE_OP)), 7u);
    const Calls waits = calls(1, IPCSCOPE_OP_WAIT);
    EXPECT_EQ(waits.size(), 11u + 3u);
    auto refused = call(1, FUTEX_WAIT);
    refused.ret = -EAGAIN;
    refused.tail.futex.expected = 7;
    EXPECT_EQ(count(waits, refused), 11u);
    auto timed_out = call(1, FUTEX_WAIT);
    timed_out.ret = -ETIMEDOUT;
    EXPECT_EQ(count(waits, timed_out), 3u);
    for (const auto& one : waits) {
        EXPECT_EQ(one->sleeps, one->ret == -ETIMEDOUT ? 1u : 0u);
        EXPECT_EQ(one->blocked_ns >= 5'000'000u, one->ret == -ETIMEDOUT);   // of 10 ms
    }
}

TEST_F(Futexes, NeitherPrivateOnesNorOnesThatFailAreCalls)
{
    for (const unsigned op : {IPCSCOPE_OP_WAIT, IPCSCOPE_OP_WAKE, IPCSCOPE_OP_REQUEUE}) {
        EXPECT_TRUE(calls(3, op).empty());
    }
    for (const auto& event : trace().capture.events) {
        if (event.kind == IPCSCOPE_CALL_FUTEX) {
            EXPECT_EQ(std::get<decode::Call>(event.body).type, IPCSCOPE_OBJECT_FUTEX);
        }
    }
}

TEST_F(Futexes, AWaiterAndItsWakerHaveOneObjectAtTwoAddresses)
{
    const Calls waits = calls(4, IPCSCOPE_OP_WAIT);
    EXPECT_EQ(waits.size(), 13u + 1u);
    auto waited = call(4, FUTEX_WAIT);
    waited.peer = fact("waiter_address");
    EXPECT_NE(waited.peer, fact("words") + 4 * kStep);
    EXPECT_EQ(count(waits, waited), 13u);
    waited.tail.futex.operation = FUTEX_WAIT_BITSET;
    EXPECT_EQ(count(waits, waited), 1u);
    unsigned long_ones = 0;
    for (const auto& one : waits) {
        EXPECT_EQ(one.event->task.tgid, fact("waiter"));
        EXPECT_EQ(one->waker_tid, fact("director"));
        EXPECT_EQ(one->sleeps, 1u);
        long_ones += one->blocked_ns >= 5'000'000u ? 1 : 0;
    }
    EXPECT_GE(long_ones, 13u);
    const Calls wakes = calls(4, IPCSCOPE_OP_WAKE);
    EXPECT_EQ(wakes.size(), 13u + 2u);
    EXPECT_EQ(count(wakes, wake(4, 1, 1)), 13u);
    EXPECT_EQ(count(wakes, wake(4, 5, 0, FUTEX_WAKE_BITSET)), 1u);
    EXPECT_EQ(count(wakes, wake(4, 5, 1, FUTEX_WAKE_BITSET)), 1u);
}

TEST_F(Futexes, OneThatWasMovedIsWokenAtTheOther)
{
    const Calls requeues = calls(5, IPCSCOPE_OP_REQUEUE);
    EXPECT_EQ(requeues.size(), 2u);
    auto requeue = wake(5, 0, 1, FUTEX_CMP_REQUEUE);
    requeue.op = IPCSCOPE_OP_REQUEUE;
    EXPECT_EQ(count(requeues, requeue), 1u);
    requeue.ret = -EAGAIN;
    requeue.tail.futex.expected = 8;
    requeue.tail.futex.woken = 0;
    EXPECT_EQ(count(requeues, requeue), 1u);
    EXPECT_EQ(count(calls(5, IPCSCOPE_OP_WAIT), call(5, FUTEX_WAIT)), 1u);
    EXPECT_EQ(count(calls(5, IPCSCOPE_OP_WAKE), wake(5, 1, 0)), 1u);
    EXPECT_EQ(count(calls(6, IPCSCOPE_OP_WAKE), wake(6, 1, 1)), 1u);
    EXPECT_TRUE(calls(6, IPCSCOPE_OP_WAIT).empty());
}

TEST_F(Futexes, TheWordOfALockSaysWhoOwnsIt)
{
    const Calls locks = calls(7, IPCSCOPE_OP_WAIT);
    EXPECT_EQ(locks.size(), 1u + 11u + 1u);
    EXPECT_EQ(count(locks, call(7, FUTEX_LOCK_PI)), 1u);
    // The first attempt at it sets FUTEX_WAITERS.
    const auto owner = static_cast<std::uint32_t>(fact("owner"));
    auto owned = call(7, FUTEX_LOCK_PI);
    owned.tail.futex.expected = owner | FUTEX_WAITERS;
    EXPECT_EQ(count(locks, owned), 1u);
    for (const auto& one : locks) {
        if (show(*one.body) == show([&] { owned.sleeps = one->sleeps; return owned; }()) &&
            one->blocked_ns != 0) {
            EXPECT_EQ(one->waker_tid, fact("owner"));
            EXPECT_GE(one->blocked_ns, 10'000'000u);
        }
    }
    auto refused = owned;
    refused.ret = -EAGAIN;
    refused.flags = IPCSCOPE_CALL_NONBLOCK;
    refused.tail.futex.operation = FUTEX_TRYLOCK_PI;
    EXPECT_EQ(count(locks, refused), 10u);
    refused.tail.futex.expected = owner;
    EXPECT_EQ(count(locks, refused), 1u);
    const Calls unlocks = calls(7, IPCSCOPE_OP_WAKE);
    EXPECT_EQ(unlocks.size(), 2u);
    EXPECT_EQ(count(unlocks, wake(7, 0, 0, FUTEX_UNLOCK_PI)), 2u);
}

TEST_F(Futexes, AWaitThatASignalBrokeOff)
{
    const Calls waits = calls(9, IPCSCOPE_OP_WAIT);
    ASSERT_EQ(waits.size(), 3u);
    auto wait = call(9, FUTEX_WAIT);
    for (const auto& [at, ret] : {std::pair{0u, kRestartBlock}, {1u, 0}, {2u, kRestartSys}}) {
        wait.ret = ret;
        wait.sleeps = waits[at]->sleeps;
        EXPECT_EQ(show(*waits[at].body), show(wait));
        EXPECT_EQ(waits[at].event->task.tgid, fact("stopped"));
    }
}

TEST_F(Futexes, TheReportHasTheirMemoryAndWaits)
{
    const auto row = [&](std::uint64_t object) {
        for (const Json& one : trace().report["objects"]) {
            if (one["kind"] == "futex" && one["id"] == object) {
                return one;
            }
        }
        return Json();
    };
    const Json waited = row(object(4));
    ASSERT_FALSE(waited.is_null());
    EXPECT_EQ(waited["name"], "memfd words");
    EXPECT_EQ(waited["operations"][0]["op"], "wait");
    EXPECT_EQ(waited["operations"][0]["blocked_count"], 14);
    EXPECT_EQ(waited["operations"][0]["bytes"], 0);
    EXPECT_EQ(waited["operations"][1]["count"], 15);
    for (const auto& [memory_name, name] :
         {std::pair{"anonymous", "anonymous shared memory"},
          {"segment", "System V shared memory, key 0x0000002a"},
          {"unlinked", "/tmp/futex \\x1b[31m (deleted)"}}) {
        const Json one = row(memory(fact(memory_name)) << 32);
        ASSERT_FALSE(one.is_null()) << memory_name;
        EXPECT_EQ(one["name"], name);
    }
}

class PrivateFutexes : public Futexes {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,futex=all"}, "futex_fields");
        return trace;
    }
    static decode::Call call(const std::string& address, unsigned op, std::uint32_t operation)
    {
        const std::uint64_t word = trace().facts.at(address, 0);
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_FUTEX);
        expected.op = static_cast<__u8>(op);
        expected.type = IPCSCOPE_OBJECT_FUTEX_PRIVATE;
        expected.object = expected.peer = word;
        expected.dev = static_cast<__u32>(trace().facts.at("director", 0));
        expected.requested = op == IPCSCOPE_OP_WAKE ? 1 : 0;
        expected.tail.futex.offset = static_cast<std::uint32_t>(word % kPage);
        expected.tail.futex.operation = operation;
        return expected;
    }
    static Calls calls(const decode::Call& like)
    {
        return calls_on(trace().capture, like.op, like.object);
    }
};

TEST_F(PrivateFutexes, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

/// With the flag, whatever the memory is, and without it on memory of one process.
TEST_F(PrivateFutexes, AreCallsOnTheAddress)
{
    auto word = call("words", IPCSCOPE_OP_WAKE, FUTEX_WAKE | FUTEX_PRIVATE_FLAG);
    word.object = word.peer += 3 * kStep;
    word.tail.futex.offset += 3 * kStep;
    EXPECT_EQ(calls(word).size(), 17u);
    EXPECT_EQ(count(calls(word), word), 17u);
    const auto own = call("own", IPCSCOPE_OP_WAKE, FUTEX_WAKE);
    EXPECT_EQ(calls(own).size(), 17u);
    EXPECT_EQ(count(calls(own), own), 17u);
}

TEST_F(PrivateFutexes, AThreadsWaitHasItsWaker)
{
    const auto wait = call("private", IPCSCOPE_OP_WAIT, FUTEX_WAIT | FUTEX_PRIVATE_FLAG);
    const Calls waits = calls(wait);
    EXPECT_EQ(waits.size(), 19u);
    EXPECT_EQ(count(waits, wait), 19u);
    for (const auto& one : waits) {
        EXPECT_EQ(one.event->task.tid, trace().facts.at("sleeper", 0));
        EXPECT_EQ(one->waker_tid, trace().facts.at("director", 0));
        EXPECT_GE(one->blocked_ns, 1'000'000u);
    }
    auto wake = call("private", IPCSCOPE_OP_WAKE, FUTEX_WAKE | FUTEX_PRIVATE_FLAG);
    wake.ret = 1;
    wake.tail.futex.woken = 1;
    EXPECT_EQ(count(calls(wake), wake), 19u);
}

}  // namespace
}  // namespace ipcscope::conformance
