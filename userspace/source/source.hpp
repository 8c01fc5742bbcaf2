// SPDX-License-Identifier: GPL-2.0-only
// Where records come from: a backend's rings, or a capture file.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include <ipcscope/ledger.h>

#include "base/collector.hpp"
#include "base/result.hpp"

namespace ipcscope::source {

/// Ledgers of all CPUs, index = CPU number.
using Ledger = std::vector<ipcscope_ledger>;

/// What a reader must know about the traced machine and the trace.
struct Host {
    std::string kernel;        ///< uname -r
    std::string version;       ///< uname -v
    std::string machine;       ///< uname -m
    std::string hostname;
    unsigned cpus = 0;         ///< possible CPUs
    std::string backend;       ///< "bpf" or "kmod"
    std::string tool_version;
    std::vector<std::string> command;  ///< of record -- CMD, else empty
    std::vector<std::string> filters;  ///< as given, "--pid=12"
    std::vector<std::string> hooks;    ///< "signal_generate (tp_btf)"
    std::uint64_t start_ns = 0;        ///< CLOCK_MONOTONIC from when all hooks count
    std::int64_t realtime_offset_ns = 0;  ///< CLOCK_REALTIME - CLOCK_MONOTONIC
};

/// Receives what a source reads, in this order: host once, then records and
/// watermarks as they come, ledgers now and then, end at most once.
class Sink {
public:
    virtual ~Sink() = default;

    virtual Result<void> host(const Host& host) = 0;

    /// Whole records, in ring order, made on `cpu` (kCollector: notes that the
    /// collector added).  The bytes are valid during the call only.
    virtual Result<void> records(unsigned cpu, std::span<const std::byte> bytes) = 0;

    /// Every record made before `time_ns` has been passed on.
    virtual Result<void> watermark(std::uint64_t time_ns) = 0;

    /// The totals so far (cumulative; the newest one counts).
    virtual Result<void> ledger(const Ledger& ledger) = 0;

    /// The trace ended in order at `time_ns` (CLOCK_MONOTONIC).
    virtual Result<void> end(std::uint64_t time_ns) = 0;

    static constexpr unsigned kCollector = kCollectorCpu;
};

class Source {
public:
    virtual ~Source() = default;

    /// Passes on what is there; waits at most `timeout` for more.
    /// @return false at the end of the source, true while more can come.
    virtual Result<bool> poll(Sink& sink, std::chrono::milliseconds timeout) = 0;

    /// Detaches (a live source), passes on what is still in the rings, the
    /// final ledger and the end.  No effect the second time.
    virtual Result<void> finish(Sink& sink) = 0;
};

}  // namespace ipcscope::source
