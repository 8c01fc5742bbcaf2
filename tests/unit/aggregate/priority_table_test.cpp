// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>

#include <gtest/gtest.h>

#include "aggregate/priority_table.hpp"
#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

decode::Event queue_call(std::uint8_t op, std::uint64_t enter_ns, std::uint64_t exit_ns,
                         std::uint32_t messages, std::uint32_t priority = 0, std::int32_t ret = 0)
{
    decode::Call out{};
    out.type = IPCSCOPE_OBJECT_MQUEUE;
    out.op = op;
    out.object = 44;
    out.dev = 7;
    out.since_ns = out.enter_ns = enter_ns;
    out.ret = ret;
    out.tail.mqueue.messages = messages;
    out.tail.mqueue.max_messages = 10;
    out.tail.mqueue.priority = priority;
    return event(exit_ns, task(1, "one"), IPCSCOPE_CALL_MQUEUE, out);
}
decode::Event sends(std::uint64_t at, std::uint32_t messages, std::uint32_t priority)
{
    return queue_call(IPCSCOPE_OP_SEND, at - 1, at, messages, priority);
}
decode::Event receives(std::uint64_t at, std::uint32_t messages)
{
    return queue_call(IPCSCOPE_OP_RECEIVE, at - 1, at, messages, 0, 8);
}

std::vector<PriorityRow> rows(const Aggregator& a)
{
    const Report report = finish(a);
    EXPECT_EQ(report.objects.size(), 1u);
    return report.objects.empty() ? std::vector<PriorityRow>{} : report.objects[0].priorities;
}

TEST(Priorities, TheOldestOfTheHighestIsTaken)
{
    Aggregator a;
    a.event(sends(100, 0, 1));
    a.event(sends(200, 1, 9));
    a.event(sends(300, 2, 9));
    a.event(receives(1200, 3));
    a.event(receives(1300, 2));
    a.event(receives(2100, 1));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].priority, 9u);
    EXPECT_EQ(found[0].sent, 2u);
    EXPECT_EQ(found[0].received, 2u);
    EXPECT_EQ(found[0].waited.max(), 1000u);
    EXPECT_EQ(found[0].overtaken, 0u);
    EXPECT_EQ(found[1].priority, 1u);
    EXPECT_EQ(found[1].received, 1u);
    EXPECT_EQ(found[1].waited.max(), 2000u);
    EXPECT_EQ(found[1].overtaken, 2u);
    EXPECT_EQ(found[1].overtaken_ns, 2000u);
    EXPECT_EQ(found[1].waiting, 0u);
}

/// Those that were there before it do not overtake it.
TEST(Priorities, WhatWasSentBeforeOvertakesNothing)
{
    Aggregator a;
    a.event(sends(100, 0, 9));
    a.event(sends(200, 1, 9));
    a.event(receives(250, 2));
    a.event(sends(300, 1, 1));
    a.event(receives(400, 2));
    a.event(sends(500, 1, 9));
    a.event(receives(600, 2));
    a.event(receives(700, 1));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[1].overtaken, 1u);
}

TEST(Priorities, WhatStillWaits)
{
    Aggregator a;
    a.event(sends(100, 0, 1));
    a.event(sends(200, 1, 9));
    a.event(receives(300, 2));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].waiting, 0u);
    EXPECT_EQ(found[1].waiting, 1u);
    EXPECT_GE(found[1].waits_ns, 200u);
    EXPECT_EQ(found[1].overtaken, 1u);
}

/// A receiver that waited is given the next message, whatever its priority; its call may return
/// before the sender's does.
TEST(Priorities, AReceiveThatReturnsBeforeTheSend)
{
    Aggregator a;
    a.event(sends(50, 0, 9));
    a.event(receives(60, 1));
    a.event(receives(99, 0));
    a.event(sends(100, 0, 1));
    a.event(sends(200, 0, 9));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[1].received, 1u);
    EXPECT_EQ(found[1].waited.max(), 0u);
    EXPECT_EQ(found[0].waiting, 1u);
}

/// What was queued before the trace is not known.
TEST(Priorities, OnlyFromAnEmptyQueueOn)
{
    Aggregator a;
    a.event(sends(100, 3, 1));
    a.event(sends(200, 4, 9));
    a.event(receives(300, 5));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].sent, 1u);
    EXPECT_EQ(found[0].received, 0u);
    EXPECT_EQ(found[1].waiting, 0u);
}

TEST(Priorities, RefusedCallsPutAndTakeNothing)
{
    Aggregator a;
    a.event(sends(100, 0, 1));
    a.event(sends(110, 1, 2));
    a.event(queue_call(IPCSCOPE_OP_SEND, 119, 120, 10, 9, -EAGAIN));
    a.event(queue_call(IPCSCOPE_OP_RECEIVE, 129, 130, 2, 0, -EMSGSIZE));
    const auto found = rows(a);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].waiting + found[1].waiting, 2u);
}

TEST(Priorities, OfOnePriorityAlone)
{
    Aggregator a;
    a.event(sends(100, 0, 1));
    a.event(receives(200, 1));
    EXPECT_TRUE(rows(a).empty());
}

}  // namespace
}  // namespace ipcscope::aggregate::test
