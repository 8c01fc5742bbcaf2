// SPDX-License-Identifier: GPL-2.0-only
// Every field of every call on a Unix-domain socket.
#include <cerrno>
#include <deque>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "decode/file_words.hpp"
#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

constexpr std::size_t kFew = 13, kMany = 103, kWaited = 17, kQueued = 19, kFull = 11, kAccepted = 7;
constexpr __u32 kBytes = 10;

/// The ends of a pair, as the workload's fact of it has them.
enum End : std::size_t { kSender = 0, kReceiver = 1 };

class UnixSockets : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({"--trace=signals,unix"}, "unix_fields");
        return trace;
    }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static __u32 director() { return static_cast<__u32>(fact("director")); }
    static Calls calls(unsigned op, std::uint64_t object)
    {
        Calls found;
        for (const auto& one : calls_on(trace().capture, op, object)) {
            if (one.event->kind == IPCSCOPE_CALL_UNIX) {
                found.push_back(one);
            }
        }
        return found;
    }
    static Calls sends(const std::string& pair, End end = kSender)
    {
        return calls(IPCSCOPE_OP_SEND, fact(pair, end));
    }
    static Calls receives(const std::string& pair, End end = kReceiver)
    {
        return calls(IPCSCOPE_OP_RECEIVE, fact(pair, end));
    }
    static Calls of_process(const Calls& all, std::uint64_t tgid)
    {
        Calls found;
        for (const auto& one : all) {
            if (one.event->task.tgid == tgid) {
                found.push_back(one);
            }
        }
        return found;
    }

    static decode::Call blank_call(unsigned op, __u8 type, std::uint64_t object)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_UNIX);
        expected.op = static_cast<__u8>(op);
        expected.type = type;
        expected.object = object;
        return expected;
    }
    /// Of ten bytes, into an empty queue, or out of one that holds no more.
    static decode::Call send(const std::string& pair, __u8 type, End end = kSender)
    {
        auto expected = blank_call(IPCSCOPE_OP_SEND, type, fact(pair, end));
        expected.peer = fact(pair, 1 - end);
        expected.requested = kBytes;
        expected.ret = kBytes;
        expected.tail.socket.limit_bytes = static_cast<__u32>(fact(pair, 2));
        expected.tail.socket.credentials_pid = director();
        return expected;
    }
    static decode::Call receive(const std::string& pair, __u8 type, End end = kReceiver)
    {
        auto expected = blank_call(IPCSCOPE_OP_RECEIVE, type, fact(pair, end));
        expected.peer = fact(pair, 1 - end);
        expected.requested = 64;
        expected.ret = kBytes;
        expected.tail.socket.queued_bytes = kBytes;
        expected.tail.socket.limit_bytes = static_cast<__u32>(fact(pair, 3));
        expected.tail.socket.credentials_pid = director();
        return expected;
    }
    static void expect_calls(const Calls& seen, const decode::Call& expected, std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_EQ(show(*one.body), show(expected));
        }
    }
    static void expect_woken(const Calls& seen, std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_GE(one->blocked_ns, 10'000'000u);
            EXPECT_EQ(one->waker_tid, director());
            EXPECT_GE(one->sleeps, 1);
        }
    }
    /// Nineteen messages of seven bytes, three bytes of which each receive takes.
    static void expect_queue(const std::string& pair, __u8 type, bool stream)
    {
        auto sent = sends(pair);
        ASSERT_EQ(sent.size(), kQueued);
        for (std::size_t i = 0; i < kQueued; ++i) {
            auto expected = send(pair, type);
            expected.requested = 7;
            expected.ret = 7;
            expected.flags = IPCSCOPE_CALL_NONBLOCK;
            expected.tail.socket.queued_bytes =
                static_cast<__u32>(trace().facts.all(pair + "_before").at(i).at(0));
            EXPECT_EQ(show(*sent[i].body), show(expected));
        }
        std::deque<__u32> queue(kQueued, 7);
        const auto received = receives(pair);
        ASSERT_EQ(received.size(), kQueued);
        for (const auto& one : received) {
            auto expected = receive(pair, type);
            expected.requested = 3;
            expected.ret = 3;
            __u32 bytes = 0;
            for (std::size_t i = 0; i < std::min<std::size_t>(queue.size(), 16); ++i) {
                bytes += queue[i];
            }
            expected.tail.socket.queued_bytes = bytes;
            EXPECT_EQ(show(*one.body), show(expected));
            for (unsigned taken = 0; stream && taken < 3; ++taken) {
                if (--queue.front() == 0) {
                    queue.pop_front();
                }
            }
            if (!stream) {
                queue.pop_front();
            }
        }
    }
    static void expect_blocked(const std::string& pair, __u8 type)
    {
        const auto received = receives(pair);
        expect_woken(received, kWaited);
        auto expected = receive(pair, type);
        expected.tail.socket.queued_bytes = 0;
        for (const auto& one : received) {
            EXPECT_EQ(one.event->task.tgid, fact(pair + "_by"));
            auto body = *one.body;
            expected.sleeps = body.sleeps;
            EXPECT_EQ(show(body), show(expected));
        }
        expect_calls(sends(pair), send(pair, type), kWaited);
    }
    static void expect_full(const std::string& pair, __u8 type)
    {
        const auto sent = of_process(sends(pair), fact(pair + "_by"));
        expect_woken(sent, kFull);
        for (std::size_t i = 0; i < sent.size(); ++i) {
            auto expected = send(pair, type);
            expected.sleeps = sent[i]->sleeps;
            expected.tail.socket.queued_bytes =
                static_cast<__u32>(trace().facts.all(pair + "_before").at(i).at(0));
            EXPECT_EQ(show(*sent[i].body), show(expected));
        }
        std::size_t refused = 0;
        for (const auto& one : of_process(sends(pair), director())) {
            EXPECT_EQ(one->flags, IPCSCOPE_CALL_NONBLOCK);
            refused += one->ret == -EAGAIN;
        }
        EXPECT_EQ(refused, kFull);
    }
    static void expect_descriptors(const std::string& pair, __u8 type)
    {
        auto sent = send(pair, type);
        sent.tail.socket.passed_fds = 3;
        auto all = sends(pair);
        ASSERT_EQ(all.size(), 4u);
        for (const auto& one : all) {
            sent.tail.socket.queued_bytes = 0;
            EXPECT_EQ(show(*one.body), show(sent));
        }
        const auto received = receives(pair);
        ASSERT_EQ(received.size(), 3u);
        const __u32 passed[] = {3, 1, 0};
        for (std::size_t i = 0; i < received.size(); ++i) {
            auto expected = receive(pair, type);
            expected.tail.socket.passed_fds = passed[i];
            EXPECT_EQ(show(*received[i].body), show(expected));
        }
    }
    static Json object(std::uint64_t id)
    {
        for (const Json& one : trace().report["objects"]) {
            if (one["id"] == id && std::string(one["kind"]).starts_with("unix")) {
                return one;
            }
        }
        return {};
    }
    static Json operation(std::uint64_t id, const std::string& op)
    {
        const Json row = object(id);
        for (const Json& one : row.is_null() ? Json::array() : row["operations"]) {
            if (one["op"] == op) {
                return one;
            }
        }
        ADD_FAILURE() << "no " << op << " on " << id;
        return {};
    }
    /// What was sent on the first end of a pair.
    static Json flow(const std::string& pair)
    {
        for (const Json& one : trace().report["sockets"]) {
            if (one["from"]["id"] == fact(pair, kSender)) {
                return one;
            }
        }
        ADD_FAILURE() << "no row of " << pair;
        return {};
    }
};

TEST_F(UnixSockets, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(UnixSockets, InTurn)
{
    struct Kind {
        const char* name;
        __u8 type;
    };
    for (const Kind kind : {Kind{"stream", IPCSCOPE_OBJECT_UNIX_STREAM},
                            Kind{"dgram", IPCSCOPE_OBJECT_UNIX_DGRAM},
                            Kind{"seqpacket", IPCSCOPE_OBJECT_UNIX_SEQPACKET}}) {
        expect_calls(sends(kind.name), send(kind.name, kind.type), kMany);
        expect_calls(receives(kind.name), receive(kind.name, kind.type), kMany);
    }
}

TEST_F(UnixSockets, EverySystemCall)
{
    expect_calls(sends("every_way"), send("every_way", IPCSCOPE_OBJECT_UNIX_STREAM), 4 * kFew);
    expect_calls(receives("every_way"), receive("every_way", IPCSCOPE_OBJECT_UNIX_STREAM),
                 4 * kFew);
}

TEST_F(UnixSockets, WhatIsQueued)
{
    expect_queue("stream_queue", IPCSCOPE_OBJECT_UNIX_STREAM, true);
    expect_queue("seqpacket_queue", IPCSCOPE_OBJECT_UNIX_SEQPACKET, false);
}

TEST_F(UnixSockets, APeekTakesNothing)
{
    auto received = receives("peek");
    ASSERT_EQ(received.size(), kFew + 1);
    auto expected = receive("peek", IPCSCOPE_OBJECT_UNIX_STREAM);
    EXPECT_EQ(show(*received.back().body), show(expected));
    received.pop_back();
    expected.flags = IPCSCOPE_CALL_PEEK;
    expect_calls(received, expected, kFew);
    const Json row = operation(fact("peek", kReceiver), "receive");
    EXPECT_EQ(row["bytes"], kBytes);
    EXPECT_EQ(row["count"], kFew + 1);
    EXPECT_EQ(row["peeks"], kFew);
}

TEST_F(UnixSockets, Errors)
{
    const auto received = receives("errors");
    ASSERT_EQ(received.size(), 3 * kFew + 1);
    for (std::size_t i = 0; i < received.size(); ++i) {
        auto expected = receive("errors", IPCSCOPE_OBJECT_UNIX_STREAM);
        expected.flags = IPCSCOPE_CALL_NONBLOCK;
        if (i < 2 * kFew) {
            expected.ret = -EAGAIN;
            expected.tail.socket.queued_bytes = 0;
        } else {
            expected.peer = 0;   // it is closed
        }
        if (i > 2 * kFew) {
            expected.ret = 0;
            expected.tail.socket.queued_bytes = 0;
        }
        EXPECT_EQ(show(*received[i].body), show(expected)) << i;
    }
    auto refused = send("errors", IPCSCOPE_OBJECT_UNIX_STREAM, kReceiver);
    refused.peer = 0;
    refused.flags = IPCSCOPE_CALL_NONBLOCK;
    refused.ret = -EPIPE;
    expect_calls(sends("errors", kReceiver), refused, kFew);
    EXPECT_EQ(operation(fact("errors", kReceiver), "send")["epipe"], kFew);
}

TEST_F(UnixSockets, AReceiverSleepsUntilTheSend)
{
    expect_blocked("stream_wait", IPCSCOPE_OBJECT_UNIX_STREAM);
    expect_blocked("dgram_wait", IPCSCOPE_OBJECT_UNIX_DGRAM);
    expect_blocked("seqpacket_wait", IPCSCOPE_OBJECT_UNIX_SEQPACKET);
}

TEST_F(UnixSockets, ASenderSleepsUntilThereIsRoom)
{
    expect_full("stream_full", IPCSCOPE_OBJECT_UNIX_STREAM);
    expect_full("seqpacket_full", IPCSCOPE_OBJECT_UNIX_SEQPACKET);
}

TEST_F(UnixSockets, AConnectSleepsWhileTheBacklogIsFull)
{
    const auto& connecting = trace().facts.all("connecting");
    ASSERT_EQ(connecting.size(), kAccepted + 1);
    for (std::size_t i = 0; i < connecting.size(); ++i) {
        const auto made = calls(IPCSCOPE_OP_CONNECT, connecting[i].at(0));
        ASSERT_EQ(made.size(), 1u);
        EXPECT_EQ(made[0].event->task.tgid, fact("connects"));
        auto expected = blank_call(IPCSCOPE_OP_CONNECT, IPCSCOPE_OBJECT_UNIX_STREAM,
                                   connecting[i].at(0));
        expected.tail.socket.credentials_pid = director();
        expected.sleeps = made[0]->sleeps;
        EXPECT_EQ(show(*made[0].body), show(expected));
        if (i == 0) {
            EXPECT_EQ(made[0]->sleeps, 0);
        } else {
            expect_woken(made, 1);
        }
    }
    const auto accepts = calls(IPCSCOPE_OP_ACCEPT, fact("connected_to"));
    const auto& accepted = trace().facts.all("accepted");
    ASSERT_EQ(accepts.size(), kAccepted + 1 + kFew);
    ASSERT_EQ(accepted.size(), kAccepted + 1);
    for (std::size_t i = 0; i < accepts.size(); ++i) {
        auto expected = blank_call(IPCSCOPE_OP_ACCEPT, IPCSCOPE_OBJECT_UNIX_STREAM,
                                   fact("connected_to"));
        if (i < accepted.size()) {
            expected.peer = accepted[i].at(0);
            expected.tail.socket.queued_bytes = 1;
            expected.tail.socket.credentials_pid = static_cast<__u32>(fact("connects"));
        } else {
            expected.peer = accepts[i]->peer;   // a socket that was made in vain
            expected.flags = IPCSCOPE_CALL_NONBLOCK;
            expected.ret = -EAGAIN;
        }
        EXPECT_EQ(show(*accepts[i].body), show(expected)) << i;
    }
}

TEST_F(UnixSockets, AnAcceptSleepsUntilTheConnect)
{
    const auto accepts = calls(IPCSCOPE_OP_ACCEPT, fact("accepting"));
    const auto& taken = trace().facts.all("taken");
    const auto& offered = trace().facts.all("offered");
    expect_woken(accepts, kAccepted);
    ASSERT_EQ(taken.size(), kAccepted);
    ASSERT_EQ(offered.size(), kAccepted);
    for (std::size_t i = 0; i < accepts.size(); ++i) {
        auto expected = blank_call(IPCSCOPE_OP_ACCEPT, IPCSCOPE_OBJECT_UNIX_SEQPACKET,
                                   fact("accepting"));
        expected.peer = taken[i].at(0);
        expected.sleeps = accepts[i]->sleeps;
        expected.tail.socket.limit_bytes = 5;
        expected.tail.socket.credentials_pid = director();
        EXPECT_EQ(accepts[i].event->task.tgid, fact("accepts"));
        EXPECT_EQ(show(*accepts[i].body), show(expected));
        auto connect = blank_call(IPCSCOPE_OP_CONNECT, IPCSCOPE_OBJECT_UNIX_SEQPACKET,
                                  offered[i].at(0));
        connect.tail.socket.credentials_pid = director();   // who listens
        expect_calls(calls(IPCSCOPE_OP_CONNECT, offered[i].at(0)), connect, 1);
    }
}

TEST_F(UnixSockets, ADatagramSocketThatIsNotConnectedHasNoPeer)
{
    auto sent = send("unconnected", IPCSCOPE_OBJECT_UNIX_DGRAM);
    auto received = receive("unconnected", IPCSCOPE_OBJECT_UNIX_DGRAM);
    for (decode::Call* one : {&sent, &received}) {
        one->peer = 0;
        one->tail.socket.credentials_pid = 0;
    }
    expect_calls(sends("unconnected"), sent, kFew);
    expect_calls(receives("unconnected"), received, kFew);
}

TEST_F(UnixSockets, DescriptorsThatArePassed)
{
    expect_descriptors("stream_fds", IPCSCOPE_OBJECT_UNIX_STREAM);
    expect_descriptors("dgram_fds", IPCSCOPE_OBJECT_UNIX_DGRAM);
    expect_descriptors("seqpacket_fds", IPCSCOPE_OBJECT_UNIX_SEQPACKET);
}

TEST_F(UnixSockets, WhatPassedDescriptorsAreOf)
{
    const std::vector<std::string> words{
        fmt::format("a listening TCP socket, port {}", fact("fd_kinds_port", 0)),
        "a UDPv6 socket",
        "a Unix seqpacket socket",
        "an eventfd",
        "the memfd kept",
        "a pipe",
        "the character device null",
    };
    const auto taken = trace().facts.all("fd_kinds_taken");
    ASSERT_EQ(taken.size(), words.size());
    std::vector<const decode::FdReceived*> records;
    for (const decode::Event& event : trace().capture.events) {
        const auto* record = std::get_if<decode::FdReceived>(&event.body);
        if (record != nullptr && record->socket == fact("fd_kinds", kReceiver)) {
            EXPECT_EQ(event.task.tgid, director());
            records.push_back(record);
        }
    }
    ASSERT_EQ(records.size(), words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
        EXPECT_EQ(decode::file_words(*records[i]), words[i]);
        EXPECT_EQ(static_cast<std::uint64_t>(records[i]->fd), taken[i].at(0)) << words[i];
        EXPECT_EQ(records[i]->inode, taken[i].at(1)) << words[i];
    }
    const Json row = flow("fd_kinds");
    ASSERT_EQ(row["fds"].size(), 1u);
    ASSERT_EQ(row["fds"][0]["files"].size(), words.size());
    for (std::size_t i = 0; i < words.size(); ++i) {
        EXPECT_EQ(row["fds"][0]["files"][i]["file"], words[i]);
    }
}

/// Each of three that are the same socket; those without room were received by no process.
TEST_F(UnixSockets, EachDescriptorThatIsReceived)
{
    for (const char* name : {"stream_fds", "dgram_fds", "seqpacket_fds"}) {
        std::size_t received = 0;
        for (const decode::Event& event : trace().capture.events) {
            const auto* record = std::get_if<decode::FdReceived>(&event.body);
            received += record != nullptr && record->socket == fact(name, kReceiver);
        }
        EXPECT_EQ(received, 4u) << name;
        EXPECT_EQ(flow(name)["fds"][0]["files"][0]["count"], 4) << name;
    }
}

TEST_F(UnixSockets, SpliceReceivesAndSends)
{
    const auto send_of = send("spliced", IPCSCOPE_OBJECT_UNIX_STREAM);
    auto received = receive("spliced", IPCSCOPE_OBJECT_UNIX_STREAM);
    // One of each two is a splice, of ten bytes.
    const auto sent = sends("spliced");
    ASSERT_EQ(sent.size(), 2 * kFew);
    const auto got = receives("spliced");
    ASSERT_EQ(got.size(), 2 * kFew);
    for (std::size_t i = 0; i < got.size(); ++i) {
        received.requested = i % 2 == 0 ? kBytes : 64;
        EXPECT_EQ(show(*got[i].body), show(received)) << i;
        EXPECT_EQ(show(*sent[i].body), show(send_of)) << i;
    }
}

TEST_F(UnixSockets, TheReportHasARowForEach)
{
    const Json sends = operation(fact("stream", kSender), "send");
    EXPECT_EQ(sends["count"], kMany);
    EXPECT_EQ(sends["bytes"], kMany * kBytes);
    const Json receives = operation(fact("stream_wait", kReceiver), "receive");
    EXPECT_EQ(receives["count"], kWaited);
    EXPECT_EQ(receives["blocked_count"], kWaited);
    EXPECT_EQ(receives["bytes"], kWaited * kBytes);
    EXPECT_EQ(operation(fact("accepting"), "accept")["blocked_count"], kAccepted);
    EXPECT_EQ(object(fact("stream", kSender))["users"].size(), 1u);
}

TEST_F(UnixSockets, LatencyFromEachSendToItsReceive)
{
    for (const char* name : {"stream", "dgram", "seqpacket"}) {
        const Json row = flow(name);
        EXPECT_EQ(row["to"]["id"], fact(name, kReceiver));
        EXPECT_EQ(row["sender"]["pid"], director());
        EXPECT_EQ(row["receiver"]["pid"], director());
        EXPECT_EQ(row["sends"], kMany);
        EXPECT_EQ(row["unmatched"], 0);
        EXPECT_EQ(row["concurrent"], 0);
        // Each is that of its records.
        const auto sent = sends(name);
        const auto received = receives(name);
        std::uint64_t sum = 0, queued = 0;
        for (std::size_t i = 0; i < kMany; ++i) {
            sum += received[i].event->time_ns - sent[i]->enter_ns;
            queued += received[i]->enter_ns - sent[i].event->time_ns;
        }
        EXPECT_EQ(row["latency_ns"]["count"], kMany);
        EXPECT_EQ(row["latency_ns"]["sum"], sum);
        EXPECT_EQ(row["queued_ns"]["sum"], queued);
        EXPECT_EQ(row["woken_ns"]["count"], 0);
    }
    for (const char* name : {"stream_wait", "dgram_wait", "seqpacket_wait"}) {
        const Json row = flow(name);
        EXPECT_EQ(row["receiver"]["pid"], fact(std::string(name) + "_by"));
        EXPECT_EQ(row["latency_ns"]["count"], kWaited);
        EXPECT_EQ(row["woken_ns"]["count"], kWaited);
        EXPECT_EQ(row["queued_ns"]["max"], 0);
        EXPECT_EQ(row["unmatched"], 0);
    }
}

TEST_F(UnixSockets, TheReportSaysWhoPassedDescriptorsToWhom)
{
    for (const char* name : {"stream_fds", "dgram_fds", "seqpacket_fds"}) {
        const Json row = flow(name);
        ASSERT_EQ(row["fds"].size(), 1u) << name;
        EXPECT_EQ(row["fds"][0]["sender"]["pid"], director());
        EXPECT_EQ(row["fds"][0]["receiver"]["pid"], director());
        EXPECT_EQ(row["fds"][0]["messages"], 3);
        EXPECT_EQ(row["fds"][0]["sent"], 9);
        EXPECT_EQ(row["fds"][0]["received"], 4);
        EXPECT_EQ(row["fds_not_received"], 3);
        EXPECT_EQ(row["unmatched"], 1);
    }
    EXPECT_TRUE(flow("stream")["fds"].empty());
}

TEST_F(UnixSockets, ASocketIsNamedByItsAddressAndItsHolders)
{
    const Json listening = object(fact("connected_to"))["socket"];
    EXPECT_EQ(listening["address"], "@ipc\\x1b\\x0a@\\xffc");
    bool held = false;
    for (const Json& one : listening["holders"]) {
        held |= one["pid"] == director();
    }
    EXPECT_TRUE(held);
    const Json pair = object(fact("stream_wait", kReceiver));
    EXPECT_EQ(pair["socket"]["address"], Json());
    EXPECT_EQ(pair["peer"]["id"], fact("stream_wait", kSender));
}

}  // namespace
}  // namespace ipcscope::conformance
