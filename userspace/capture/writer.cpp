// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>
#include <poll.h>

#include "capture/capture.hpp"
#include "capture/file.hpp"
#include "capture/payload.hpp"
#include "decode/decode.hpp"

namespace ipcscope::capture {
namespace {

using Bytes = std::span<const std::byte>;
using Clock = std::chrono::steady_clock;

FileHeader file_header()
{
    FileHeader header{};
    header.magic = kMagic;
    header.byte_order = kByteOrder;
    header.header_bytes = sizeof header;
    header.format_version = kFormatVersion;
    header.schema = IPCSCOPE_SCHEMA_VERSION;
    header.crc = header_crc(header);
    return header;
}

/// How many whole records lie in the first `limit` bytes.
struct Run {
    std::size_t bytes = 0;
    std::uint32_t records = 0;
};

Run whole_records(Bytes bytes, std::size_t limit)
{
    Run run;
    while (const std::size_t size = decode::record_size(bytes.subspan(run.bytes))) {
        if (run.bytes + size > limit) break;
        run.bytes += size;
        ++run.records;
    }
    return run;
}

/// Records that a reader finds in blocks of which only `bytes` were written.
std::uint64_t readable_records(Bytes bytes)
{
    std::uint64_t records = 0;
    while (bytes.size() >= sizeof(BlockHeader)) {
        const auto header = read_as<BlockHeader>(bytes);
        if (header.magic != kBlockMagic) break;  // the file's header
        bytes = bytes.subspan(sizeof header);
        const Bytes payload =
            bytes.first(std::min<std::size_t>(header.payload_bytes, bytes.size()));
        if (payload.size() == header.payload_bytes)
            records += header.record_count;
        else if (header.type == kRecords)
            records += whole_records(payload, payload.size()).records;
        bytes = bytes.subspan(payload.size());
    }
    return records;
}

std::string_view write_advice(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT: return "free space or use -o on another filesystem";
    case EFBIG: return "raise the limit (ulimit -f) or use -o on another filesystem";
    case EPIPE: return "its reader has gone: use -o FILE";
    default: return "use -o on another filesystem";
    }
}

}  // namespace

/// Blocks are put together in `out` and written out together.  A run of records of
/// one CPU becomes a block, so that a replay sees the order that we saw.
struct Writer::State {
    State(std::string name, OutputFile output) : path(std::move(name)), file(std::move(output))
    {
    }

    std::string path;
    OutputFile file;
    std::vector<std::byte> out;
    std::optional<std::size_t> block;  ///< where the open block begins in `out`
    std::uint32_t sequence = 0;
    std::uint64_t written = 0;      ///< bytes in the file
    std::uint64_t records = 0;      ///< in the file
    std::uint64_t records_out = 0;  ///< in the closed blocks of `out`
    std::optional<Error> failed;    ///< nothing is written after an error
    Clock::time_point flushed = Clock::now();

    BlockHeader header() const { return read_as<BlockHeader>(Bytes{out}.subspan(*block)); }
    void put(const BlockHeader& header)
    {
        std::memcpy(out.data() + *block, &header, sizeof header);
    }
    std::size_t payload() const { return out.size() - *block - sizeof(BlockHeader); }
    void append(Bytes bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

    void open_block(std::uint16_t type, std::uint16_t cpu);
    void close_block();
    Result<void> append_records(std::uint16_t cpu, Bytes bytes);
    void add_block(std::uint16_t type, Bytes payload, Bytes more = {});
    Result<void> flush();
    int write_out(Bytes& rest);
    void set_failed(int error, Bytes rest);
};

void Writer::State::open_block(std::uint16_t type, std::uint16_t cpu)
{
    BlockHeader header{};
    header.magic = kBlockMagic;
    header.type = type;
    header.cpu = cpu;
    header.sequence = sequence++;
    block = out.size();
    append(bytes_of(header));
}

void Writer::State::close_block()
{
    if (!block) return;
    BlockHeader closed = header();
    closed.payload_bytes = static_cast<std::uint32_t>(payload());
    closed.payload_crc = crc32(Bytes{out}.last(payload()));
    closed.crc = header_crc(closed);
    put(closed);
    records_out += closed.record_count;
    block.reset();
}

Result<void> Writer::State::append_records(std::uint16_t cpu, Bytes bytes)
{
    while (!bytes.empty()) {
        if (block && header().cpu != cpu) close_block();
        if (!block) open_block(kRecords, cpu);
        Run run = whole_records(bytes, kFullPayload - payload());
        // Bytes that are no record are kept, so that decoding counts them; they end
        // their block, because a record after them could not be found.
        const bool junk = decode::record_size(bytes) == 0;
        if (junk) run = {std::min(bytes.size(), kMaxPayload - kFullPayload), 1};
        append(bytes.first(run.bytes));
        bytes = bytes.subspan(run.bytes);
        BlockHeader grown = header();
        grown.record_count += run.records;
        put(grown);
        if (bytes.empty() && !junk && payload() < kFullPayload) break;
        close_block();
        if (out.size() < kFullPayload) continue;
        if (auto wrote = flush(); !wrote) return wrote;
    }
    return {};
}

void Writer::State::add_block(std::uint16_t type, Bytes payload, Bytes more)
{
    close_block();
    open_block(type, 0);
    append(payload);
    append(more);
    close_block();
}

/// Writes until nothing is left of `rest`.  @return 0 or an errno
int Writer::State::write_out(Bytes& rest)
{
    while (!rest.empty()) {
        const ssize_t got = ::write(file.fd(), rest.data(), rest.size());
        if (got > 0) {
            rest = rest.subspan(static_cast<std::size_t>(got));
            written += static_cast<std::uint64_t>(got);
        } else if (got < 0 && errno == EAGAIN) {
            pollfd wait{file.fd(), POLLOUT, 0};
            ::poll(&wait, 1, -1);
        } else if (got == 0 || errno != EINTR) {
            return got == 0 ? EIO : errno;
        }
    }
    return 0;
}

Result<void> Writer::State::flush()
{
    flushed = Clock::now();
    close_block();
    Bytes rest{out};
    if (!failed)
        if (const int error = write_out(rest)) set_failed(error, rest);
    out.clear();
    if (failed) return tl::unexpected(*failed);
    records += records_out;
    records_out = 0;
    return {};
}

void Writer::State::set_failed(int error, Bytes rest)
{
    records += readable_records(Bytes{out}.first(out.size() - rest.size()));
    failed = Error{Exit::input,
                   fmt::format("cannot write {}: {} after {} bytes, {} records can be read: {}",
                               shown_output(path), describe_errno(error), written, records,
                               write_advice(error))};
}

Writer::Writer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Writer::~Writer()
{
    (void)state_->flush();  // a trace that breaks off keeps what it has
}

Result<std::unique_ptr<Writer>> Writer::create(const std::string& path, bool force)
{
    auto file = OutputFile::open(path, force);
    if (!file) return tl::unexpected(file.error());
    auto state = std::make_unique<State>(path, std::move(*file));
    state->append(bytes_of(file_header()));
    if (auto flushed = state->flush(); !flushed) return tl::unexpected(flushed.error());
    return std::unique_ptr<Writer>{new Writer{std::move(state)}};
}

Result<void> Writer::host(const source::Host& host)
{
    const std::string json = host_to_json(host);
    state_->add_block(kHost, std::as_bytes(std::span{json}));
    if (auto flushed = state_->flush(); !flushed) return flushed;
    // Only now is there a trace: a source that does not open replaces nothing.
    return state_->file.commit();
}

Result<void> Writer::records(unsigned cpu, Bytes bytes)
{
    if (state_->failed) return tl::unexpected(*state_->failed);
    auto done = state_->append_records(static_cast<std::uint16_t>(cpu), bytes);
    // A source that waits for its watermark must not hold back the file.
    const bool late = Clock::now() - state_->flushed >= kFlushPeriod;
    return done && late ? state_->flush() : done;
}

Result<void> Writer::watermark(std::uint64_t time_ns)
{
    state_->add_block(kWatermark, bytes_of(time_ns));
    return state_->flush();
}

Result<void> Writer::ledger(const source::Ledger& ledger)
{
    std::size_t first = 0;
    do {
        const std::size_t count = std::min(kLedgerCpusPerBlock, ledger.size() - first);
        const LedgerHeader header{static_cast<std::uint32_t>(first),
                                  static_cast<std::uint32_t>(count),
                                  static_cast<std::uint32_t>(ledger.size()),
                                  IPCSCOPE_KIND_COUNT, IPCSCOPE_LOST_COUNT};
        const auto entries = std::as_bytes(std::span{ledger}.subspan(first, count));
        state_->add_block(kLedger, bytes_of(header), entries);
        if (auto flushed = state_->flush(); !flushed) return flushed;
        first += count;
    } while (first < ledger.size());
    return {};
}

Result<void> Writer::end(std::uint64_t time_ns)
{
    state_->add_block(kEnd, bytes_of(time_ns));
    return state_->flush();
}

std::uint64_t Writer::bytes() const { return state_->written; }
std::uint64_t Writer::count() const { return state_->records; }

}  // namespace ipcscope::capture
