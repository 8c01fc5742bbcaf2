// SPDX-License-Identifier: GPL-2.0-only
// The capture file: format in docs/capture-format.md.
#pragma once

#include <memory>
#include <string>

#include "source/source.hpp"

namespace ipcscope::capture {

/// Writes what it receives, and flushes at each watermark and ledger, and each second
/// (kFlushPeriod): if the writer is killed, the file has the rest.  It is created 0600,
/// never through a symbolic link; an existing capture is kept as FILE.old, or replaced
/// where `force`; both only once host() was called: a trace that never began leaves
/// nothing behind.
class Writer final : public source::Sink {
public:
    static Result<std::unique_ptr<Writer>> create(const std::string& path, bool force);
    ~Writer() override;

    Result<void> host(const source::Host& host) override;
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t time_ns) override;
    Result<void> ledger(const source::Ledger& ledger) override;
    Result<void> end(std::uint64_t time_ns) override;

    std::uint64_t bytes() const;  ///< written so far
    std::uint64_t count() const;  ///< records written so far

private:
    struct State;
    explicit Writer(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

/// A regular file that begins as a capture does; it may be of another version, or damaged.
bool is_capture(const std::string& path);

/// Replays a capture file; memory is bounded by the largest block, which is
/// bounded by the format.  Reads from a pipe or "-" (standard input) too.
class Reader final : public source::Source {
public:
    /// Fails (Exit::input) where the file is none of ours or of another version.
    static Result<std::unique_ptr<Reader>> open(const std::string& path);
    ~Reader() override;

    Result<bool> poll(source::Sink& sink, std::chrono::milliseconds timeout) override;
    Result<void> finish(source::Sink& sink) override;

    /// Why the file is incomplete or damaged ("cut at byte 1234: …"); empty
    /// where it ended in order.  Valid once poll() returned false.
    const std::string& incomplete_why() const;

private:
    struct State;
    explicit Reader(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace ipcscope::capture
