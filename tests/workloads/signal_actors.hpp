// SPDX-License-Identifier: GPL-2.0-only
// Targets that signal workloads share.
#pragma once

#include <csignal>

#include "workload.hpp"

namespace ipcscope::workload {

inline constexpr int kRtMin = 32;   ///< the kernel's; glibc keeps 32 and 33 for itself

/// Blocks or unblocks all signals of the calling thread, 32 and 33 too.
void block_all_signals(bool block);

/// Counts in shared->handled, nothing else.
void handle(int signal, int flags);
/// Makes `shared` known to the handlers of this process.
void count_in(Shared* shared);

/// A target: `prepare` runs, then it sleeps (S) until it is killed, woken by its
/// handlers only.  Returns once it sleeps.
pid_t sleeper(Shared* shared, const char* comm, const std::function<void()>& prepare);

/// Sends by `send` until it was sent `count` times, each time to a target that
/// sleeps again.
void one_by_one(Shared* shared, pid_t target_tid, unsigned count,
                const std::function<void(unsigned)>& send);

void queue_value(pid_t pid, int signal, std::uint64_t value, bool must_work = true);
void tgkill_(pid_t tgid, pid_t tid, int signal);
void kill_and_reap(pid_t pid);

// Groups of sections, one file each.
void send_plain(pid_t director);      // signal_plain.cpp
void send_by_outcome();               // signal_outcomes.cpp
void send_from_kernel();              // signal_kernel.cpp
void send_fatal();                    // signal_fatal.cpp

}  // namespace ipcscope::workload
