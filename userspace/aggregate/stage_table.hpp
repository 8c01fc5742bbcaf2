// SPDX-License-Identifier: GPL-2.0-only
// Processes between pipes: where their time went, and what they waited for.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_set>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/busy_time.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {

/// Time from one record to another.
struct Window {
    std::uint64_t start_ns = UINT64_MAX;
    std::uint64_t end_ns = 0;

    void cover(std::uint64_t from_ns, std::uint64_t to_ns);
    bool empty() const { return start_ns >= end_ns; }
    /// Half of it, at least, is inside of `other`.
    bool mostly_in(const Window& other) const;
};

/// A stage is judged by those of its threads that read or write pipes.  Several may
/// wait at the same time: its waiting is the union of theirs, so that a stage is
/// never longer idle than it lived.  What such a thread did before its first call
/// and after its last one counts where the pipeline was in use meanwhile.
class StageTable {
public:
    /// `use`: nullptr where it waited for what is no channel.
    void call(const decode::Event& event, const decode::Call& call, const ChannelUse* use,
              const TimeLedger::Entry& entry);
    /// The end of a thread, or of the trace.
    /// Any other call: where its thread is one of a stage, its time is the stage's.
    void other_call(const decode::Event& event, const TimeLedger::Entry& entry);
    void time(const decode::Event& event, const decode::ThreadTime& time,
              const TimeLedger::Entry& entry);

    /// The process's row, without its pipes.  `others`: when the other stages of its
    /// pipeline made calls.
    StageRow row(std::uint32_t tgid, const Window& others) const;

    /// From its first call's entry to its last call's exit.
    Window calls(std::uint32_t tgid) const;

private:
    /// Before the first call, or after the last one.
    struct Edge {
        Window when;
        Time time;
        void add(std::uint64_t from_ns, std::uint64_t to_ns, const Time& more);
    };
    struct Stage {
        Task task;
        std::unordered_set<std::uint32_t> threads;   ///< that made calls
        std::optional<std::uint32_t> last_tid;       ///< one of them
        Window calls;
        BusyTime input;
        BusyTime output;
        BusyTime waiting;   ///< for either, or what it did is not known
        Time time;
        Edge head;
        Edge tail;
    };
    static constexpr std::size_t kMostThreads = 4096;   ///< of a stage
    BoundedMap<std::uint32_t, Stage> stages_{kMostProcesses};
};

}  // namespace ipcscope::aggregate
