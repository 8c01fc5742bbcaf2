// SPDX-License-Identifier: GPL-2.0-only
// What the collector adds to a live trace: threads, holders of pipes, names of
// stack entries, users and cgroups, what processes do that should have ended, whose
// children they are that send such signals.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include <ipcscope/record.h>

#include "base/result.hpp"
#include "source/ancestry.hpp"
#include "source/calls_before.hpp"
#include "source/holders.hpp"
#include "source/id_names.hpp"
#include "source/notes.hpp"
#include "source/observer.hpp"
#include "source/source.hpp"
#include "source/symbols.hpp"
#include "source/thread_stacks.hpp"
#include "source/thread_sweep.hpp"
#include "source/watch.hpp"

namespace ipcscope::source {

class Collector {
public:
    /// Of a trace that began at `start_ns`; `sockets`: Unix-domain sockets are traced.
    Collector(std::unique_ptr<ThreadStacks> stacks, std::unique_ptr<CallsBefore> calls,
              std::uint64_t start_ns, std::uint64_t stuck_after_ns, bool sockets);

    /// Passes on which threads there are, who holds which pipe, and who has slept in a
    /// call on one since before the trace; a portion at a time.  Everything else is
    /// newer: no watermark before it is done.
    Result<void> sweep(Sink& sink, std::chrono::milliseconds portion);
    bool swept() const { return swept_; }

    /// Looks at records before they are passed on: names the stacks in them, and
    /// passes on the names.  `released_ns`: the last watermark.
    Result<void> look_at(Sink& sink, std::span<std::byte> records, std::uint64_t released_ns);

    /// Passes on the holders of what look_at() saw; looks at most now and then,
    /// unless `now`.  No time is later than `last_ns`.
    Result<void> pass_on_holders(Sink& sink, bool now, std::uint64_t last_ns = UINT64_MAX);

    /// Passes on what the processes do that should have ended, where a look is due.
    Result<void> observe(Sink& sink, std::uint64_t released_ns);
    /// Looks a last time, before the trace ends; what it sees goes out with the next
    /// records.
    void observe_all(std::uint64_t released_ns);
    /// When the next look is due; UINT64_MAX: none is.
    std::uint64_t next_look_ns() const { return watch_.next_ns(); }

private:
    void look(const Watch::Target& target, std::uint64_t released_ns);
    void add_observed(const Watch::Target& target, ObservedThread& thread,
                      std::uint64_t time_ns, std::uint64_t released_ns);
    void name_thread(std::uint32_t tgid, std::uint32_t tid, std::uint64_t time_ns);
    void name_stack(ipcscope_kill& kill, std::uint64_t released_ns);
    void name_callers(ipcscope_signal_callers& sent, std::uint64_t released_ns);
    template <typename Record>
    void set_stack(Record& record, const std::vector<Symbols::Named>& names,
                   std::uint64_t released_ns);
    void add_symbol(const Symbols::Named& name, std::uint64_t released_ns);
    void add_names();
    Result<void> pass_on(Sink& sink);

    std::unique_ptr<ThreadStacks> stacks_;
    std::unique_ptr<CallsBefore> calls_;     ///< nullptr: none, or passed on
    std::vector<ipcscope_call> before_;      ///< since before the trace
    std::uint64_t start_ns_;
    Symbols symbols_;
    proc::Cgroups cgroups_;
    ProcessNames names_;
    Holders holders_;
    Watch watch_;
    Observer observer_;
    Ancestry ancestry_;
    IdNames id_names_;
    std::unique_ptr<ThreadSweep> threads_;   ///< nullptr: not begun
    bool swept_ = false;
    Notes notes_;
};

}  // namespace ipcscope::source
