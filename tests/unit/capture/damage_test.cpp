// SPDX-License-Identifier: GPL-2.0-only
#include <random>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/fd.hpp"
#include "capture/format.hpp"
#include "helpers.hpp"

namespace ipcscope::capture {
namespace {

using namespace ipcscope::test;

unsigned pick(std::mt19937& random, std::size_t count)
{
    return static_cast<unsigned>(random() % count);
}

/// Flips up to `most` bits of `bytes`.
void flip(std::mt19937& random, std::span<std::byte> bytes, unsigned most)
{
    for (unsigned flips = 1 + pick(random, most); flips > 0; --flips)
        bytes[pick(random, bytes.size())] ^= std::byte{1} << pick(random, 8);
}

/// A block of a file, found by this test's own reading of the format.
struct Block {
    std::size_t at;
    BlockHeader header;
    std::size_t payload() const { return at + sizeof header; }
    std::size_t end() const { return payload() + header.payload_bytes; }
};

std::vector<Block> blocks_of(const Record& file)
{
    std::vector<Block> blocks;
    for (std::size_t at = sizeof(FileHeader); at < file.size(); at = blocks.back().end())
        blocks.push_back({at, read_as<BlockHeader>(std::span{file}.subspan(at))});
    return blocks;
}

/// Records that end at or before `cut`.
std::size_t records_before(const Record& file, std::size_t cut)
{
    std::size_t count = 0;
    for (const Block& block : blocks_of(file)) {
        if (block.header.type != kRecords) continue;
        for (std::size_t at = block.payload(); at < block.end();) {
            at += read_as<ipcscope_header>(std::span{file}.subspan(at)).size;
            count += at <= cut;
        }
    }
    return count;
}

class Damage : public testing::Test {
protected:
    Damage() : file(example_bytes(folder)), blocks(blocks_of(file))
    {
        spill(folder / "whole", file);
        EXPECT_EQ(replay(folder / "whole", whole).value_or("failed"), "");
    }

    Result<std::string> replay_bytes(std::span<const std::byte> bytes, source::Sink& sink)
    {
        // In memory, since there are very many of them.
        const Fd fd{::memfd_create("damaged", MFD_CLOEXEC)};
        EXPECT_EQ(::write(fd.get(), bytes.data(), bytes.size()),
                  static_cast<ssize_t>(bytes.size()));
        return replay("/proc/self/fd/" + std::to_string(fd.get()), sink);
    }

    template <typename T>
    static bool is_prefix(const std::vector<T>& part, const std::vector<T>& all)
    {
        return part.size() <= all.size() && std::equal(part.begin(), part.end(), all.begin());
    }

    void put(Record& bytes, Block block)
    {
        block.header.crc = header_crc(block.header);
        poke(bytes, block.at, block.header);
    }

    Folder folder;
    Record file;
    std::vector<Block> blocks;
    Memory whole;
};

TEST_F(Damage, TheExampleIsWorthCutting)
{
    EXPECT_GT(file.size(), 4000U);
    EXPECT_GT(blocks.size(), 8U);
    EXPECT_EQ(records_before(file, file.size()), whole.records_seen.size());
    EXPECT_EQ(blocks.back().end(), file.size());
}

TEST_F(Damage, EveryCutShowsEveryWholeRecordBeforeIt)
{
    for (std::size_t cut = sizeof(FileHeader); cut < file.size(); ++cut) {
        Memory got;
        const auto why = replay_bytes(std::span{file}.first(cut), got);
        ASSERT_TRUE(why) << why.error().message;
        ASSERT_EQ(*why,
                  fmt::format("cut at byte {}: the trace's end is missing; everything before "
                              "it is shown",
                              cut));
        ASSERT_TRUE(is_prefix(got.records_seen, whole.records_seen)) << cut;
        ASSERT_EQ(got.records_seen.size(), records_before(file, cut)) << cut;
        ASSERT_TRUE(is_prefix(got.calls, whole.calls)) << cut;
        ASSERT_FALSE(got.ended);
    }
}

TEST_F(Damage, ACutInsideTheFileHeaderIsAnError)
{
    for (std::size_t cut = 0; cut < sizeof(FileHeader); ++cut) {
        Memory got;
        const auto why = replay_bytes(std::span{file}.first(cut), got);
        ASSERT_FALSE(why);
        expect_one_line(why.error());
        EXPECT_NE(why.error().message.find(cut == 0 ? "is empty"
                                                    : fmt::format("cut at byte {}", cut)),
                  std::string::npos)
            << why.error().message;
    }
}

TEST_F(Damage, EveryFlippedBitIsNoticed)
{
    for (std::size_t at = 0; at < file.size(); ++at) {
        Record bytes = file;
        bytes[at] ^= std::byte{1} << (at * 5) % 8;
        Memory got;
        const auto why = replay_bytes(bytes, got);
        if (!why) {
            ASSERT_LT(at, sizeof(FileHeader)) << why.error().message;
            expect_one_line(why.error());
            continue;
        }
        ASSERT_FALSE(why->empty()) << "not noticed at " << at;
        ASSERT_TRUE(is_prefix(got.records_seen, whole.records_seen)) << at;
        ASSERT_TRUE(is_prefix(got.calls, whole.calls)) << at;
        // Everything up to the damaged block.
        const auto block = std::find_if(blocks.begin(), blocks.end(),
                                        [&](const Block& b) { return at < b.end(); });
        ASSERT_EQ(got.records_seen.size(), records_before(file, block->at)) << at;
        ASSERT_TRUE(why->starts_with(fmt::format("damaged at byte {}: ", block->at))) << *why;
    }
}

TEST_F(Damage, ManyFlippedBits)
{
    std::mt19937 random{3};
    for (int i = 0; i < 100'000; ++i) {
        Record bytes = file;
        flip(random, bytes, 6);
        if (pick(random, 4) == 0) bytes.resize(pick(random, bytes.size()));
        Memory got;
        const auto why = replay_bytes(bytes, got);
        if (!why)
            expect_one_line(why.error());
        else
            ASSERT_TRUE(!why->empty() || bytes == file);
        // A cut block's records cannot be checked, so what is shown may differ, but
        // never grows.
        ASSERT_LE(got.records_seen.size(), whole.records_seen.size());
    }
}

/// Flips with the checksums put right, so that they reach what lies behind.
TEST_F(Damage, FlippedBitsUnderGoodChecksums)
{
    std::mt19937 random{4};
    for (int i = 0; i < 20'000; ++i) {
        Record bytes = file;
        Block block = blocks[pick(random, blocks.size())];
        flip(random, std::span{bytes}.subspan(block.at, block.end() - block.at), 3);
        block.header = read_as<BlockHeader>(std::span{bytes}.subspan(block.at));
        const std::size_t room = bytes.size() - block.payload();
        block.header.payload_crc = crc32(std::span{bytes}.subspan(
            block.payload(), std::min<std::size_t>(block.header.payload_bytes, room)));
        put(bytes, block);
        Memory got;
        const auto why = replay_bytes(bytes, got);
        ASSERT_TRUE(why) << why.error().message;
        EXPECT_EQ(why->find('\n'), std::string::npos);
    }
}

TEST_F(Damage, NamesTheKind)
{
    const auto expect = [&](const Record& bytes, std::size_t at, std::string_view how) {
        Memory got;
        const auto why = replay_bytes(bytes, got);
        ASSERT_TRUE(why) << why.error().message;
        EXPECT_EQ(*why, fmt::format("damaged at byte {}: {}; everything before it is shown", at,
                                    how));
    };
    const auto changed = [&](std::size_t which, auto change) {
        Record bytes = file;
        Block block = blocks[which];
        change(block.header);
        put(bytes, block);
        return bytes;
    };
    expect(changed(2, [](BlockHeader& h) { h.magic = 0; }), blocks[2].at,
           "no block begins there");
    expect(changed(2, [](BlockHeader& h) { h.payload_bytes = kMaxPayload + 1; }), blocks[2].at,
           "a block larger than the format allows");
    expect(changed(2, [](BlockHeader& h) { h.sequence = 9; }), blocks[2].at,
           "a block is missing or repeated");
    expect(changed(2, [](BlockHeader& h) { h.payload_crc ^= 1; }), blocks[2].at,
           "the checksum of a block does not match");
    Record bytes = file;
    bytes[blocks[2].at + 12] ^= std::byte{1};
    expect(bytes, blocks[2].at, "the checksum of a block header does not match");
    expect(changed(0, [](BlockHeader& h) { h.type = 77; }), blocks[1].at,
           "the description of the host is missing");
    expect(changed(0, [](BlockHeader& h) { h.type = kRecords; }), blocks[0].at,
           "the description of the host is missing");
    expect(changed(1, [](BlockHeader& h) { h.type = kHost; }), blocks[1].at,
           "the description of the host cannot be read");
    expect(changed(1, [](BlockHeader& h) { h.type = kWatermark; }), blocks[1].at,
           "a watermark of the wrong size");
    expect(changed(1, [](BlockHeader& h) { h.type = kEnd; }), blocks[1].at,
           "an end of the wrong size");
    expect(changed(1, [](BlockHeader& h) { h.type = kLedger; }), blocks[1].at,
           "a ledger with more kinds or causes than this ipcscope knows, use a newer one");
    bytes = file;
    bytes.push_back(std::byte{'x'});
    expect(bytes, file.size(), "more follows the trace's end");
}

TEST_F(Damage, ABlockThatWasCutOut)
{
    Record bytes(file.begin(), file.begin() + static_cast<long>(blocks[2].at));
    bytes.insert(bytes.end(), file.begin() + static_cast<long>(blocks[3].at), file.end());
    Memory got;
    EXPECT_NE(replay_bytes(bytes, got).value_or("").find("missing or repeated"),
              std::string::npos);
    EXPECT_FALSE(got.ended);
}

TEST_F(Damage, ASecondHost)
{
    Record bytes(file.begin(), file.begin() + static_cast<long>(blocks[1].at));
    const Record again(bytes.begin() + static_cast<long>(blocks[0].at), bytes.end());
    bytes.insert(bytes.end(), again.begin(), again.end());
    Block second = blocks[0];
    second.at = blocks[1].at;
    second.header.sequence = 1;
    put(bytes, second);
    Memory got;
    EXPECT_NE(replay_bytes(bytes, got).value_or("").find("second description"),
              std::string::npos);
    EXPECT_EQ(got.hosts.size(), 1U);
}

TEST_F(Damage, UnknownBlocksAreSkipped)
{
    Record bytes = file;
    Block block = blocks[2];
    block.header.type = 600;
    put(bytes, block);
    Memory got;
    EXPECT_EQ(replay_bytes(bytes, got).value_or("failed"), "");
    EXPECT_TRUE(got.ended);
    EXPECT_EQ(got.records_seen.size(), whole.records_seen.size() - block.header.record_count);
}

TEST_F(Damage, ALargerFileHeaderIsSkipped)
{
    Record bytes = file;
    auto header = read_as<FileHeader>(bytes);
    header.header_bytes = 40;
    header.crc = header_crc(header);
    poke(bytes, 0, header);
    bytes.insert(bytes.begin() + 32, 8, std::byte{0x5a});
    Memory got;
    EXPECT_EQ(replay_bytes(bytes, got).value_or("failed"), "");
    EXPECT_EQ(got.calls, whole.calls);
    const auto cut = replay_bytes(std::span{bytes}.first(36), got);
    ASSERT_FALSE(cut);
    EXPECT_NE(cut.error().message.find("cut at byte 36"), std::string::npos);
}

TEST_F(Damage, AHugeClaimCostsNoMemory)
{
    // Header of a block of 1 MiB, and nothing behind it.
    Record bytes(file.begin(), file.begin() + static_cast<long>(blocks[1].payload()));
    Block block = blocks[1];
    block.header.payload_bytes = kMaxPayload;
    put(bytes, block);
    Memory got;
    EXPECT_TRUE(replay_bytes(bytes, got).value_or("").starts_with("cut at byte"));
}

/// Bytes of memory that a process has used at most.
std::size_t peak_bytes()
{
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// Ledgers of as many CPUs as can be claimed, with as little behind them as can be.
TEST_F(Damage, MemoryIsBoundedByTheFile)
{
    Record bytes(file.begin(), file.begin() + static_cast<long>(blocks[1].at));
    std::uint32_t sequence = 1;
    for (std::uint16_t kinds = 0; kinds < IPCSCOPE_KIND_COUNT; ++kinds) {
        const std::size_t each = (kinds * std::size_t{2} + 1) * sizeof(__u64);
        const auto cpus = static_cast<std::uint32_t>(
            std::min<std::size_t>(kMaxCpus, (kMaxPayload - sizeof(LedgerHeader)) / each));
        Record payload(sizeof(LedgerHeader) + cpus * each);
        poke(payload, 0, LedgerHeader{0, cpus, cpus, kinds, 0});
        BlockHeader header{};
        header.magic = kBlockMagic;
        header.type = kLedger;
        header.payload_bytes = static_cast<std::uint32_t>(payload.size());
        header.sequence = sequence++;
        header.payload_crc = crc32(payload);
        header.crc = header_crc(header);
        const auto head = bytes_of(header);
        bytes.insert(bytes.end(), head.begin(), head.end());
        bytes.insert(bytes.end(), payload.begin(), payload.end());
    }
    const std::size_t before = peak_bytes();
    Memory got;
    EXPECT_NE(replay_bytes(bytes, got).value_or("").find("contradicts itself"),
              std::string::npos);
    EXPECT_LT(peak_bytes() - before, 2 * bytes.size() + (8U << 20));
}

class Refused : public Damage {
protected:
    void expect_refused(FileHeader header, std::string_view says)
    {
        header.crc = header_crc(header);
        Record bytes = file;
        poke(bytes, 0, header);
        Memory got;
        const auto why = replay_bytes(bytes, got);
        ASSERT_FALSE(why);
        expect_one_line(why.error());
        EXPECT_NE(why.error().message.find(says), std::string::npos) << why.error().message;
        EXPECT_TRUE(got.calls.empty());
    }
    FileHeader header() const { return read_as<FileHeader>(file); }
};

TEST_F(Refused, AnotherVersionNamesBoth)
{
    FileHeader other = header();
    other.format_version = 7;
    expect_refused(other,
                   "has capture format version 7 and record schema 2, this ipcscope reads 2 and 2");
    other = header();
    other.schema = 9;
    expect_refused(other,
                   "has capture format version 2 and record schema 9, this ipcscope reads 2 and 2");
}

/// What the first release recorded.
TEST_F(Refused, VersionOne)
{
    FileHeader other = header();
    other.format_version = 1;
    other.schema = 1;
    expect_refused(other, "has capture format version 1 and record schema 1, this ipcscope "
                          "reads 2 and 2: use the version that recorded it");
}

TEST_F(Refused, TheOtherByteOrder)
{
    FileHeader other = header();
    other.byte_order = kSwappedByteOrder;
    expect_refused(other, "other byte order");
}

TEST_F(Refused, ADamagedFileHeader)
{
    FileHeader other = header();
    other.header_bytes = 31;
    expect_refused(other, "damaged in its first 32 bytes");
    other.header_bytes = 4097;
    expect_refused(other, "damaged in its first 32 bytes");
    other = header();
    other.byte_order = 5;
    expect_refused(other, "damaged in its first 32 bytes");
}

TEST_F(Refused, WhatIsNoCapture)
{
    Memory got;
    for (const std::string& text :
         {std::string{"hello"}, std::string(5000, 'x'), std::string(64, '\0')}) {
        const auto why = replay_bytes(std::as_bytes(std::span{text}), got);
        ASSERT_FALSE(why);
        expect_one_line(why.error());
        EXPECT_NE(why.error().message.find("is not a capture"), std::string::npos);
    }
}

TEST_F(Refused, WhatCannotBeOpened)
{
    Memory got;
    const auto missing = replay(folder / "missing\n", got);
    ASSERT_FALSE(missing);
    expect_one_line(missing.error());  // in spite of the name
    EXPECT_NE(missing.error().message.find("missing\\x0a: No such file"), std::string::npos);
    const auto directory = replay(folder / ".", got);
    ASSERT_FALSE(directory);
    expect_one_line(directory.error());
    EXPECT_NE(directory.error().message.find("is a directory"), std::string::npos);
}

}  // namespace
}  // namespace ipcscope::capture
