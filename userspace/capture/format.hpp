// SPDX-License-Identifier: GPL-2.0-only
// The capture file's bytes; the prose is in docs/capture-format.md.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <ipcscope/ledger.h>

namespace ipcscope::capture {

/// The capture format version: the layout of the file.  IPCSCOPE_SCHEMA_VERSION is that
/// of the records, IPCSCOPE_TRANSPORT_VERSION that of the kernel module's device.
inline constexpr std::uint16_t kFormatVersion = 2;

/// Not ASCII, and with both line ends, so that a text-mode transfer shows.
inline constexpr std::array<unsigned char, 8> kMagic{0x89, 'I',  'P',  'C',
                                                     '\r', '\n', 0x1a, '\n'};
inline constexpr std::uint32_t kByteOrder = 0x0a0b0c0d;
inline constexpr std::uint32_t kSwappedByteOrder = 0x0d0c0b0a;

/// Its first 32 bytes mean the same in every version of the format.
struct FileHeader {
    std::array<unsigned char, 8> magic;
    std::uint32_t byte_order;
    std::uint16_t header_bytes;  ///< where the first block begins
    std::uint16_t format_version;
    std::uint16_t schema;
    std::uint16_t reserved[3];
    std::uint32_t reserved_too;
    std::uint32_t crc;  ///< of the 28 bytes before it
};
static_assert(sizeof(FileHeader) == 32 && offsetof(FileHeader, crc) == 28);
inline constexpr std::size_t kMaxHeaderBytes = 4096;

inline constexpr std::uint32_t kBlockMagic = 0x6b6c4249;  // "IBlk", little endian

inline constexpr std::uint16_t kHost = 1;
inline constexpr std::uint16_t kRecords = 2;
inline constexpr std::uint16_t kWatermark = 3;
inline constexpr std::uint16_t kLedger = 4;
inline constexpr std::uint16_t kEnd = 5;
inline constexpr std::uint16_t kTypeCount = 6;

struct BlockHeader {
    std::uint32_t magic;
    std::uint16_t type;
    std::uint16_t cpu;  ///< of RECORDS; else 0
    std::uint32_t payload_bytes;
    std::uint32_t record_count;  ///< of RECORDS; else 0
    std::uint32_t sequence;      ///< 0, 1, 2, …: shows a block that is missing
    std::uint32_t reserved;
    std::uint32_t payload_crc;
    std::uint32_t crc;  ///< of the 28 bytes before it
};
static_assert(sizeof(BlockHeader) == 32 && offsetof(BlockHeader, crc) == 28);

/// What bounds a reader's memory.
inline constexpr std::size_t kMaxPayload = 1U << 20;
/// What a writer aims at: large enough to be cheap, small enough to lose little.
inline constexpr std::size_t kFullPayload = 1U << 18;
/// What a writer that is killed loses at most.
inline constexpr std::chrono::milliseconds kFlushPeriod{1000};

/// Of HOST, in bytes of UTF-8: each text, and each list with one byte more for
/// each of its texts.  A writer cuts, a reader refuses.
inline constexpr std::size_t kMaxHostText = 4096;
inline constexpr std::size_t kMaxHostList = 32768;

/// Begins the payload of a LEDGER block; u64 values follow: of every CPU, of
/// every kind, emitted, filtered and lost by cause; then the CPU's lost.
struct LedgerHeader {
    std::uint32_t first_cpu;  ///< a large ledger is cut into several blocks
    std::uint32_t cpu_count;  ///< CPUs in this block
    std::uint32_t cpu_total;
    std::uint16_t kind_count;
    std::uint16_t cause_count;
};
static_assert(sizeof(LedgerHeader) == 16);
inline constexpr std::uint32_t kMaxCpus = 1U << 16;
/// What this version of the format has had from its first day; never fewer.
inline constexpr std::uint16_t kLeastKinds = 16;
inline constexpr std::uint16_t kLeastCauses = 6;
static_assert(kLeastKinds <= IPCSCOPE_KIND_COUNT && kLeastCauses <= IPCSCOPE_LOST_COUNT);

/// CRC-32 as zlib, gzip and PNG compute it.
std::uint32_t crc32(std::span<const std::byte> bytes);

template <typename T>
std::span<const std::byte> bytes_of(const T& value)
{
    return std::as_bytes(std::span{&value, 1});
}

/// CRC over a header's bytes before its crc, which is the last field.
template <typename Header>
std::uint32_t header_crc(const Header& header)
{
    return crc32(bytes_of(header).first(offsetof(Header, crc)));
}

/// Copies a T from where it may not be aligned; the caller has checked the size.
template <typename T>
T read_as(std::span<const std::byte> bytes)
{
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
}

}  // namespace ipcscope::capture
