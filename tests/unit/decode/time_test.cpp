// SPDX-License-Identifier: GPL-2.0-only
#include "decode/time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "decode/decode.hpp"
#include "records.hpp"

namespace ipcscope::decode {
namespace {

using namespace ipcscope::test;

std::uint64_t sum(const Between& time)
{
    return time.running_ns + time.runnable_ns + time.sleeping_ns + time.polling_ns +
           time.uninterruptible_ns + time.killable_ns + time.other_ns;
}

std::uint64_t sum(const Inside& time)
{
    return time.running_ns + time.runnable_ns + time.blocked_ns + time.uninterruptible_ns;
}

Call a_call()
{
    Call call{};
    call.since_ns = 1000;
    call.enter_ns = 11000;
    set_between(call, 100);
    call.blocked_ns = 500;
    call.runnable_ns = 20;
    call.uninterruptible_ns = 3;
    return call;
}

TEST(Time, BeforeACall)
{
    const Between time = between(a_call());
    EXPECT_EQ(time.span_ns, 10000U);
    EXPECT_EQ(time.runnable_ns, 100U);
    EXPECT_EQ(time.sleeping_ns, 101U);
    EXPECT_EQ(time.polling_ns, 102U);
    EXPECT_EQ(time.uninterruptible_ns, 103U);
    EXPECT_EQ(time.killable_ns, 104U);
    EXPECT_EQ(time.other_ns, 105U);
    EXPECT_EQ(time.running_ns, 10000U - 615U);
}

TEST(Time, InsideACall)
{
    Event event;
    event.time_ns = 12000;
    const Inside time = inside(event, a_call());
    EXPECT_EQ(time.span_ns, 1000U);
    EXPECT_EQ(time.blocked_ns, 500U);
    EXPECT_EQ(time.runnable_ns, 20U);
    EXPECT_EQ(time.uninterruptible_ns, 3U);
    EXPECT_EQ(time.running_ns, 477U);
}

TEST(Time, OfAThread)
{
    ThreadTime body{};
    body.since_ns = 1000;
    set_between(body, 100);
    Event event;
    event.time_ns = 2000;
    const Between time = between(event, body);
    EXPECT_EQ(time.span_ns, 1000U);
    EXPECT_EQ(time.other_ns, 105U);
    EXPECT_EQ(time.running_ns, 1000U - 615U);
}

TEST(Time, AShortCallOnlyRan)
{
    const auto decoded = decode(kCpu, short_call(IPCSCOPE_CALL_PIPE));
    ASSERT_TRUE(decoded);
    const auto& call = std::get<Call>(decoded->event.body);
    EXPECT_EQ(between(call).running_ns, 1U);
    EXPECT_EQ(inside(decoded->event, call).running_ns, decoded->event.time_ns - 602);
}

TEST(Time, BackwardsIsNone)
{
    Call call = a_call();
    call.enter_ns = 999;
    EXPECT_EQ(between(call).span_ns, 0U);
    EXPECT_EQ(sum(between(call)), 0U);
    Event event;
    event.time_ns = 998;
    EXPECT_EQ(inside(event, call).span_ns, 0U);
    EXPECT_EQ(sum(inside(event, call)), 0U);
}

/// Times as a hostile file may have them.
std::uint64_t any_ns()
{
    return *rc::gen::oneOf(rc::gen::element<std::uint64_t>(0, 1, UINT64_MAX, UINT64_MAX - 1,
                                                           INT64_MAX, 1ULL << 63),
                           rc::gen::inRange<std::uint64_t>(0, 5000),
                           rc::gen::arbitrary<std::uint64_t>());
}

template <typename Body>
void fill_between(Body& body)
{
    body.between_runnable_ns = any_ns();
    body.between_sleeping_ns = any_ns();
    body.between_polling_ns = any_ns();
    body.between_uninterruptible_ns = any_ns();
    body.between_killable_ns = any_ns();
    body.between_other_ns = any_ns();
}

TEST(Time, PartsAddUpWhateverTheRecordSays)
{
    EXPECT_TRUE(rc::check("sum of parts = span, no part larger than it was", [] {
        Event event;
        event.time_ns = any_ns();
        Call call{};
        call.since_ns = any_ns();
        call.enter_ns = any_ns();
        call.blocked_ns = any_ns();
        call.runnable_ns = any_ns();
        call.uninterruptible_ns = any_ns();
        fill_between(call);
        const Between before = between(call);
        RC_ASSERT(before.span_ns ==
                  (call.enter_ns > call.since_ns ? call.enter_ns - call.since_ns : 0));
        RC_ASSERT(sum(before) == before.span_ns);
        RC_ASSERT(before.other_ns <= call.between_other_ns);
        const Inside in = inside(event, call);
        RC_ASSERT(sum(in) == in.span_ns);
        RC_ASSERT(in.blocked_ns <= call.blocked_ns);
        ThreadTime body{};
        body.since_ns = any_ns();
        fill_between(body);
        RC_ASSERT(sum(between(event, body)) == between(event, body).span_ns);
    }));
}

}  // namespace
}  // namespace ipcscope::decode
