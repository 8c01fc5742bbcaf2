// SPDX-License-Identifier: GPL-2.0-only
// What is known of each thread at the time that events have come to.
#pragma once

#include <cstdint>
#include <vector>

#include "base/number_map.hpp"
#include "decode/event.hpp"

namespace ipcscope::decode {

/// Reads THREAD records in the order of time, and names the threads in every event
/// as they were called at its time.  After a loss a name is "not known" rather than
/// a wrong one: the backend repeats a THREAD record that was lost.
class ThreadTable {
public:
    struct Known {
        std::uint64_t time_ns = 0;   ///< of the THREAD record
        std::uint32_t tgid = 0;
        std::uint32_t ppid = 0;
        std::uint32_t ns_pid = 0;
        std::uint32_t uid = 0;
        std::uint64_t start_ns = 0;
        std::uint64_t cgroup = 0;
        Comm comm;
    };

    /// Takes what a THREAD record says, fills event.task.comm, event.process and
    /// event.target.comm, and forgets a thread that was freed.
    void stamp(Event& event);

    /// nullptr where nothing is known.
    const Known* find(std::uint32_t tid) const { return threads_.find(tid); }
    std::size_t size() const { return threads_.size(); }

private:
    void learn(const Event& event, const Thread& body);
    bool lost_before(const Event& event);
    Comm name(std::uint32_t tgid, std::uint32_t tid, std::uint64_t since_ns) const;

    NumberMap<Known> threads_;          ///< by tid
    std::vector<std::uint64_t> lost_;   ///< by CPU: its newest lost_before
};

}  // namespace ipcscope::decode
