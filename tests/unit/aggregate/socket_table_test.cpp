// SPDX-License-Identifier: GPL-2.0-only
#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include "aggregate/socket_table.hpp"
#include "builders.hpp"

namespace ipcscope::aggregate::test {
namespace {

constexpr std::uint64_t kA = 71, kB = 72;   // ends of a pair

struct How {
    std::uint32_t queued = 0;
    std::uint8_t type = IPCSCOPE_OBJECT_UNIX_STREAM;
    std::uint32_t fds = 0;
    std::uint8_t flags = 0;
    std::uint64_t peer = UINT64_MAX;
};

decode::Call body(std::uint8_t op, std::uint64_t object, std::uint64_t enter_ns, std::int32_t ret,
                  const How& how)
{
    decode::Call out{};
    out.type = how.type;
    out.op = op;
    out.object = object;
    out.peer = how.peer != UINT64_MAX ? how.peer : object == kA ? kB : kA;
    out.since_ns = out.enter_ns = enter_ns;
    out.ret = ret;
    out.flags = how.flags;
    out.tail.socket.queued_bytes = how.queued;
    out.tail.socket.passed_fds = how.fds;
    return out;
}

decode::Event sends(std::uint64_t enter_ns, std::uint64_t exit_ns, std::int32_t ret, How how = {},
                    decode::Task who = task(1, "client"))
{
    return event(exit_ns, who, IPCSCOPE_CALL_UNIX,
                 body(IPCSCOPE_OP_SEND, kA, enter_ns, ret, how));
}

decode::Event receives(std::uint64_t enter_ns, std::uint64_t exit_ns, std::int32_t ret,
                       How how = {}, decode::Task who = task(2, "server"))
{
    return event(exit_ns, who, IPCSCOPE_CALL_UNIX,
                 body(IPCSCOPE_OP_RECEIVE, kB, enter_ns, ret, how));
}

/// One that slept until `woken_ns`, by thread 1.
decode::Event waits(std::uint64_t enter_ns, std::uint64_t woken_ns, std::uint64_t exit_ns,
                    std::int32_t ret)
{
    auto out = receives(enter_ns, exit_ns, ret);
    auto& call = std::get<decode::Call>(out.body);
    call.blocked_ns = woken_ns - enter_ns;
    call.sleeps = 1;
    call.waker_tid = 1;
    call.woken_before_ns = static_cast<std::uint32_t>(exit_ns - woken_ns);
    return out;
}

SocketRow only(const Aggregator& a)
{
    const Report report = finish(a);
    EXPECT_EQ(report.sockets.size(), 1u);
    return report.sockets.empty() ? SocketRow{} : report.sockets[0];
}

TEST(Sockets, AStreamByThePositionOfItsBytes)
{
    Aggregator a;
    a.event(sends(100, 110, 10));
    a.event(sends(200, 210, 20, {.queued = 768}));
    a.event(receives(300, 310, 5, {.queued = 30}));    // a part of the first
    a.event(receives(400, 410, 15, {.queued = 25}));   // its rest, and a part of the second
    a.event(receives(500, 510, 10, {.queued = 10}));
    const SocketRow row = only(a);
    EXPECT_EQ(row.sends, 2u);
    EXPECT_EQ(row.bytes, 30u);
    EXPECT_EQ(row.latency.count(), 2u);
    EXPECT_EQ(row.latency.max(), 310u);
    EXPECT_EQ(row.latency.sum(), (410u - 100) + (510 - 200));
    EXPECT_EQ(row.queued.sum(), (400u - 110) + (500 - 210));
    EXPECT_EQ(row.woken.count(), 0u);
    EXPECT_EQ(row.unmatched, 0u);
    EXPECT_EQ(row.concurrent, 0u);
    EXPECT_EQ(name(row.sender), "client");
    EXPECT_EQ(name(row.receiver), "server");
    EXPECT_EQ(row.from.object, kA);
    EXPECT_EQ(row.to.object, kB);
}

TEST(Sockets, AReceiverThatWaitedReturnsBeforeTheSend)
{
    Aggregator a;
    a.event(waits(50, 105, 108, 10));
    a.event(sends(100, 110, 10));
    a.event(waits(109, 205, 209, 10));
    a.event(sends(200, 210, 10));
    const SocketRow row = only(a);
    EXPECT_EQ(row.latency.count(), 2u);
    EXPECT_EQ(row.latency.sum(), 8u + 9);
    EXPECT_EQ(row.queued.sum(), 0u);
    EXPECT_EQ(row.woken.count(), 2u);
    EXPECT_EQ(row.woken.sum(), 3u + 4);
}

TEST(Sockets, MessagesByTheirOrder)
{
    for (const auto type : std::to_array<std::uint8_t>({IPCSCOPE_OBJECT_UNIX_DGRAM,
                                                        IPCSCOPE_OBJECT_UNIX_SEQPACKET})) {
        Aggregator a;
        a.event(sends(100, 110, 10, {.type = type}));
        a.event(sends(200, 210, 0, {.queued = 1, .type = type}));
        a.event(receives(300, 310, 3, {.queued = 10, .type = type}));   // the rest is dropped
        a.event(receives(400, 410, 0, {.type = type}));
        const SocketRow row = only(a);
        EXPECT_EQ(row.latency.count(), 2u);
        EXPECT_EQ(row.latency.sum(), 210u + 210);
        EXPECT_EQ(row.unmatched, 0u);
    }
}

TEST(Sockets, PeeksAndRefusalsTakeNothing)
{
    Aggregator a;
    a.event(sends(100, 110, 10));
    a.event(sends(115, 118, -EAGAIN, {.queued = 768}));
    a.event(receives(120, 130, 10, {.queued = 10, .flags = IPCSCOPE_CALL_PEEK}));
    a.event(receives(140, 150, -EAGAIN));
    a.event(receives(300, 310, 10, {.queued = 10}));
    a.event(receives(400, 410, 0));
    const SocketRow row = only(a);
    EXPECT_EQ(row.sends, 1u);
    EXPECT_EQ(row.latency.count(), 1u);
    EXPECT_EQ(row.latency.sum(), 210u);
}

TEST(Sockets, WhatWasQueuedBeforeIsNoneOfThese)
{
    Aggregator a;
    a.event(sends(100, 110, 10, {.queued = 768}));      // behind what was not seen
    a.event(receives(120, 130, 64, {.queued = 74}));
    a.event(receives(140, 150, 10, {.queued = 10}));
    a.event(sends(200, 210, 10));                       // from here on it is known
    a.event(receives(300, 310, 10, {.queued = 10}));
    const SocketRow row = only(a);
    EXPECT_EQ(row.sends, 2u);
    EXPECT_EQ(row.unmatched, 1u);
    EXPECT_EQ(row.latency.count(), 1u);
    EXPECT_EQ(row.latency.sum(), 110u);
}

TEST(Sockets, AReceiveThatTookWhatWasBeforeIsNotTakenForTheNextOne)
{
    Aggregator a;
    a.event(sends(100, 110, 10, {.queued = 768}));
    a.event(sends(200, 210, 10));                       // all of that has been taken
    a.event(receives(150, 215, 10, {.queued = 10}));    // by this one, which returns later
    a.event(receives(300, 310, 10, {.queued = 10}));
    const SocketRow row = only(a);
    EXPECT_EQ(row.latency.count(), 1u);
    EXPECT_EQ(row.latency.sum(), 110u);
}

TEST(Sockets, AfterALossItBeginsAnew)
{
    Aggregator a;
    a.event(sends(100, 110, 10));
    auto after = receives(300, 310, 10, {.queued = 20});   // a send was lost
    after.lost_before = 1;
    a.event(after);
    auto next = sends(400, 410, 10);
    next.lost_before = 1;
    a.event(next);
    auto last = receives(500, 510, 10, {.queued = 10});
    last.lost_before = 1;
    a.event(last);
    const SocketRow row = only(a);
    EXPECT_EQ(row.unmatched, 1u);
    EXPECT_EQ(row.latency.count(), 1u);
    EXPECT_EQ(row.latency.sum(), 110u);
}

TEST(Sockets, SendsAtTheSameTimeAreCounted)
{
    Aggregator a;
    a.event(sends(100, 110, 10));
    a.event(sends(105, 120, 10, {.queued = 768}, task(3, "other")));
    a.event(receives(300, 310, 20, {.queued = 20}));
    EXPECT_EQ(only(a).concurrent, 1u);
}

TEST(Sockets, PassedDescriptors)
{
    Aggregator a;
    a.event(sends(100, 110, 1, {.fds = 2}, task(12, "old")));
    a.event(receives(200, 210, 1, {.queued = 1, .fds = 2}, task(31, "new")));
    a.event(sends(300, 310, 1, {.fds = 3}, task(12, "old")));
    a.event(receives(400, 410, 1, {.queued = 1, .fds = 1}, task(31, "new")));
    a.event(sends(500, 510, 1, {.fds = 5}, task(12, "old")));
    const SocketRow row = only(a);
    ASSERT_EQ(row.passes.size(), 1u);
    EXPECT_EQ(name(row.passes[0].sender), "old");
    EXPECT_EQ(row.passes[0].receiver.tgid, 31u);
    EXPECT_EQ(row.passes[0].messages, 2u);
    EXPECT_EQ(row.passes[0].sent, 5u);
    EXPECT_EQ(row.passes[0].received, 3u);
    EXPECT_EQ(row.fds_not_received, 5u);
    EXPECT_EQ(row.unmatched, 1u);
}

decode::Event file(std::uint64_t time_ns, std::uint64_t inode, std::int32_t fd,
                   decode::Task who = task(31, "new"))
{
    decode::FdReceived out{};
    out.socket = kB;
    out.inode = inode;
    out.fd = fd;
    return event(time_ns, who, IPCSCOPE_FD_RECEIVED, out);
}

TEST(Sockets, WhatWasPassed)
{
    Aggregator a;
    a.event(sends(100, 110, 1, {.fds = 2}, task(12, "old")));
    a.event(file(205, 501, 7));
    a.event(file(206, 502, 8));
    a.event(receives(200, 210, 1, {.queued = 1, .fds = 2}, task(31, "new")));
    a.event(sends(300, 310, 1, {.fds = 1}, task(12, "old")));
    a.event(file(405, 501, 9));
    a.event(receives(400, 410, 1, {.queued = 1, .fds = 1}, task(31, "new")));
    const SocketRow row = only(a);
    ASSERT_EQ(row.passes.size(), 1u);
    const auto& files = row.passes[0].files;
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].file.inode, 502u);
    EXPECT_EQ(files[1].file.inode, 501u);
    EXPECT_EQ(files[1].file.fd, 9);
    EXPECT_EQ(files[1].count, 2u);
}

/// The receive takes what was sent before the trace.
TEST(Sockets, WhoPassedItIsNotKnown)
{
    Aggregator a;
    a.event(file(205, 501, 7));
    a.event(receives(200, 210, 1, {.queued = 1, .fds = 1}, task(31, "new")));
    const SocketRow row = only(a);
    ASSERT_EQ(row.passes.size(), 1u);
    EXPECT_EQ(row.passes[0].sender.tgid, 0u);
    EXPECT_EQ(row.passes[0].received, 1u);
    EXPECT_EQ(row.passes[0].files.size(), 1u);
}

/// Those of a receive whose record was lost are not those of the next on another socket.
TEST(Sockets, FilesOfALostReceive)
{
    Aggregator a;
    decode::Event other = file(50, 500, 6);
    std::get<decode::FdReceived>(other.body).socket = 99;
    a.event(other);
    a.event(sends(100, 110, 1, {.fds = 1}, task(12, "old")));
    a.event(file(205, 501, 7));
    a.event(receives(200, 210, 1, {.queued = 1, .fds = 1}, task(31, "new")));
    const SocketRow row = only(a);
    ASSERT_EQ(row.passes.at(0).files.size(), 1u);
    EXPECT_EQ(row.passes[0].files[0].file.inode, 501u);
}

TEST(Sockets, NoReceiverIsTraced)
{
    Aggregator a;
    const std::size_t many = 3 * SocketTable::kMostQueued;
    for (std::uint64_t i = 0; i < many; ++i) {
        a.event(sends(100 * i + 1, 100 * i + 10, 10));
    }
    const SocketRow row = only(a);
    EXPECT_EQ(row.sends, many);
    EXPECT_EQ(row.unmatched, many);
    EXPECT_EQ(row.receiver.tgid, 0u);
}

TEST(Sockets, AddressesAndHolders)
{
    Aggregator a;
    a.event(sends(100, 110, 10));
    const auto held = [](std::uint64_t object, const char* address) {
        decode::Holder out;
        out.record.object = object;
        out.record.type = IPCSCOPE_OBJECT_UNIX_STREAM;
        out.record.reads = out.record.writes = 1;
        out.path = SafeText::escape(address);
        return out;
    };
    a.event(event(120, task(1, "client"), IPCSCOPE_HOLDER, held(kA, "")));
    a.event(event(120, task(2, "server"), IPCSCOPE_HOLDER, held(kB, "/run/\x1b.sock")));
    a.event(event(130, task(4, "helper"), IPCSCOPE_HOLDER, held(kB, "/run/\x1b.sock")));
    a.event(event(140, task(4, "renamed"), IPCSCOPE_HOLDER, held(kB, "")));
    const Report report = finish(a);
    ASSERT_EQ(report.objects.size(), 1u);
    const ObjectRow& row = report.objects[0];
    EXPECT_EQ(row.socket.object, kA);
    EXPECT_TRUE(row.socket.address.empty());
    EXPECT_EQ(row.peer.object, kB);
    EXPECT_EQ(row.peer.address.str(), SafeText::escape("/run/\x1b.sock").str());
    ASSERT_EQ(row.peer.holders.size(), 2u);
    EXPECT_EQ(name(row.peer.holders[1]), "renamed");
}

TEST(Sockets, TheOtherEndOfAnAcceptIsNoPeer)
{
    Aggregator a;
    a.event(event(110, task(2, "server"), IPCSCOPE_CALL_UNIX,
                  body(IPCSCOPE_OP_ACCEPT, 70, 100, 0, {.peer = kB})));
    a.event(sends(200, 210, 10, {.peer = 0}));
    const Report report = finish(a);
    ASSERT_EQ(report.sockets.size(), 1u);
    EXPECT_EQ(report.sockets[0].to.object, 0u);
    for (const ObjectRow& row : report.objects) {
        EXPECT_EQ(row.peer.object, 0u);
    }
}

}  // namespace
}  // namespace ipcscope::aggregate::test
