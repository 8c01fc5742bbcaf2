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

/// Keeps the sum of a time and a timeout from overflowing.
constexpr std::chrono::hours kLongest{24};

enum class Fill { ready, waiting, ended, failed };

/// Reads ahead, but never more than is asked for: what follows on a pipe may have
/// yet to be made.
class Input {
public:
    explicit Input(Fd fd) : fd_(std::move(fd)) {}

    /// Reads until `size` bytes are there; nullopt as deadline: waits forever.
    Fill fill(std::size_t size, std::optional<Clock::time_point> deadline);

    Bytes bytes() const { return buffer_; }
    std::uint64_t offset() const { return offset_; }  ///< of bytes() in the file
    std::uint64_t end() const { return offset_ + buffer_.size(); }
    int error() const { return error_; }
    void consume();

private:
    // Grown by what arrives, not by what a header announces.
    static constexpr std::size_t kChunk = 1U << 16;

    Fd fd_;
    std::vector<std::byte> buffer_;
    std::uint64_t offset_ = 0;
    int error_ = 0;
};

/// @return as poll(2): positive where a read will not wait
int wait_readable(int fd, std::optional<Clock::time_point> deadline)
{
    std::int64_t left_ms = -1;
    if (deadline) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(*deadline - Clock::now());
        left_ms = std::clamp<std::int64_t>(left.count(), 0, INT32_MAX);
    }
    pollfd wait{fd, POLLIN, 0};
    return ::poll(&wait, 1, static_cast<int>(left_ms));
}

Fill Input::fill(std::size_t size, std::optional<Clock::time_point> deadline)
{
    // A signal ends the wait, so that the caller can look whether it is to stop.
    const auto broken_off = [&] {
        error_ = errno;
        const bool passes = error_ == EINTR || error_ == EAGAIN;
        return passes && deadline ? Fill::waiting : Fill::failed;
    };
    while (buffer_.size() < size) {
        const int ready = wait_readable(fd_.get(), deadline);
        if (ready == 0) return Fill::waiting;
        if (ready < 0) return broken_off();
        const std::size_t had = buffer_.size();
        buffer_.resize(had + std::min(size - had, kChunk));
        const ssize_t got = ::read(fd_.get(), buffer_.data() + had, buffer_.size() - had);
        const Fill failure = got < 0 ? broken_off() : Fill::ready;
        buffer_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        if (got < 0) return failure;
        if (got == 0) return Fill::ended;
    }
    return Fill::ready;
}

void Input::consume()
{
    offset_ += buffer_.size();
    buffer_.clear();
}

tl::unexpected<Error> bad_input(const std::string& path, std::string_view what)
{
    return fail(Exit::input, fmt::format("{} {}", shown_input(path), what));
}

Result<void> check_size(const std::string& path, Bytes bytes)
{
    if (bytes.size() >= sizeof(FileHeader)) return {};
    if (bytes.empty())
        return bad_input(path, "is empty: nothing was recorded, record it again");
    const std::size_t compared = std::min(bytes.size(), kMagic.size());
    if (std::memcmp(bytes.data(), kMagic.data(), compared) != 0)
        return bad_input(path, "is not a capture: give a file that `ipcscope record -o` made");
    return bad_input(path,
                     fmt::format("is cut at byte {}, inside the file header: nothing in it "
                                 "can be read, record it again",
                                 bytes.size()));
}

Result<FileHeader> check_header(const std::string& path, Bytes bytes)
{
    if (auto size = check_size(path, bytes); !size) return tl::unexpected(size.error());
    const auto header = read_as<FileHeader>(bytes);
    if (header.magic != kMagic)
        return bad_input(path, "is not a capture: give a file that `ipcscope record -o` made");
    if (header.byte_order == kSwappedByteOrder)
        return bad_input(path,
                         "was recorded on a machine of the other byte order: read it on one "
                         "like it");
    if (header.byte_order != kByteOrder || header.crc != header_crc(header) ||
        header.header_bytes < sizeof header || header.header_bytes > kMaxHeaderBytes)
        return bad_input(path,
                         "is damaged in its first 32 bytes (the file header): nothing in it "
                         "can be read, record it again");
    if (header.format_version != kFormatVersion || header.schema != IPCSCOPE_SCHEMA_VERSION)
        return bad_input(
            path,
            fmt::format("has capture format version {} and record schema {}, this ipcscope "
                        "reads {} and {}: use the version that recorded it",
                        header.format_version, header.schema, kFormatVersion,
                        IPCSCOPE_SCHEMA_VERSION));
    return header;
}

}  // namespace

struct Reader::State {
    State(std::string name, Fd fd) : path(std::move(name)), input(std::move(fd)) {}

    std::string path;
    Input input;
    std::uint32_t sequence = 0;
    bool host_seen = false;
    bool end_seen = false;
    bool done = false;
    std::string incomplete_why;
    LedgerReader ledger;

    /// Nothing is read behind this.
    void damaged(std::string_view how)
    {
        done = true;
        incomplete_why = fmt::format("damaged at byte {}: {}; everything before it is shown",
                                     input.offset(), how);
    }

    Result<void> step(source::Sink& sink, Clock::time_point deadline, bool& pause);
    Result<void> block(source::Sink& sink, Clock::time_point deadline, bool& pause);
    Result<void> broke_off(source::Sink& sink, Fill why, bool& pause);
    bool check(const BlockHeader& header);
    Result<void> dispatch(source::Sink& sink, const BlockHeader& header, Bytes payload);

    Result<void> pass_host(source::Sink& sink, const BlockHeader& header, Bytes payload);
    Result<void> pass_records(source::Sink& sink, const BlockHeader& header, Bytes payload);
    Result<void> pass_watermark(source::Sink& sink, const BlockHeader& header, Bytes payload);
    Result<void> pass_ledger(source::Sink& sink, const BlockHeader& header, Bytes payload);
    Result<void> pass_end(source::Sink& sink, const BlockHeader& header, Bytes payload);
};

Result<void> Reader::State::pass_host(source::Sink& sink, const BlockHeader&, Bytes payload)
{
    const auto host =
        host_from_json({reinterpret_cast<const char*>(payload.data()), payload.size()});
    if (!host)
        damaged("the description of the host cannot be read");
    else if (std::exchange(host_seen, true))
        damaged("a second description of the host");
    else
        return sink.host(*host);
    return {};
}

Result<void> Reader::State::pass_records(source::Sink& sink, const BlockHeader& header,
                                         Bytes payload)
{
    if (payload.empty()) return {};
    return sink.records(header.cpu, payload);
}

Result<void> Reader::State::pass_watermark(source::Sink& sink, const BlockHeader&,
                                           Bytes payload)
{
    if (payload.size() == sizeof(std::uint64_t))
        return sink.watermark(read_as<std::uint64_t>(payload));
    damaged("a watermark of the wrong size");
    return {};
}

Result<void> Reader::State::pass_ledger(source::Sink& sink, const BlockHeader&, Bytes payload)
{
    switch (ledger.add(payload)) {
    case LedgerReader::Status::complete: return sink.ledger(ledger.ledger());
    case LedgerReader::Status::unknown_ids:
        damaged("a ledger with more kinds or causes than this ipcscope knows, use a newer one");
        break;
    case LedgerReader::Status::damaged: damaged("a ledger that contradicts itself"); break;
    case LedgerReader::Status::more: break;
    }
    return {};
}

Result<void> Reader::State::pass_end(source::Sink& sink, const BlockHeader&, Bytes payload)
{
    if (payload.size() != sizeof(std::uint64_t)) {
        damaged("an end of the wrong size");
        return {};
    }
    end_seen = true;
    return sink.end(read_as<std::uint64_t>(payload));
}

Result<void> Reader::State::dispatch(source::Sink& sink, const BlockHeader& header,
                                     Bytes payload)
{
    using Pass = Result<void> (State::*)(source::Sink&, const BlockHeader&, Bytes);
    static constexpr std::array<Pass, 6> kPass{
        nullptr,
        &State::pass_host,
        &State::pass_records,
        &State::pass_watermark,
        &State::pass_ledger,
        &State::pass_end,
    };
    static_assert(kPass.size() == kTypeCount);

    // An unknown type only adds data; a change of meaning of the other types raises
    // the capture format version.
    if (header.type == 0 || header.type >= kPass.size()) return {};
    if (!host_seen && header.type != kHost) {
        damaged("the description of the host is missing");
        return {};
    }
    return (this->*kPass[header.type])(sink, header, payload);
}

/// False where the header at input.offset() is not to be trusted.
bool Reader::State::check(const BlockHeader& header)
{
    if (header.magic != kBlockMagic)
        damaged("no block begins there");
    else if (header.crc != header_crc(header))
        damaged("the checksum of a block header does not match");
    else if (header.payload_bytes > kMaxPayload)
        damaged("a block larger than the format allows");
    else if (header.sequence != sequence)
        damaged("a block is missing or repeated");
    return !done;
}

/// The input ended, or failed, or has nothing more yet, inside or before a block.
Result<void> Reader::State::broke_off(source::Sink& sink, Fill why, bool& pause)
{
    pause = true;
    if (why == Fill::waiting) return {};
    done = true;
    if (why == Fill::failed)
        incomplete_why =
            fmt::format("cannot be read at byte {}: {}; everything before it is shown",
                        input.end(), describe_errno(input.error()));
    else
        incomplete_why = fmt::format(
            "cut at byte {}: the trace's end is missing; everything before it is shown",
            input.end());
    if (input.bytes().size() <= sizeof(BlockHeader)) return {};

    // The header is sound; its whole records are good as far as the file shows.
    const auto header = read_as<BlockHeader>(input.bytes());
    if (header.type != kRecords || !host_seen) return {};
    const Bytes payload = input.bytes().subspan(sizeof header);
    std::size_t whole = 0;
    while (const std::size_t size = decode::record_size(payload.subspan(whole))) whole += size;
    return pass_records(sink, header, payload.first(whole));
}

Result<void> Reader::State::block(source::Sink& sink, Clock::time_point deadline, bool& pause)
{
    const Fill begun = input.fill(sizeof(BlockHeader), deadline);
    if (begun != Fill::ready) return broke_off(sink, begun, pause);
    const auto header = read_as<BlockHeader>(input.bytes());
    if (!check(header)) return {};

    const Fill filled = input.fill(sizeof header + header.payload_bytes, deadline);
    if (filled != Fill::ready) return broke_off(sink, filled, pause);
    const Bytes payload = input.bytes().subspan(sizeof header);
    if (header.payload_crc != crc32(payload)) {
        damaged("the checksum of a block does not match");
        return {};
    }
    ++sequence;
    pause = header.type == kWatermark;
    auto passed = dispatch(sink, header, payload);
    input.consume();
    return passed;
}

/// One block, or behind the last one a check that it is the last.
Result<void> Reader::State::step(source::Sink& sink, Clock::time_point deadline, bool& pause)
{
    if (!end_seen) return block(sink, deadline, pause);
    const Fill filled = input.fill(1, deadline);
    if (filled == Fill::waiting)
        pause = true;
    else if (filled == Fill::ready)
        damaged("more follows the trace's end");
    else
        done = true;
    return {};
}

Reader::Reader(std::unique_ptr<State> state) : state_(std::move(state)) {}
Reader::~Reader() = default;

Result<std::unique_ptr<Reader>> Reader::open(const std::string& path)
{
    auto fd = open_input(path);
    if (!fd) return tl::unexpected(fd.error());
    auto state = std::make_unique<State>(path, std::move(*fd));
    Input& input = state->input;
    if (input.fill(sizeof(FileHeader), std::nullopt) == Fill::failed)
        return fail(Exit::input,
                    fmt::format("cannot read {}: {}: copy it to another disk first",
                                shown_input(path), describe_errno(input.error())));
    const auto header = check_header(path, input.bytes());
    if (!header) return tl::unexpected(header.error());
    // What a later version adds to the header is skipped.
    if (input.fill(header->header_bytes, std::nullopt) != Fill::ready)
        return bad_input(path,
                         fmt::format("is cut at byte {}, inside the file header: nothing in "
                                     "it can be read, record it again",
                                     input.end()));
    input.consume();
    return std::unique_ptr<Reader>{new Reader{std::move(state)}};
}

/// Up to the next watermark or the end of the time, so that a caller sees a long
/// file step by step.
Result<bool> Reader::poll(source::Sink& sink, std::chrono::milliseconds timeout)
{
    const auto deadline = Clock::now() + std::min<std::chrono::milliseconds>(timeout, kLongest);
    bool pause = false;
    while (!state_->done && !pause) {
        if (auto stepped = state_->step(sink, deadline, pause); !stepped)
            return tl::unexpected(stepped.error());
        pause = pause || Clock::now() >= deadline;
    }
    return !state_->done;
}

Result<void> Reader::finish(source::Sink&)
{
    if (std::exchange(state_->done, true)) return {};
    if (!state_->end_seen)
        state_->incomplete_why =
            fmt::format("left at byte {}: the rest was not read; everything before it is shown",
                        state_->input.offset());
    return {};
}

const std::string& Reader::incomplete_why() const { return state_->incomplete_why; }

}  // namespace ipcscope::capture
