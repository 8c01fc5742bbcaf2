// SPDX-License-Identifier: GPL-2.0-only
// The report as a value: what every renderer shows, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.hpp"
#include "correlate/interval.hpp"
#include "source/source.hpp"

namespace ipcscope::aggregate {

using decode::Task;

struct SignalRow {
    unsigned signal = 0;
    Task sender;     ///< tid = 0: rows are per process
    Task target;
    decode::Origin origin{};
    std::array<std::uint64_t, IPCSCOPE_RESULT_COUNT> outcomes{};  ///< by Outcome
    std::uint64_t to_handler = 0;
    std::uint64_t by_default = 0;
    std::uint64_t accepted = 0;      ///< sigwait, signalfd
    std::uint64_t died = 0;
    std::uint64_t pending = 0;       ///< unmatched, by reason
    std::uint64_t target_exited = 0;
    std::uint64_t unseen = 0;
    std::uint64_t flushed = 0;       ///< discarded by the kernel (SIGCONT against SIGSTOP)
    std::uint64_t to_unkillable = 0; ///< ignored because target is its namespace's init
    std::uint64_t first_ns = 0;      ///< when the first of them was generated
    std::uint64_t last_ns = 0;       ///< when the last of them was generated
    Histogram latency;               ///< generation → delivery
};
// Invariant: outcomes[delivered] + outcomes[info_lost]
//            == latency.count() + pending + target_exited + unseen + flushed

/// Calls of a kernel function.
struct CallRow {
    std::string name;   ///< "send", "get_signal"
    std::uint64_t count = 0;
    Histogram latency;
};

struct PipeSide {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t runqueue_ns = 0;
    std::uint64_t uninterruptible_ns = 0;
    std::uint64_t blocked_count = 0;   ///< calls that slept on full or empty
    std::uint64_t nonblocking = 0;
    std::uint64_t eagain = 0;
    std::uint64_t epipe = 0;           ///< writes: no reader left
    std::uint64_t eof = 0;             ///< reads: no writer left, 0 bytes
    std::uint64_t interrupted = 0;     ///< ended by a signal
    std::uint64_t errors = 0;          ///< any other -errno
    std::uint64_t unfinished = 0;      ///< still inside when the trace ended
    Histogram latency;                 ///< of finished calls
};

struct PipeEndRow {
    Task task;                         ///< tid = 0: per process
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocked_ns = 0;
    bool holds_only = false;           ///< open, but no call was seen
};

struct PipeRow {
    bool fifo = false;
    std::uint64_t inode = 0;
    std::uint32_t dev = 0;
    std::string path;                  ///< of a FIFO where known; safe text
    std::uint32_t ring_slots = 0;      ///< the largest seen
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    PipeSide reads;
    PipeSide writes;
    std::uint64_t full_ns = 0;         ///< time in which a writer was blocked
    std::uint64_t empty_ns = 0;        ///< time in which a reader was blocked
    /// Occupancy at entry of each call, in eighths of the ring: [0] empty, …,
    /// [8] full.
    std::array<std::uint64_t, 9> occupancy{};
    std::vector<PipeEndRow> readers;
    std::vector<PipeEndRow> writers;
};

/// A process between pipes.
struct StageRow {
    Task task;
    std::vector<std::uint64_t> reads_from;   ///< inodes
    std::vector<std::uint64_t> writes_to;
    std::uint64_t span_ns = 0;               ///< first call's entry → last call's exit
    std::uint64_t waiting_for_input_ns = 0;  ///< blocked reading
    std::uint64_t waiting_for_output_ns = 0; ///< blocked writing
    std::uint64_t own_ns = 0;                ///< the rest: its own work, or its sleep
    unsigned rank = 0;                       ///< the most pipes between it and a first stage
};

/// Stages that are joined by pipes, by rank; those of one rank stand side by side.
struct Pipeline {
    std::vector<StageRow> stages;
    std::optional<std::size_t> bottleneck;   ///< index into stages: the others wait for it
};

struct LossRow {
    std::string cause;
    std::uint64_t count = 0;
};

struct CpuLoss {
    unsigned cpu = 0;
    std::string cause;
    std::string kind;
    std::uint64_t count = 0;
};

struct LossLedger {
    std::uint64_t generated = 0;   ///< shown + filtered + lost
    std::uint64_t shown = 0;       ///< events that reached this report
    std::uint64_t filtered = 0;
    std::vector<LossRow> lost;     ///< every cause, also those with 0
    std::vector<CpuLoss> by_cpu;   ///< only those that are not 0
    std::map<std::string, std::array<std::uint64_t, 4>> kinds;
                                   ///< kind → generated, shown, filtered, lost
    std::uint64_t malformed = 0;   ///< records that could not be decoded
    std::uint64_t late = 0;        ///< events out of order beyond the window
    bool exact = false;            ///< generated = shown + filtered + lost holds
};

struct Report {
    source::Host host;
    bool complete = true;          ///< false: the capture has no end
    std::string incomplete_why;
    std::uint64_t end_ns = 0;
    std::vector<SignalRow> signals;     ///< most latency-relevant first: by count, descending
    std::vector<CallRow> calls;
    std::vector<PipeRow> pipes;         ///< by bytes, descending
    std::vector<Pipeline> pipelines;
    std::vector<correlate::KillInterval> kills;  ///< by time
    std::uint64_t orphans_group_exit = 0;
    std::uint64_t orphans_unknown = 0;
    LossLedger loss;
};

}  // namespace ipcscope::aggregate
