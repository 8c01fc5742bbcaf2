// SPDX-License-Identifier: GPL-2.0-only
// When processes were stopped, held by a debugger, or frozen; and by whose signals.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

class StopTable {
public:
    void slice(const decode::Event& event, const decode::Slice& slice);
    void generate(const decode::Event& event, const decode::SignalGenerate& signal);

    std::vector<StopRow> rows() const;   ///< by process, then by time
    std::uint64_t evicted() const;

    static constexpr std::size_t kMostOfProcess = 64;   ///< stops, the longest
    static constexpr std::size_t kMostSignals = 16;     ///< the newest

private:
    /// A signal that stops, or SIGCONT.
    struct Sent {
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        unsigned signal = 0;
        Task sender;
        decode::Origin origin{};
        std::uint32_t terminal = 0;
    };
    struct Process {
        std::vector<StopRow> stops;
        std::deque<Sent> stopping;
        std::deque<Sent> continuing;
        std::uint64_t evicted = 0;
    };
    static void add(Process& process, StopRow stop);
    static StopRow with_signals(const Process& process, StopRow stop);

    BoundedMap<std::uint32_t, Process> processes_{kMostProcesses};
};

}  // namespace ipcscope::aggregate
