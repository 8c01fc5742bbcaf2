// SPDX-License-Identifier: GPL-2.0-only
// What a running trace is about just now: rows for `ipcscope top`.
#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/changes.hpp"
#include "diagnose/finding.hpp"
#include "diagnose/live_deaths.hpp"

namespace ipcscope::diagnose {

/// One signal from one process to another.
struct TopSignal {
    decode::Task sender;
    decode::Origin origin{};
    decode::Task target;
    unsigned signal = 0;
    std::uint64_t over_ns = 0;   ///< the time in which `added` were sent
    std::uint64_t added = 0;
    std::uint64_t sent = 0;      ///< in the whole trace
    std::uint64_t taken = 0;
    std::uint64_t pending = 0;   ///< queued, and not taken yet
    /// Of those that were taken: from generation to delivery.
    std::uint64_t p50_ns = 0, p99_ns = 0, most_ns = 0;
};

/// One direction of a pipe, socket, queue, ….
struct TopChannel {
    aggregate::ObjectId object;
    decode::ObjectType type{};
    SafeText path;
    decode::Task writer;         ///< of several that which moved most; tgid = 0: none is known
    std::size_t writers = 0;
    decode::Task reader;
    std::size_t readers = 0;
    std::uint64_t over_ns = 0;   ///< the time that these are of; 0: no call has ended
    std::uint64_t bytes = 0;
    std::uint64_t waits = 0;     ///< calls that slept
    std::uint64_t full_ns = 0;   ///< a writer waited
    std::uint64_t empty_ns = 0;  ///< a reader waited
    std::uint64_t quiet_ns = 0;  ///< no call has ended for so long; 0: one has
    std::uint64_t total_bytes = 0;   ///< in the whole trace
    std::uint64_t total_waits = 0;
};

struct LiveTop {
    std::uint64_t start_ns = 0;
    std::uint64_t now_ns = 0;    ///< what is shown is of that time
    bool ended = false;
    std::vector<TopSignal> signals;
    std::vector<TopChannel> channels;
    std::vector<LiveDeath> deaths;   ///< still there or not, all of them
    Findings findings;
    std::string missing;         ///< what else than lost records makes it incomplete; may be empty
};

/// From one snapshot of a running trace after the other; at its end, of the whole trace.
class TopTables {
public:
    /// `report`: as of `now_ns`, later than that of the last call.  While the trace runs, objects
    /// of which all users have ended are left out.
    LiveTop of(const aggregate::Report& report, Findings findings, std::uint64_t now_ns);

private:
    /// Sender, its origin, target, signal.
    using SignalKey = std::tuple<std::uint32_t, decode::Origin, std::uint32_t, unsigned>;

    TopSignal signal(const aggregate::Report& report, const aggregate::SignalRow& row,
                     std::uint64_t now_ns);
    TopChannel channel(const aggregate::Report& report, const aggregate::ChannelRow& row,
                       std::uint64_t now_ns);

    Changes<SignalKey, 1> signals_;
    Changes<aggregate::ObjectId, 4> channels_;
};

}  // namespace ipcscope::diagnose
