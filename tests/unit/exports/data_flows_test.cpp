// SPDX-License-Identifier: GPL-2.0-only
// Which read took the last byte of which write: only where it is certain.
#include <gtest/gtest.h>

#include "exports/data_flows.hpp"

namespace ipcscope::exports::test {
namespace {

using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

/// Calls on one pipe, in the order in which they returned; pairs of their numbers, from 1 on.
class Pipe {
public:
    void write(std::uint64_t enter_ns, std::uint64_t exit_ns, std::int32_t bytes,
               unsigned used = 0)
    {
        call(IPCSCOPE_OP_WRITE, enter_ns, exit_ns, bytes, used);
    }
    void read(std::uint64_t enter_ns, std::uint64_t exit_ns, std::int32_t bytes)
    {
        call(IPCSCOPE_OP_READ, enter_ns, exit_ns, bytes, 1);
    }
    void call(unsigned op, std::uint64_t enter_ns, std::uint64_t exit_ns, std::int32_t ret,
              unsigned used, bool unfinished = false, unsigned flags = 0)
    {
        decode::Event event;
        event.time_ns = exit_ns;
        event.unfinished = unfinished;
        decode::Call body{};
        body.type = IPCSCOPE_OBJECT_PIPE;
        body.op = static_cast<std::uint8_t>(op);
        body.object = 7;
        body.enter_ns = enter_ns;
        body.requested = 65536;
        body.ret = ret;
        body.flags = static_cast<std::uint8_t>(flags);
        body.tail.pipe.ring_slots = 16;
        body.tail.pipe.used_slots = used;
        flows.call(event, body, ++number_);
    }
    Pairs pairs()
    {
        flows.finish();
        return pairs_;
    }

    DataFlows flows{[this](const DataFlows::Call& write, const DataFlows::Call& read) {
        pairs_.emplace_back(write.tag, read.tag);
    }};

private:
    Pairs pairs_;
    std::uint64_t number_ = 0;
};

TEST(DataFlows, InTheOrderOfBytes)
{
    Pipe pipe;
    pipe.write(1, 2, 10);          // 1
    pipe.write(3, 4, 10, 1);       // 2
    pipe.read(5, 6, 4);            // 3
    pipe.read(7, 8, 12);           // 4: the rest of 1, most of 2
    pipe.read(9, 10, 4);           // 5
    EXPECT_EQ(pipe.pairs(), (Pairs{{1, 4}, {2, 5}}));
}

TEST(DataFlows, AReadMayReturnFirst)
{
    Pipe pipe;
    pipe.read(1, 5, 10);           // 1: waits for 2
    pipe.write(3, 6, 10);          // 2
    pipe.read(7, 12, 65536);       // 3: of 5, that is larger than the pipe
    pipe.read(13, 14, 65536);      // 4
    pipe.write(8, 15, 131072);     // 5
    EXPECT_EQ(pipe.pairs(), (Pairs{{2, 1}, {5, 4}}));
}

TEST(DataFlows, WhatWasThereBeforeIsNotKnown)
{
    Pipe pipe;
    pipe.write(1, 2, 10, 1);       // behind what was there
    pipe.read(3, 4, 10);
    pipe.write(5, 6, 10);          // 3: it found nothing
    pipe.read(7, 8, 10);
    EXPECT_EQ(pipe.pairs(), (Pairs{{3, 4}}));
}

TEST(DataFlows, CallsThatOverlapAreNotOrdered)
{
    Pipe pipe;
    pipe.write(1, 2, 10);
    pipe.read(3, 4, 10);           // the one pair that is certain
    pipe.write(10, 12, 10);
    pipe.read(13, 14, 10);         // disproved by:
    pipe.write(11, 15, 10, 1);
    pipe.read(16, 17, 10);
    pipe.write(20, 21, 10);        // 7
    pipe.read(22, 23, 10);
    pipe.read(22, 24, 10);         // two readers: disproved again
    EXPECT_EQ(pipe.pairs(), (Pairs{{1, 2}}));
}

TEST(DataFlows, ACallThatHasNotReturnedDisproves)
{
    Pipe pipe;
    pipe.write(1, 2, 10);
    pipe.read(3, 4, 10);
    pipe.write(5, 6, 10);
    pipe.read(7, 8, 10);
    pipe.call(IPCSCOPE_OP_READ, 5, 100, 0, 0, true);
    EXPECT_EQ(pipe.pairs(), (Pairs{{1, 2}}));
}

/// Of a FIFO that all had closed.
TEST(DataFlows, BytesThatWereDropped)
{
    Pipe pipe;
    pipe.write(1, 2, 10);
    pipe.write(5, 6, 10);          // it found nothing: the first are gone
    pipe.read(7, 8, 10);
    EXPECT_EQ(pipe.pairs(), Pairs{});
}

TEST(DataFlows, LossAndPacketsAndTee)
{
    Pipe pipe;
    pipe.write(1, 2, 10);
    pipe.flows.lose();
    pipe.read(3, 4, 10);
    pipe.write(5, 6, 10);          // 3
    pipe.call(IPCSCOPE_OP_TEE, 7, 8, 10, 1);   // a copy: it takes nothing
    pipe.read(9, 10, 10);          // 5
    EXPECT_EQ(pipe.pairs(), (Pairs{{3, 5}}));
    Pipe packets;
    packets.call(IPCSCOPE_OP_WRITE, 1, 2, 10, 0, false, IPCSCOPE_CALL_PACKET);
    packets.read(3, 4, 5);
    EXPECT_EQ(packets.pairs(), Pairs{});
}

TEST(DataFlows, ADatagramSocketTakesFromAny)
{
    Pairs pairs;
    DataFlows flows([&](const DataFlows::Call& write, const DataFlows::Call& read) {
        pairs.emplace_back(write.tag, read.tag);
    });
    const auto call = [&](unsigned op, std::uint64_t object, std::uint64_t peer,
                          std::uint64_t at_ns, std::uint64_t tag) {
        decode::Event event;
        event.time_ns = at_ns + 1;
        decode::Call body{};
        body.type = IPCSCOPE_OBJECT_UNIX_DGRAM;
        body.op = static_cast<std::uint8_t>(op);
        body.object = object;
        body.peer = peer;
        body.enter_ns = at_ns;
        body.ret = 3;
        flows.call(event, body, tag);
    };
    call(IPCSCOPE_OP_SEND, 1, 9, 10, 1);       // two clients of one server
    call(IPCSCOPE_OP_SEND, 2, 9, 20, 2);
    call(IPCSCOPE_OP_RECEIVE, 9, 0, 30, 3);
    call(IPCSCOPE_OP_SEND, 4, 5, 40, 4);       // a pair
    call(IPCSCOPE_OP_RECEIVE, 5, 4, 50, 5);
    flows.finish();
    EXPECT_EQ(pairs, (Pairs{{4, 5}}));
}

}  // namespace
}  // namespace ipcscope::exports::test
