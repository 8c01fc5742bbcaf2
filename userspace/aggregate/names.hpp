// SPDX-License-Identifier: GPL-2.0-only
// What processes were called last.
#pragma once

#include <cstdint>
#include <unordered_map>

#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// A process has the name of its leader; a thread's stands in until the
/// leader is seen.  execve() changes names, so the last one counts.
class Names {
public:
    void note(const decode::Task& task)
    {
        Name& name = names_[task.tgid];
        const bool leader = task.tid == task.tgid;
        if (task.comm.empty() || (name.of_leader && !leader)) return;
        name = {task.comm, leader};
    }

    /// The process as a row shows it: without a thread.
    decode::Task process(std::uint32_t tgid) const
    {
        const auto at = names_.find(tgid);
        return {tgid, 0, at == names_.end() ? SafeText{} : at->second.comm};
    }

private:
    struct Name {
        SafeText comm;
        bool of_leader = false;
    };
    std::unordered_map<std::uint32_t, Name> names_;
};

}  // namespace ipcscope::aggregate
