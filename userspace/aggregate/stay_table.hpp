// SPDX-License-Identifier: GPL-2.0-only
// What kept processes from taking signals: stops, debuggers, freezers, D and K sleep, no CPU.
#pragma once

#include <cstdint>
#include <deque>

#include "aggregate/bounded_map.hpp"
#include "aggregate/death.hpp"

namespace ipcscope::aggregate {

class StayTable {
public:
    void slice(const decode::Event& event, const decode::Slice& slice);
    /// Stop signals and SIGCONT.
    void signal(const decode::Event& event, const decode::SignalGenerate& body);
    void forget(std::uint32_t tgid) { processes_.erase(tgid); }

    /// Of all threads of a process between two times; of one where `tid` is not 0.
    Hindrance between(std::uint32_t tgid, std::uint64_t from_ns, std::uint64_t to_ns,
                      std::uint32_t tid = 0) const;

private:
    static constexpr std::size_t kMostProcesses = 4096;
    static constexpr std::size_t kMostStays = 128;   ///< of a process, the newest
    static constexpr std::size_t kMostStops = 16;

    struct Process {
        std::deque<Stay> stays;
        std::deque<Stop> stops;
    };
    BoundedMap<std::uint32_t, Process> processes_{kMostProcesses};
};

}  // namespace ipcscope::aggregate
