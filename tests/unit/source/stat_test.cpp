// SPDX-License-Identifier: GPL-2.0-only
// Cells, tallies and queues of all CPUs into one.
#include <cstring>
#include <memory>

#include <unistd.h>

#include <gtest/gtest.h>

#include "source/stat.hpp"
#include "source/stat_names.hpp"

namespace ipcscope::source {
namespace {

TEST(StatCells, OfAllCpusMakeARow)
{
    const auto cell = std::make_unique<ipcscope_stat_cell>();
    cell->untimed = 2;
    cell->sum_ns = 300;
    cell->max_ns = 200;
    cell->min_inverted = ~std::uint64_t{100};
    cell->bytes = 7;
    cell->buckets[3] = 1;
    StatRow row;
    add_cell(row, *cell);
    cell->max_ns = 150;
    cell->min_inverted = ~std::uint64_t{9};
    cell->buckets[IPCSCOPE_STAT_BUCKETS - 1] = 5;
    add_cell(row, *cell);
    *cell = {};   // of a CPU that saw none
    add_cell(row, *cell);
    EXPECT_EQ(row.untimed, 4u);
    EXPECT_EQ(row.sum_ns, 600u);
    EXPECT_EQ(row.max_ns, 200u);
    EXPECT_EQ(row.min_ns, 9u);
    EXPECT_EQ(row.bytes, 14u);
    ASSERT_EQ(row.buckets.size(), std::size_t{IPCSCOPE_STAT_BUCKETS});
    EXPECT_EQ(row.buckets[3], 2u);
    EXPECT_EQ(row.buckets.back(), 5u);
}

TEST(StatTallies, OfAllCpusAdd)
{
    ipcscope_stat_tallies tallies{};
    tallies.signal[9] = {10, 4, {1, 2, 3, 0, 0, 0}};
    tallies.signal[63].generated = 1;
    Stat stat;
    add_tallies(stat, tallies);
    add_tallies(stat, tallies);
    EXPECT_EQ(stat.signals[9].generated, 20u);
    EXPECT_EQ(stat.signals[9].paired, 8u);
    EXPECT_EQ(stat.signals[9].unpaired[IPCSCOPE_UNPAIRED_DEEP], 6u);
    EXPECT_EQ(stat.signals[63].generated, 2u);
}

std::uint64_t key_of(unsigned signal)
{
    return std::uint64_t{signal} << IPCSCOPE_STAT_OWNER_BITS | 0x777f12345680;
}

TEST(StatQueues, HoldWhatIsPending)
{
    ipcscope_stat_queue queue{};
    queue.head = 14;   // it goes on at the beginning
    queue.count = 4;
    for (unsigned i = 0; i < 4; ++i) {
        queue.generated_ns[(14 + i) % IPCSCOPE_STAT_DEPTH] = 100 + i;
    }
    queue.deep = 9;    // these have been counted
    Stat stat;
    add_queue(stat, key_of(34), queue);
    EXPECT_EQ(stat.signals[33].pending, 4u);
    EXPECT_EQ(stat.signals[33].unpaired[IPCSCOPE_UNPAIRED_FLUSHED], 0u);
}

TEST(StatQueues, WhatSigactionHasDiscardedIsFlushed)
{
    ipcscope_stat_queue queue{};
    queue.count = 3;
    queue.generated_ns[0] = 100;
    queue.generated_ns[1] = 200;
    queue.generated_ns[2] = 201;
    queue.flushed_ns = 200;
    Stat stat;
    add_queue(stat, key_of(64), queue);
    EXPECT_EQ(stat.signals[63].pending, 1u);
    EXPECT_EQ(stat.signals[63].unpaired[IPCSCOPE_UNPAIRED_FLUSHED], 2u);
}

TEST(StatQueues, OfNoSignalAreLeftOut)
{
    ipcscope_stat_queue queue{};
    queue.count = 1;
    queue.generated_ns[0] = 1;
    Stat stat;
    add_queue(stat, key_of(0), queue);
    add_queue(stat, key_of(65), queue);
    queue.count = 1000;   // torn, or damaged
    add_queue(stat, key_of(1), queue);
    std::uint64_t pending = 0;
    for (const StatSignal& signal : stat.signals) {
        pending += signal.pending;
    }
    EXPECT_EQ(pending, 1u);
    EXPECT_LE(stat.signals[0].unpaired[IPCSCOPE_UNPAIRED_FLUSHED], 15u);
}

TEST(StatNames, OfACommAndOfThisProcess)
{
    ipcscope_stat_key key{};
    std::memcpy(key.by, "red\x1b", 4);
    EXPECT_EQ(StatNames(IPCSCOPE_STAT_BY_COMM).of(key).str(), "red\\x1b");
    key.by[0] = static_cast<std::uint64_t>(getpid());
    EXPECT_FALSE(StatNames(IPCSCOPE_STAT_BY_PID).of(key).empty());
    key.by[0] = 0x7fffffff;
    EXPECT_TRUE(StatNames(IPCSCOPE_STAT_BY_PID).of(key).empty());
}

}  // namespace
}  // namespace ipcscope::source
