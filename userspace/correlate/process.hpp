// SPDX-License-Identifier: GPL-2.0-only
// What is known of a traced process: its pending signals and its threads.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "correlate/signal_queue.hpp"

namespace ipcscope::correlate {

/// A dequeue that waits for what follows: a delivery, or not.
struct Held {
    std::uint64_t time_ns = 0;
    Task receiver;
    unsigned signal = 0;
    Identity identity;
    std::vector<Pending> signals;   ///< none: no generation was seen
    bool traced = false;            ///< a debugger has stopped the thread meanwhile
};

struct Thread {
    SignalQueue queue;              ///< private pending signals
    std::optional<Held> held;
    std::optional<std::uint64_t> exited_ns;

    bool idle() const { return queue.empty() && !held && !exited_ns; }
};

/// When and where the group exit was first seen.
struct GroupExit {
    std::uint64_t time_ns = 0;
    Task receiver;
};

class Process {
public:
    SignalQueue shared;
    std::optional<GroupExit> group_exit;
    unsigned ended_by = 0;          ///< the signal that ends it; 0: none is known
    std::optional<std::uint64_t> dead_ns;   ///< when its last thread exited

    Thread* find(std::uint32_t tid);
    Thread& thread(std::uint32_t tid) { return threads_[tid]; }
    std::map<std::uint32_t, Thread>& threads() { return threads_; }
    void forget(std::uint32_t tid) { threads_.erase(tid); }

    /// From every queue of the process.
    std::vector<Pending> take_if(const std::function<bool(const Pending&)>& wanted);
    std::vector<Pending> take_signal(unsigned signal);
    std::vector<Pending> take_all();

    /// execve() by a thread other than the leader: it goes on under the leader's
    /// number, with its own pending signals.
    void become_leader(std::uint32_t tgid, std::uint32_t tid);
    /// The leader acts though it has exited: some thread has become it.
    void leader_is_back(std::uint32_t tgid);

    bool idle() const;

private:
    std::map<std::uint32_t, Thread> threads_;
};

/// Sends that end a process at once, by way of SIGKILL in every thread.
bool ends_group(const SignalInterval& signal);

/// To the process, blocked by the thread that was looked at, and fatal if
/// another thread took it.
bool may_end_group(const SignalInterval& signal);

}  // namespace ipcscope::correlate
