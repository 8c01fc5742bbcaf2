// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/round_trips.hpp"

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace ipcscope::aggregate {
namespace {

constexpr std::uint32_t kA = 100, kB = 200;

decode::Event event_of(std::uint32_t tid, std::uint64_t time, unsigned kind,
                       decode::Body body)
{
    decode::Event event;
    event.time_ns = time;
    event.kind = kind;
    event.task.tgid = event.task.tid = tid;
    event.body = std::move(body);
    return event;
}

decode::Event pipe_op(std::uint32_t tid, bool write, std::uint64_t enter, std::uint64_t exit,
                      std::uint64_t blocked = 0, std::uint64_t woken = 0,
                      std::uint64_t runnable = 0)
{
    decode::Call op{};
    op.header.kind = IPCSCOPE_CALL_PIPE;
    op.type = IPCSCOPE_OBJECT_PIPE;
    op.object = (tid == kA) == write ? 1 : 2;   // one there, one back
    op.op = write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ;
    op.ret = 1;
    op.enter_ns = enter;
    op.blocked_ns = blocked;
    op.woken_before_ns = woken ? static_cast<std::uint32_t>(exit - woken) : 0;
    op.sleeps = woken != 0;
    op.runnable_ns = runnable;
    return event_of(tid, exit, IPCSCOPE_CALL_PIPE, op);
}

constexpr std::uint64_t kind_bit(unsigned kind) { return std::uint64_t{1} << kind; }

RoundTrips split_pipes(std::span<const decode::Event> events, std::uint32_t a,
                                std::uint32_t b, std::uint64_t from_ns, std::uint64_t to_ns)
{
    return split_calls(events, kind_bit(IPCSCOPE_CALL_PIPE), a, b, from_ns, to_ns);
}

/// A call on another object: of the two directions each has its own.
decode::Event call_on(decode::ObjectType type, unsigned kind, decode::Op op, std::uint64_t object,
                      std::uint32_t tid, std::uint64_t enter, std::uint64_t exit,
                      std::uint64_t woken = 0, std::int32_t ret = 1)
{
    decode::Event event = pipe_op(tid, false, enter, exit, 0, woken);
    event.kind = kind;
    auto& call = std::get<decode::Call>(event.body);
    call.header.kind = static_cast<std::uint16_t>(kind);
    call.type = static_cast<std::uint8_t>(type);
    call.op = static_cast<std::uint8_t>(op);
    call.object = object;
    call.ret = ret;
    return event;
}

std::uint64_t sum(const RoundTrips& trips)
{
    return std::accumulate(trips.ns.begin(), trips.ns.end(), std::uint64_t{0});
}

/// a and b on one CPU: each sleeps until the other has written.
std::vector<decode::Event> one_trip(std::uint64_t at)
{
    return {
        pipe_op(kA, true, at + 10, at + 30),                        // wakes b at 25
        pipe_op(kB, false, at, at + 60, 20, at + 25, 15),           // runs from 40
        pipe_op(kB, true, at + 70, at + 90),                        // wakes a at 85
        pipe_op(kA, false, at + 35, at + 120, 50, at + 85, 20),     // runs from 105
    };
}

TEST(RoundTrips, PipeIsSplitAtEachInstant)
{
    const auto trips = split_pipes(one_trip(1000), kA, kB, 1000, 1130);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.left_out, 0U);
    EXPECT_EQ(trips.total_ns, 130U);
    EXPECT_EQ(trips.at(Stretch::send), 15U + 15U);
    EXPECT_EQ(trips.at(Stretch::runqueue), 15U + 20U);
    EXPECT_EQ(trips.at(Stretch::receive), 20U + 15U);
    EXPECT_EQ(trips.at(Stretch::outside), 10U + 10U + 10U);
    EXPECT_EQ(trips.at(Stretch::full), 0U);
    EXPECT_EQ(trips.at(Stretch::wake), 0U);
    EXPECT_EQ(sum(trips), trips.total_ns);
}

TEST(RoundTrips, ReceiverThatDidNotSleep)
{
    // b comes to its read after a has written: on its way it was outside.
    std::vector<decode::Event> events{
        pipe_op(kA, true, 10, 20), pipe_op(kB, false, 35, 50),
        pipe_op(kB, true, 60, 75), pipe_op(kA, false, 65, 80),   // a is there already
    };
    const auto trips = split_pipes(events, kA, kB, 5, 90);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::send), 10U + 15U);
    EXPECT_EQ(trips.at(Stretch::outside), 5U + 15U + 10U + 10U);
    EXPECT_EQ(trips.at(Stretch::receive), 15U + 5U);
    EXPECT_EQ(sum(trips), 85U);
}

TEST(RoundTrips, WriterBlockedOnAFullPipe)
{
    std::vector<decode::Event> events{
        pipe_op(kA, true, 10, 100, 60, 75, 0), pipe_op(kB, false, 5, 120, 10, 95, 5),
        pipe_op(kB, true, 130, 140), pipe_op(kA, false, 110, 150, 20, 138, 2),
    };
    const auto trips = split_pipes(events, kA, kB, 0, 160);
    EXPECT_EQ(trips.at(Stretch::full), 60U);
    EXPECT_EQ(sum(trips), 160U);
}

TEST(RoundTrips, ManyInARowTileTheWindow)
{
    std::vector<decode::Event> events;
    for (std::uint64_t i = 0; i < 97; i++) {
        const auto one = one_trip(1000 + 130 * i);
        events.insert(events.end(), one.begin(), one.end());
    }
    const auto trips = split_pipes(events, kA, kB, 1000, 1000 + 97 * 130);
    EXPECT_EQ(trips.count, 97U);
    EXPECT_EQ(trips.total_ns, 97U * 130);
    EXPECT_EQ(sum(trips), trips.total_ns);
    // Only those within the window.
    EXPECT_EQ(split_pipes(events, kA, kB, 1000 + 130, 1000 + 96 * 130).count, 95U);
    EXPECT_EQ(split_pipes(events, kB + 1, kA, 0, 1 << 20).count, 0U);
}

TEST(RoundTrips, OneWithAMissingRecordIsLeftOut)
{
    for (std::size_t missing = 0; missing < 4; missing++) {
        std::vector<decode::Event> events;
        for (std::uint64_t i = 0; i < 3; i++) {
            const auto one = one_trip(1000 + 130 * i);
            events.insert(events.end(), one.begin(), one.end());
        }
        events.erase(events.begin() + 4 + static_cast<std::ptrdiff_t>(missing));
        const auto trips = split_pipes(events, kA, kB, 1000, 1390);
        // Without a's call the one before goes on to the next: it has two of all.
        EXPECT_EQ(trips.count, missing == 0 ? 1U : 2U) << missing;
        EXPECT_EQ(trips.left_out, 1U) << missing;
        EXPECT_EQ(sum(trips), trips.total_ns) << missing;
    }
}

/// One signal: sent from `at`, generated 10 later, taken 40 later, and delivered at 55
/// where it goes to a handler.
void add_signal(std::vector<decode::Event>& events, std::uint32_t from, std::uint32_t to,
                std::uint64_t at, bool handler)
{
    decode::SignalGenerate generate{};
    generate.enter_ns = at;
    generate.target_tgid = generate.target_tid = to;
    decode::SignalTake take{};
    take.dequeued_ns = at + 40;
    take.enter_ns = handler ? at + 35 : 0;
    events.push_back(event_of(from, at + 10, IPCSCOPE_SIGNAL_GENERATE, generate));
    events.push_back(event_of(to, at + (handler ? 55 : 40), IPCSCOPE_SIGNAL_TAKE, take));
}

TEST(RoundTrips, Signals)
{
    for (const bool handler : {false, true}) {
        std::vector<decode::Event> events;
        for (std::uint64_t i = 0; i < 7; i++) {
            add_signal(events, kA, kB, 1000 + i * 200, handler);
            add_signal(events, kB, kA, 1100 + i * 200, handler);
        }
        const auto trips = split_signals(events, kA, kB, 990, 2390);
        EXPECT_EQ(trips.count, 7U);
        EXPECT_EQ(trips.at(Stretch::send), 7U * 20);
        EXPECT_EQ(trips.at(Stretch::wake), 7U * 60);
        EXPECT_EQ(trips.at(Stretch::receive), handler ? 7U * 30 : 0U);
        EXPECT_EQ(trips.total_ns, 1400U);
        EXPECT_EQ(sum(trips), trips.total_ns);
    }
}

TEST(RoundTrips, SignalTakenBeforeItsSenderIsOut)
{
    std::vector<decode::Event> events;
    add_signal(events, kA, kB, 1000, true);
    add_signal(events, kB, kA, 1100, true);
    // The send core's exit comes late: the receiver had it by then.
    events[0].time_ns = 1045;
    const auto trips = split_signals(events, kA, kB, 990, 1200);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::send), 40U + 10);
    EXPECT_EQ(trips.at(Stretch::wake), 0U + 30);
    EXPECT_EQ(sum(trips), trips.total_ns);
}

TEST(RoundTrips, AWakeUpLongAgoIsNotKnown)
{
    auto events = one_trip(1000);
    std::get<decode::Call>(events[1].body).woken_before_ns = UINT32_MAX;
    const auto trips = split_pipes(events, kA, kB, 1000, 1130);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(sum(trips), trips.total_ns);
}

TEST(RoundTrips, MessagesByCallsOfEachFamily)
{
    using decode::Op;
    using decode::ObjectType;
    struct Way {
        ObjectType type;
        unsigned kind;
        Op put, take;
        std::int32_t put_ret;
    };
    for (const Way& way : {
             Way{ObjectType::eventfd, IPCSCOPE_CALL_EVENTFD, Op::write, Op::read, 8},
             Way{ObjectType::mqueue, IPCSCOPE_CALL_MQUEUE, Op::send, Op::receive, 0},
             Way{ObjectType::sysv_msg, IPCSCOPE_CALL_SYSV, Op::send, Op::receive, 0},
             Way{ObjectType::futex, IPCSCOPE_CALL_FUTEX, Op::wake, Op::wait, 1},
             Way{ObjectType::futex_private, IPCSCOPE_CALL_FUTEX, Op::wake, Op::wait, 1}}) {
        const auto call = [&](Op op, std::uint64_t object, std::uint32_t tid, std::uint64_t enter,
                              std::uint64_t exit, std::uint64_t woken = 0) {
            return call_on(way.type, way.kind, op, object, tid, enter, exit, woken, way.put_ret);
        };
        const std::vector<decode::Event> events{
            call(way.put, 7, kA, 10, 30), call(way.take, 7, kB, 0, 60, 25),
            call(way.put, 8, kB, 70, 90), call(way.take, 8, kA, 35, 120, 85)};
        const auto trips = split_calls(events, kind_bit(way.kind), kA, kB, 0, 130);
        EXPECT_EQ(trips.count, 1U) << way.kind;
        EXPECT_EQ(trips.at(Stretch::send), 15U + 15U);
        EXPECT_EQ(trips.at(Stretch::receive), 35U + 35U);
        EXPECT_EQ(sum(trips), 130U);
        EXPECT_EQ(split_calls(events, kind_bit(IPCSCOPE_CALL_PIPE), kA, kB, 0, 130).count, 0U);
    }
}

TEST(RoundTrips, SocketsNameTheOtherEnd)
{
    const auto call = [](decode::Op op, std::uint64_t own, std::uint64_t peer, std::uint32_t tid,
                         std::uint64_t enter, std::uint64_t exit) {
        auto event = call_on(decode::ObjectType::unix_stream, IPCSCOPE_CALL_UNIX, op, own, tid,
                             enter, exit);
        std::get<decode::Call>(event.body).peer = peer;
        return event;
    };
    using decode::Op;
    const std::vector<decode::Event> events{
        call(Op::send, 3, 4, kA, 10, 20), call(Op::receive, 4, 3, kB, 30, 40),
        call(Op::send, 4, 3, kB, 50, 60), call(Op::receive, 3, 4, kA, 70, 80)};
    const auto trips = split_calls(events, kind_bit(IPCSCOPE_CALL_UNIX), kA, kB, 0, 90);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::send), 20U);
    EXPECT_EQ(trips.at(Stretch::receive), 20U);
}

TEST(RoundTrips, SemaphoresGoByTheSignOfTheirAmount)
{
    const auto call = [](std::int32_t amount, std::uint64_t object, std::uint32_t tid,
                         std::uint64_t enter, std::uint64_t exit, std::uint64_t woken = 0) {
        auto event = call_on(decode::ObjectType::sysv_sem, IPCSCOPE_CALL_SYSV,
                             decode::Op::semaphore, object, tid, enter, exit, woken, 0);
        std::get<decode::Call>(event.body).tail.sysv.amount = amount;
        return event;
    };
    const std::vector<decode::Event> events{
        call(1, 1, kA, 10, 30), call(-1, 1, kB, 0, 60, 25),
        call(1, 2, kB, 70, 90), call(-1, 2, kA, 35, 120, 85)};
    const auto trips = split_calls(events, kind_bit(IPCSCOPE_CALL_SYSV), kA, kB, 0, 130);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::send), 30U);
}

TEST(RoundTrips, AFutexIsNotCalledForWhatIsThere)
{
    const auto futex = [](decode::Op op, std::uint64_t object, std::uint32_t tid,
                          std::uint64_t enter, std::uint64_t exit, std::uint64_t woken = 0,
                          std::int32_t ret = 0) {
        return call_on(decode::ObjectType::futex, IPCSCOPE_CALL_FUTEX, op, object, tid, enter,
                       exit, woken, ret);
    };
    using decode::Op;
    const std::vector<decode::Event> whole{
        futex(Op::wake, 1, kA, 10, 30), futex(Op::wait, 1, kB, 0, 60, 25),
        futex(Op::wake, 2, kB, 70, 90), futex(Op::wait, 2, kA, 35, 120, 85)};
    const auto split = [](const std::vector<decode::Event>& events, std::uint64_t to_ns) {
        return split_calls(events, kind_bit(IPCSCOPE_CALL_FUTEX), kA, kB, 0, to_ns);
    };
    // b was not asleep, and a found the answer: neither called to wait.
    auto events = whole;
    events.push_back(futex(Op::wake, 1, kA, 140, 150));
    events.push_back(futex(Op::wake, 2, kB, 160, 170));
    auto trips = split(events, 200);
    EXPECT_EQ(trips.count, 2U);
    EXPECT_EQ(trips.at(Stretch::send), 30U + 20U);
    EXPECT_EQ(sum(trips), 200U);
    // b came too early, but not early enough to sleep.
    events = whole;
    events.push_back(futex(Op::wake, 1, kA, 140, 150));
    events.push_back(futex(Op::wait, 1, kB, 138, 155, 0, -EAGAIN));
    events.push_back(futex(Op::wake, 2, kB, 160, 170));
    trips = split(events, 200);
    EXPECT_EQ(trips.count, 2U);
    EXPECT_EQ(trips.at(Stretch::receive), 35U + 35U + 5U);
    // a slept, and who woke it is missing.
    events = whole;
    events.erase(events.begin() + 2);
    events.push_back(futex(Op::wake, 2, kB, 900, 910));
    trips = split(events, 130);
    EXPECT_EQ(trips.count, 0U);
    EXPECT_EQ(trips.left_out, 1U);
}

TEST(RoundTrips, AReceiverInPollWaitsForACpu)
{
    auto events = one_trip(1000);
    auto& read = std::get<decode::Call>(events[1].body);
    read.sleeps = 0;
    read.enter_ns = 1050;
    read.between_polling_ns = 30;
    read.between_runnable_ns = 12;
    const auto trips = split_pipes(events, kA, kB, 1000, 1130);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::runqueue), 12U + 20U);
    EXPECT_EQ(sum(trips), trips.total_ns);
}

TEST(RoundTrips, ASpliceBeginsWithItsFirstRecord)
{
    // a splices from a pipe of its own: the second record is of the other pipe.
    auto out = [](std::uint64_t object, decode::Op op, std::uint64_t since, std::uint64_t enter,
                  std::uint64_t exit) {
        auto event = call_on(decode::ObjectType::pipe, IPCSCOPE_CALL_SPLICE, op, object, kA,
                             enter, exit);
        std::get<decode::Call>(event.body).since_ns = since;
        return event;
    };
    auto events = one_trip(1000);
    events[0] = out(9, decode::Op::splice_in, 1000, 1010, 1030);
    events.insert(events.begin() + 1, out(1, decode::Op::splice_out, 1030, 1030, 1030));
    const auto trips = split_calls(events, kind_bit(IPCSCOPE_CALL_PIPE) |
                                   kind_bit(IPCSCOPE_CALL_SPLICE), kA, kB, 1000, 1130);
    EXPECT_EQ(trips.count, 1U);
    EXPECT_EQ(trips.at(Stretch::send), 15U + 15U);
    EXPECT_EQ(sum(trips), trips.total_ns);
}

RC_GTEST_PROP(RoundTrips, PartsAddUpWhateverTheRecordsSay, ())
{
    std::vector<decode::Event> events;
    const auto count = *rc::gen::inRange(0, 40);
    for (int i = 0; i < count; i++) {
        const auto time = [] { return *rc::gen::inRange<std::uint64_t>(0, 1000); };
        events.push_back(pipe_op(*rc::gen::element(kA, kB), *rc::gen::arbitrary<bool>(), time(),
                                 time(), time(), time(), time()));
    }
    std::sort(events.begin(), events.end(),
              [](const auto& x, const auto& y) { return x.time_ns < y.time_ns; });
    const auto trips = split_pipes(events, kA, kB, 100, 900);
    RC_ASSERT(sum(trips) == trips.total_ns);
    RC_ASSERT(trips.total_ns <= 800 * trips.count);
}

}  // namespace
}  // namespace ipcscope::aggregate
