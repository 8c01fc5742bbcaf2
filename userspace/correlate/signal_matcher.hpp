// SPDX-License-Identifier: GPL-2.0-only
// Generated signals → how they ended.  The rules are in docs/matching.md.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>

#include "correlate/loss_clock.hpp"
#include "correlate/process.hpp"

namespace ipcscope::correlate {

class SignalMatcher {
public:
    using Consumer = std::function<void(const Interval&)>;

    explicit SignalMatcher(Consumer consumer) : consumer_(std::move(consumer)) {}

    void event(const decode::Event& event);
    void finish();

    /// A dequeue is followed by its delivery at once, under the same lock, but
    /// a slow emulator stretches that; after this much time none will come.
    static constexpr std::uint64_t kHold_ns = 100'000'000;

private:
    /// A consumption without a generation: kept for a while, because one that
    /// is late may still come.
    struct Stray {
        Orphan orphan;
        Identity identity;
        End end{};
    };
    struct Expiry {
        std::uint64_t time_ns;
        std::uint32_t tgid;
        std::uint32_t tid;
    };
    using Event = decode::Event;

    void on(const Event& event, const decode::SignalGenerate& body);
    void on(const Event& event, const decode::SignalDequeue& body);
    void on(const Event& event, const decode::SignalDeliver& body);
    void on(const Event& event, const decode::SignalGet& body);
    void on(const Event& event, const decode::PipeOp& body);
    void on(const Event& event, const decode::TaskExit& body);
    void on(const Event& event, const decode::TaskFree& body);
    template <typename Other>
    void on(const Event&, const Other&) {}

    // a generation
    void note_trace_stop(const Event& event, const decode::SignalGenerate& body);
    void discard_opposites(const decode::SignalGenerate& body);
    bool meets_stray(Pending& pending);
    Process& target_of(const SignalInterval& signal);
    void enqueue(Process& process, Pending pending);
    void discard_older(SignalQueue& queue, const Pending& pending);

    // a consumption
    Process* acting(const Event& event, bool create);
    Taken take(Process& process, Thread& thread, unsigned signal, const Identity& identity);
    Taken take_in_order(Process& process, Thread& thread, unsigned signal);
    void deliver(Process& process, const Event& event, const decode::SignalDeliver& body);
    void group_exit(Process& process, const Event& event);
    void stray(const Event& event, unsigned signal, const Identity& identity, End end);

    // the end of a hold, a thread, a process
    void settle(Thread& thread, End end, std::uint64_t time_ns);
    void settle_all(Process& process);
    void passed(const Event& event);
    void expire(std::uint64_t now_ns);
    void die(Process& process, const Event& event, const decode::TaskExit& body);
    void die_elsewhere(Process& process, const Event& event, unsigned by);
    void exit_thread(Process& process, const Event& event);
    void bury(Process& process);
    void free_thread(Process& process, const Task& task);
    void prune(std::uint32_t tgid, std::uint32_t tid);
    void note_dead(std::uint32_t tgid);

    void close(Pending pending, End end, const Task& receiver, std::uint64_t time_ns);
    void abandon(Pending pending, End reason);
    void abandon_all(std::vector<Pending> all, End reason);
    void unseen(std::vector<Pending> all);

    Consumer consumer_;
    LossClock loss_;
    std::map<std::uint32_t, Process> processes_;
    std::deque<Expiry> holds_;      ///< in the order of time; may be out of date
    std::deque<Stray> strays_;
    std::deque<std::uint32_t> dead_;
};

}  // namespace ipcscope::correlate
