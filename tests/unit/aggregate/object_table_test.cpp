// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>

#include <gtest/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

decode::Event eventfd(std::uint64_t exit_ns, decode::Task who, std::uint64_t id, bool write,
                      std::int32_t ret, std::uint64_t blocked_ns = 0)
{
    decode::Call body = op(write, id, exit_ns - 10 - blocked_ns, ret, blocked_ns);
    body.type = IPCSCOPE_OBJECT_EVENTFD;
    body.dev = 0;
    body.requested = 8;
    return event(exit_ns, who, IPCSCOPE_CALL_EVENTFD, body);
}

TEST(Objects, ARowForEachWithItsOperationsAndUsers)
{
    Aggregator a;
    a.event(eventfd(100, task(1, "writer"), 3, true, 8));
    a.event(eventfd(300, task(2, "reader"), 3, false, 8, 150));
    a.event(eventfd(400, task(2, "reader"), 3, false, -EAGAIN));
    a.event(eventfd(500, task(2, "reader"), 3, false, -EINVAL));
    a.event(eventfd(600, task(2, "reader"), 3, false, -512));
    a.event(eventfd(650, task(2, "reader"), 3, false, -ETIMEDOUT));
    auto inside = eventfd(900, task(2, "reader"), 3, false, 0, 200);
    inside.unfinished = true;
    a.event(inside);
    a.event(eventfd(700, task(1, "writer"), 4, true, 8));
    const Report report = finish(a);
    ASSERT_EQ(report.channels.size(), 2u);
    EXPECT_EQ(report.channels[0].type, decode::ObjectType::eventfd);
    EXPECT_FALSE(report.channels[0].is_pipe());
    EXPECT_EQ(report.channels[0].reads.bytes, 8u);
    ASSERT_EQ(report.objects.size(), 2u);
    const ObjectRow& row = report.objects[0];
    EXPECT_EQ(row.type, decode::ObjectType::eventfd);
    EXPECT_EQ(row.object, 3u);
    EXPECT_EQ(row.first_ns, 90u);
    EXPECT_EQ(row.last_ns, 900u);
    ASSERT_EQ(row.ops.size(), 2u);
    const OpRow& reads = row.ops[0];
    EXPECT_EQ(reads.op, decode::Op::read);
    EXPECT_EQ(reads.count, 5u);
    EXPECT_EQ(reads.bytes, 8u);
    EXPECT_EQ(reads.blocked_ns, 350u);
    EXPECT_EQ(reads.blocked_count, 2u);
    EXPECT_EQ(reads.eagain, 1u);
    EXPECT_EQ(reads.interrupted, 1u);
    EXPECT_EQ(reads.timeouts, 1u);
    EXPECT_EQ(reads.errors, 1u);
    EXPECT_EQ(reads.unfinished, 1u);
    EXPECT_EQ(reads.latency.count(), 5u);
    EXPECT_EQ(reads.latency.max(), 160u);
    ASSERT_EQ(row.users.size(), 2u);
    EXPECT_EQ(name(row.users[0].task), "reader");
    EXPECT_EQ(row.users[0].count, 5u);
    EXPECT_EQ(row.users[0].blocked_ns, 350u);
    EXPECT_EQ(report.evicted.objects, 0u);
}

TEST(Objects, EvictedOnesAreCounted)
{
    Aggregator a;
    for (std::uint64_t id = 1; id <= kMostObjects + 5; ++id) {
        a.event(eventfd(100 * id, task(1), id, true, 8));
    }
    const Report report = finish(a);
    EXPECT_EQ(report.objects.size(), kMostObjects);
    EXPECT_EQ(report.evicted.objects, 5u);
}

}  // namespace
}  // namespace ipcscope::aggregate::test
