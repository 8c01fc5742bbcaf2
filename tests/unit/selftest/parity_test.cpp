// SPDX-License-Identifier: GPL-2.0-only
// The comparison finds what differs, and only that.
#include <cstring>

#include <gtest/gtest.h>

#include "decode/decode.hpp"
#include "decode/fields.hpp"
#include "selftest/parity.hpp"

namespace ipcscope::selftest {
namespace {

using decode::Meaning;

template <typename Body>
Body record(unsigned kind, std::uint32_t tid, std::uint64_t time_ns)
{
    Body body{};
    body.header.time_ns = time_ns;
    body.header.tid = tid;
    body.header.tgid = tid;
    body.header.kind = static_cast<__u16>(kind);
    body.header.size = sizeof body;
    return body;
}

template <typename Body>
void keep(Kept& kept, const Body& body)
{
    const auto* bytes = reinterpret_cast<const std::byte*>(&body);
    ASSERT_TRUE(kept.records(0, {bytes, sizeof body}));
}

ipcscope_call read_of(std::uint32_t tid, std::uint64_t time_ns)
{
    auto call = record<ipcscope_call>(IPCSCOPE_CALL_PIPE, tid, time_ns);
    call.type = IPCSCOPE_OBJECT_PIPE;
    return call;
}

/// A whole record of a kind, all zero but for its header.
Record empty_record(unsigned kind)
{
    std::size_t size = sizeof(ipcscope_header);
    for (const decode::Field& field : decode::fields_of(kind)) {
        size = std::max(size, field.offset + field.size * field.count);
    }
    Record bytes(size);
    ipcscope_header header{};
    header.tid = 7;
    header.kind = static_cast<__u16>(kind);
    header.size = static_cast<__u16>(size);
    std::memcpy(bytes.data(), &header, sizeof header);
    return bytes;
}

/// Whether a record of `kind` whose byte at `at` differs is another one.
bool counts(unsigned kind, std::size_t at)
{
    Kept one, two;
    Record bytes = empty_record(kind);
    EXPECT_TRUE(one.records(0, bytes));
    bytes[at] ^= std::byte{1};
    EXPECT_TRUE(two.records(0, bytes));
    return !compare(one, two, kind).equal();
}

/// Kinds whose records are paired in order.
std::vector<unsigned> paired()
{
    std::vector<unsigned> kinds;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        if (kind != IPCSCOPE_SLICE && kind != IPCSCOPE_THREAD_TIME) kinds.push_back(kind);
    }
    return kinds;
}

TEST(Parity, WhatAFieldMeansSaysWhetherItCounts)
{
    for (const unsigned kind : paired()) {
        for (const decode::Field& field : decode::fields_of(kind)) {
            const bool chance =
                field.meaning == Meaning::TIME || field.meaning == Meaning::SPAN ||
                field.meaning == Meaning::WAKER || field.meaning == Meaning::STACK ||
                field.meaning == Meaning::DEPTH || field.meaning == Meaning::PAD;
            const bool expected = kind == IPCSCOPE_THREAD || !chance;
            for (std::size_t i = 0; i < field.size * field.count; ++i) {
                EXPECT_EQ(counts(kind, field.offset + i), expected)
                    << decode::kind_name(kind) << ": " << field.name;
            }
        }
    }
}

TEST(Parity, EveryByteOfAHeaderCountsButTimeAndLosses)
{
    for (const unsigned kind : paired()) {
        for (std::size_t at = 0; at < sizeof(ipcscope_header); ++at) {
            // Kind and size say what it is: another kind is not compared at all.
            if (at >= offsetof(ipcscope_header, kind) && at < offsetof(ipcscope_header, flags)) {
                continue;
            }
            EXPECT_EQ(counts(kind, at), at >= offsetof(ipcscope_header, tgid))
                << decode::kind_name(kind) << ' ' << at;
        }
    }
}

TEST(Parity, ACallsTailCounts)
{
    for (std::size_t at = 0; at < sizeof(ipcscope_tail); ++at) {
        EXPECT_TRUE(counts(IPCSCOPE_CALL_PIPE, offsetof(ipcscope_call, tail) + at)) << at;
    }
}

/// A switch between the two hooks at a call's exit.
TEST(Parity, ACallMayBeLongForOneOnly)
{
    Kept one, two;
    keep(one, read_of(7, 100));
    auto split = record<ipcscope_call_split>(IPCSCOPE_CALL_PIPE, 7, 200);
    split.type = IPCSCOPE_OBJECT_PIPE;
    split.between_runnable_ns = 5;
    split.waker_tid = 9;
    keep(two, split);
    EXPECT_TRUE(compare(one, two, IPCSCOPE_CALL_PIPE).equal());
    EXPECT_TRUE(compare(two, one, IPCSCOPE_CALL_PIPE).equal());
    Kept three;
    split.ret = 1;
    keep(three, split);
    EXPECT_FALSE(compare(one, three, IPCSCOPE_CALL_PIPE).equal());
}

TEST(Parity, MissingAndSuperfluous)
{
    Kept one, two;
    keep(one, read_of(7, 1));
    keep(one, read_of(7, 2));
    keep(two, read_of(7, 1));
    EXPECT_FALSE(compare(one, two, IPCSCOPE_CALL_PIPE).equal());
    EXPECT_FALSE(compare(two, one, IPCSCOPE_CALL_PIPE).equal());
    keep(two, read_of(8, 2));
    EXPECT_FALSE(compare(one, two, IPCSCOPE_CALL_PIPE).equal());
    EXPECT_TRUE(compare(one, two, IPCSCOPE_KILL).equal());
}

TEST(Parity, ThreadsMayComeInAnotherOrder)
{
    Kept one, two;
    keep(one, read_of(7, 1));
    keep(one, read_of(8, 2));
    keep(two, read_of(8, 1));
    keep(two, read_of(7, 2));
    EXPECT_TRUE(compare(one, two, IPCSCOPE_CALL_PIPE).equal());
}

TEST(Parity, SaysWhere)
{
    const auto example = [](auto change) {
        Kept one, two;
        ipcscope_call read = read_of(7, 1);
        keep(one, read);
        change(read);
        keep(two, read);
        return compare(one, two, IPCSCOPE_CALL_PIPE).example;
    };
    EXPECT_EQ(example([](ipcscope_call& call) { call.ret = 1; }),
              "thread 7: ret of call_pipe, byte 68, is 0x00, and 0x01");
    EXPECT_EQ(example([](ipcscope_call& call) { call.tail.pipe.readers = 2; }),
              "thread 7: readers of call_pipe, byte 88, is 0x00, and 0x02");
    EXPECT_EQ(example([](ipcscope_call& call) { call.header.cpu = 3; }),
              "thread 7: the header of call_pipe, byte 24, is 0x00, and 0x03");
}

constexpr std::uint64_t kMs = 1'000'000;

ipcscope_slice slept(std::uint64_t start_ns, std::uint64_t length_ns)
{
    auto slice = record<ipcscope_slice>(IPCSCOPE_SLICE, 7, start_ns + length_ns);
    slice.start_ns = start_ns;
    slice.end_ns = start_ns + length_ns;
    slice.state = IPCSCOPE_STATE_INTERRUPTIBLE;
    return slice;
}

bool same_slices(const std::vector<ipcscope_slice>& ones,
                 const std::vector<ipcscope_slice>& twos)
{
    Kept one, two;
    for (Kept* kept : {&one, &two}) {
        source::Host host;
        host.start_ns = 1000 * kMs;
        EXPECT_TRUE(kept->host(host));
        EXPECT_TRUE(kept->end(9000 * kMs));
    }
    for (const auto& slice : ones) keep(one, slice);
    for (const auto& slice : twos) keep(two, slice);
    return compare(one, two, IPCSCOPE_SLICE).equal();
}

TEST(Parity, ALongSliceHasItsLike)
{
    const ipcscope_slice slice = slept(2000 * kMs, 20 * kMs);
    EXPECT_TRUE(same_slices({slice}, {slept(2000 * kMs + 700, 20 * kMs + 300)}));
    EXPECT_FALSE(same_slices({slice}, {}));
    EXPECT_FALSE(same_slices({}, {slice}));
    EXPECT_TRUE(same_slices({slice}, {slept(2008 * kMs, 20 * kMs)})) << "a host that was busy";
    EXPECT_FALSE(same_slices({slice}, {slept(2011 * kMs, 20 * kMs)}));
    EXPECT_FALSE(same_slices({slice}, {slept(2000 * kMs, 41 * kMs)}));
    EXPECT_FALSE(same_slices({slice}, {slept(3000 * kMs, 20 * kMs)}));
    EXPECT_FALSE(same_slices({slice, slice}, {slice})) << "each is the like of one";
    ipcscope_slice other = slice;
    other.state = IPCSCOPE_STATE_POLLING;
    EXPECT_FALSE(same_slices({slice}, {other}));
    other = slice;
    other.waker_tid = 5;
    EXPECT_FALSE(same_slices({slice}, {other}));
    other = slice;
    other.header.tid = 8;
    EXPECT_FALSE(same_slices({slice}, {other}));
}

/// One in sixteen can have been cut by the host of the guest.
TEST(Parity, AFewSlicesOfManyMayBeUnequal)
{
    std::vector<ipcscope_slice> all;
    for (std::uint64_t i = 0; i < 40; ++i) all.push_back(slept((2000 + 50 * i) * kMs, 20 * kMs));
    std::vector<ipcscope_slice> fewer(all.begin(), all.end() - 2);
    EXPECT_TRUE(same_slices(all, fewer));
    fewer.pop_back();
    EXPECT_FALSE(same_slices(all, fewer));
}

TEST(Parity, AShortSliceNeedsNone)
{
    EXPECT_TRUE(same_slices({slept(2000 * kMs, 5 * kMs)}, {}));
    EXPECT_TRUE(same_slices({slept(2000 * kMs, 10 * kMs)}, {slept(2000 * kMs, 9 * kMs)}));
}

/// The backends begin and end one after the other.
TEST(Parity, ASliceAcrossTheEdgeOfAWindowNeedsNone)
{
    EXPECT_TRUE(same_slices({slept(900 * kMs, 200 * kMs)}, {}));
    EXPECT_TRUE(same_slices({slept(8990 * kMs, 20 * kMs)}, {}));
}

TEST(Parity, ThreadTimesAreNotCompared)
{
    Kept one, two;
    keep(one, record<ipcscope_thread_time>(IPCSCOPE_THREAD_TIME, 7, 1));
    EXPECT_FALSE(compare(one, two, IPCSCOPE_THREAD_TIME).not_compared.empty());
    EXPECT_TRUE(compare(one, two, IPCSCOPE_THREAD_EXIT).not_compared.empty());
    EXPECT_TRUE(compare(one, two, IPCSCOPE_SLICE).not_compared.empty());
}

TEST(Parity, LatenciesOfBlockedReadsAndSignals)
{
    Kept kept;
    ipcscope_call read = read_of(7, 500);
    read.op = IPCSCOPE_OP_READ;
    read.enter_ns = 100;
    keep(kept, read);   // did not wait
    read.sleeps = 1;
    keep(kept, read);
    read.op = IPCSCOPE_OP_WRITE;
    keep(kept, read);
    EXPECT_EQ(blocked_reads(kept).count(), 1u);
    EXPECT_EQ(calls(kept, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ), 2u);
    EXPECT_EQ(calls(kept, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE), 1u);

    auto made = record<ipcscope_signal_generate>(IPCSCOPE_SIGNAL_GENERATE, 7, 1000);
    made.sig = 12;
    keep(kept, made);
    auto taken = record<ipcscope_signal_take>(IPCSCOPE_SIGNAL_TAKE, 7, 1500);
    taken.sig = 12;
    keep(kept, taken);
    EXPECT_EQ(signal_latencies(kept, 12).sum(), 500u);
    EXPECT_EQ(signal_latencies(kept, 10).count(), 0u);
    EXPECT_EQ(generated(kept).at(12), 1u);
}

TEST(Parity, SameBucket)
{
    Histogram one, two, far;
    one.add(20'000'000);
    two.add(20'100'000);
    far.add(25'000'000);
    EXPECT_TRUE(same_bucket(one, two));
    EXPECT_FALSE(same_bucket(one, far));
    EXPECT_FALSE(same_bucket(one, {}));
    EXPECT_FALSE(same_bucket({}, {}));
    two.add(20'000'000);
    EXPECT_FALSE(same_bucket(one, two)) << "not as many";
}

TEST(Parity, TheCollectorsOwnAreLeftOut)
{
    Kept kept;
    const auto note = record<ipcscope_thread>(IPCSCOPE_THREAD, 7, 1);
    ASSERT_TRUE(kept.records(source::Sink::kCollector,
                             std::as_bytes(std::span{&note, 1})));
    EXPECT_TRUE(kept.all().empty());
}

TEST(Parity, HalfARecordIsAnError)
{
    Kept kept;
    const ipcscope_call read = read_of(7, 1);
    const auto* bytes = reinterpret_cast<const std::byte*>(&read);
    EXPECT_FALSE(kept.records(0, {bytes, sizeof read - 1}));
}

}  // namespace
}  // namespace ipcscope::selftest
