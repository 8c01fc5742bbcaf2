// SPDX-License-Identifier: GPL-2.0-only
// connect() calls that waited, and the accept() that made room for each.
#include <gtest/gtest.h>

#include "builders.hpp"

namespace ipcscope::aggregate {
namespace {

using namespace test;

constexpr std::uint64_t kListener = 50;
const decode::Task kServer = task(1, "server");

decode::Event on_socket(decode::Task who, std::uint8_t op, std::uint64_t object,
                        std::uint64_t enter_ms, std::uint64_t exit_ms)
{
    decode::Call call = op == IPCSCOPE_OP_ACCEPT ? test::op(false, object, enter_ms * kMs, 0)
                                                 : test::op(true, object, enter_ms * kMs, 0);
    call.type = IPCSCOPE_OBJECT_UNIX_STREAM;
    call.op = op;
    call.requested = 0;
    call.tail.socket = {};
    return event(exit_ms * kMs, who, IPCSCOPE_CALL_UNIX, call);
}

decode::Event accepts(std::uint64_t enter_ms, std::uint64_t exit_ms,
                      std::uint64_t listener = kListener)
{
    return on_socket(kServer, IPCSCOPE_OP_ACCEPT, listener, enter_ms, exit_ms);
}

/// Woken by the server 1 ms before it returns.
decode::Event connects(std::uint32_t client, std::uint64_t enter_ms, std::uint64_t exit_ms)
{
    decode::Event event =
        on_socket(task(client, "client"), IPCSCOPE_OP_CONNECT, 100 + client, enter_ms, exit_ms);
    auto& call = std::get<decode::Call>(event.body);
    call.blocked_ns = (exit_ms - enter_ms - 1) * kMs;
    call.sleeps = 1;
    call.waker_tid = kServer.tid;
    call.woken_before_ns = kMs;
    return event;
}

TEST(Connects, WaitForTheListenerWhoseAcceptWokeThem)
{
    Aggregator a;
    a.event(accepts(10, 30, 49));       // of another listener, before
    a.event(accepts(500, 501));         // its record comes first
    a.event(connects(7, 100, 502));
    a.event(connects(8, 100, 1002));    // or after that of the connect
    a.event(accepts(1000, 1003));
    const Report report = a.snapshot({.end_ns = 2000 * kMs});
    ASSERT_EQ(report.waits.size(), 2u);
    for (const WaitRow& wait : report.waits) {
        EXPECT_EQ(wait.channel.object, kListener);
        EXPECT_EQ(wait.waker, kServer);
        EXPECT_TRUE(wait.output);
    }
    EXPECT_EQ(report.waits[0].total_ns, 901 * kMs);
    EXPECT_EQ(report.waits[1].total_ns, 401 * kMs);
    const auto listener = std::ranges::find(report.channels, kListener, [](const ChannelRow& row) {
        return row.object.object;
    });
    ASSERT_NE(listener, report.channels.end());
    EXPECT_TRUE(listener->listens);
    EXPECT_EQ(listener->writers.size(), 2u);
}

TEST(Connects, AreNoOnesWhereTheWakerWasInNoAccept)
{
    Aggregator a;
    a.event(accepts(10, 30));
    a.event(connects(7, 100, 502));     // by a close of the listener, perhaps
    a.event(accepts(600, 700));
    EXPECT_TRUE(a.snapshot({.end_ns = kMs}).waits.empty());
}

TEST(Connects, ThatDidNotWaitAreInNoChannel)
{
    Aggregator a;
    decode::Event event = connects(7, 100, 101);
    std::get<decode::Call>(event.body).blocked_ns = 0;
    a.event(event);
    a.event(accepts(90, 110));
    const Report report = a.snapshot({.end_ns = kMs});
    EXPECT_TRUE(report.waits.empty());
    ASSERT_EQ(report.channels.size(), 1u);
    EXPECT_TRUE(report.channels.front().writers.empty());
}

}  // namespace
}  // namespace ipcscope::aggregate
