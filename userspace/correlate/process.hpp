// SPDX-License-Identifier: GPL-2.0-only
// What is known of a traced process: its pending signals and its threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "correlate/signal_queue.hpp"

namespace ipcscope::correlate {

struct Thread {
    SignalQueue queue;              ///< private pending signals
    std::optional<std::uint64_t> exited_ns;
    bool exec_killed = false;       ///< found SIGKILL because another thread executes

    bool idle() const { return queue.empty() && !exited_ns && !exec_killed; }
};

/// A signal that has left its queue and whose taking was not seen: a debugger may
/// hold the thread that has dequeued it.  signal.end is what it is to be else.
struct Gone {
    Pending pending;
    std::uint64_t time_ns = 0;      ///< it was out of its queue by then
};

class Process {
public:
    using GoneAt = std::vector<Gone>::iterator;

    SignalQueue shared;
    /// Fatal ones that were sent to threads that are gone: one may yet prove to have
    /// ended the process.
    SignalQueue left;
    std::vector<Gone> gone;                 ///< the oldest first; few
    std::optional<std::uint64_t> group_exit_ns;   ///< first seen; no exec's
    std::optional<std::uint64_t> dead_ns;   ///< when its last thread exited

    Thread* find(std::uint32_t tid);
    Thread& thread(std::uint32_t tid) { return threads_[tid]; }
    std::map<std::uint32_t, Thread>& threads() { return threads_; }
    void forget(std::uint32_t tid) { threads_.erase(tid); }

    /// From every queue of the process and its threads.
    std::vector<Pending> take_if(const SignalQueue::Condition& wanted);
    std::vector<Pending> take_signal(unsigned signal);
    std::vector<Pending> take_all();
    /// The newest send of a number that can have ended the process.
    std::optional<Pending> take_fatal(unsigned signal);

    /// execve() by a thread other than the leader: it goes on under the leader's
    /// number, with its own pending signals.
    void become_leader(std::uint32_t tgid, std::uint32_t tid);
    /// The leader acts though it has exited: some thread has become it.
    void leader_is_back(std::uint32_t tgid);

    bool idle() const;

private:
    std::map<std::uint32_t, Thread> threads_;
};

/// A send that ends a process at once, by way of SIGKILL in every thread.
bool ends_group(const SignalInterval& signal);

}  // namespace ipcscope::correlate
