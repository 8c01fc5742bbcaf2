// SPDX-License-Identifier: GPL-2.0-only
// Any file is replayed as far as it is valid, or refused with one line.  If the first
// byte is even, the checksums are repaired first: a fuzzer cannot find valid ones.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.hpp"
#include "capture/capture.hpp"
#include "capture/format.hpp"

using namespace ipcscope;
using namespace ipcscope::capture;

namespace {

void require(bool condition)
{
    if (!condition) std::abort();
}

/// Checks the order that source::Sink promises.
struct Strict final : source::Sink {
    bool host_seen = false;
    bool ended = false;
    std::size_t bytes = 0;

    Result<void> host(const source::Host& host) override
    {
        require(!host_seen && host.cpus <= 65536);
        host_seen = true;
        return {};
    }
    Result<void> records(unsigned cpu, std::span<const std::byte> records) override
    {
        require(host_seen && !ended && cpu <= 0xffff && !records.empty());
        bytes += records.size();
        return {};
    }
    Result<void> watermark(std::uint64_t) override
    {
        require(host_seen && !ended);
        return {};
    }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        require(host_seen && !ended && ledger.size() <= 65536);
        return {};
    }
    Result<void> end(std::uint64_t) override
    {
        require(host_seen && !ended);
        ended = true;
        return {};
    }
};

template <typename Header>
void put(std::span<std::byte> at, Header header)
{
    header.crc = header_crc(header);
    std::memcpy(at.data(), &header, sizeof header);
}

void repair_checksums(std::span<std::byte> file)
{
    if (file.size() < sizeof(FileHeader)) return;
    put(file, read_as<FileHeader>(file));
    file = file.subspan(sizeof(FileHeader));
    std::uint32_t sequence = 0;
    while (file.size() >= sizeof(BlockHeader)) {
        auto header = read_as<BlockHeader>(file);
        header.magic = kBlockMagic;
        header.sequence = sequence++;
        header.payload_bytes = std::min(header.payload_bytes, std::uint32_t{kMaxPayload});
        const auto payload = file.subspan(sizeof header);
        const std::size_t size = std::min<std::size_t>(header.payload_bytes, payload.size());
        header.payload_crc = crc32(payload.first(size));
        put(file, header);
        file = payload.subspan(size);
    }
}

Fd file_of(std::span<const std::byte> bytes)
{
    Fd fd{::memfd_create("fuzz", MFD_CLOEXEC)};
    require(bool{fd});
    require(::write(fd.get(), bytes.data(), bytes.size()) ==
            static_cast<ssize_t>(bytes.size()));
    return fd;
}

void replay(const std::string& path, std::size_t size)
{
    auto reader = Reader::open(path);
    if (!reader) {
        require(reader.error().code == Exit::input);
        require(!reader.error().message.empty());
        require(reader.error().message.find('\n') == std::string::npos);
        return;
    }
    Strict sink;
    for (;;) {
        const auto more = (*reader)->poll(sink, std::chrono::milliseconds{1000});
        require(more.has_value());
        if (!*more) break;
    }
    require(sink.bytes <= size);
    require(sink.ended || !(*reader)->incomplete_why().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0) return 0;
    const auto bytes = std::as_bytes(std::span{data, size});
    std::vector<std::byte> file(bytes.begin() + 1, bytes.end());
    if (data[0] % 2 == 0) repair_checksums(file);
    const Fd fd = file_of(file);
    replay("/proc/self/fd/" + std::to_string(fd.get()), file.size());
    return 0;
}
