// SPDX-License-Identifier: GPL-2.0-only
// Calls on pipes that threads have slept in since before the trace began.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ipcscope/record.h>

#include "source/notes.hpp"
#include "source/options.hpp"
#include "source/proc.hpp"
#include "source/thread_stacks.hpp"

namespace ipcscope::source {

/// A backend records a call that it saw begin.  Of one that began earlier /proc shows:
/// who sleeps in pipe_read(), pipe_write(), or a splice's wait, before the hooks are armed
/// and again after it, and has not run in between (its context switches are the same), has been in one
/// call all along.
class CallsBefore {
public:
    /// Looks a first time; `proc`: where /proc is.
    CallsBefore(const Options& options, ThreadStacks& stacks, std::string proc = "/proc");

    /// Looks again, and appends a record of the call, flagged BEFORE_TRACE and UNFINISHED,
    /// for each thread that still sleeps there.  It has begun at `start_ns` at the latest,
    /// which is the record's times.  @return those calls
    std::vector<ipcscope_call> append(Notes& notes, std::uint64_t start_ns);

    std::size_t size() const { return sleepers_.size(); }   ///< at the first look
    static constexpr std::size_t kMost = 4096;

private:
    struct Sleeper {
        std::uint32_t tgid = 0;
        std::uint64_t switches = 0;    ///< voluntary and not
        std::uint64_t descriptor = 0;
        std::uint64_t bytes = 0;       ///< 0: not known
        std::uint16_t kind = 0;        ///< of the call's record
        std::uint8_t op = 0;
        friend bool operator==(const Sleeper&, const Sleeper&) = default;
    };
    std::optional<Sleeper> look(const Fd& tasks, std::uint32_t tgid, std::uint32_t tid) const;
    bool wanted(const Fd& tasks, std::uint32_t tgid, std::uint32_t tid);
    std::optional<ipcscope_call_split> record(const Sleeper& sleeper, std::uint32_t tid,
                                              std::uint64_t start_ns) const;

    Filters filters_;
    ThreadStacks& stacks_;
    std::string proc_;
    proc::Cgroups cgroups_;
    std::map<std::uint32_t, Sleeper> sleepers_;   ///< by tid
};

}  // namespace ipcscope::source
