// SPDX-License-Identifier: GPL-2.0-only
// Generated signals → how they ended.  The rules are in docs/matching.md.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

#include "correlate/loss_clock.hpp"
#include "correlate/process.hpp"

namespace ipcscope::correlate {

/// As it is generated: its end is not known yet.
SignalInterval interval_of(const decode::Event& event, const decode::SignalGenerate& body);

class SignalMatcher {
public:
    using Consumer = std::function<void(const Interval&)>;

    explicit SignalMatcher(Consumer consumer) : consumer_(std::move(consumer)) {}

    void event(const decode::Event& event);
    void finish();

private:
    using Event = decode::Event;
    enum class Match { same, unknown, any };   ///< of identities

    void on(const Event& event, const decode::SignalGenerate& body);
    void on(const Event& event, const decode::SignalTake& body);
    void on(const Event& event, const decode::Thread& body);
    void on(const Event& event, const decode::ThreadTime& body);
    void on(const Event& event, const decode::ThreadFree& body);
    void on(const Event&, const decode::SignalHandler&) {}
    void on(const Event&, const decode::SignalMask&) {}
    void on(const Event&, const decode::Command&) {}
    void on(const Event&, const decode::FdReceived&) {}
    void on(const Event&, const decode::Kill&) {}
    void on(const Event&, const decode::Slice&) {}
    void on(const Event&, const decode::Call&) {}
    void on(const Event&, const decode::Symbol&) {}
    void on(const Event&, const decode::Holder&) {}
    void on(const Event&, const decode::Observed&) {}
    void on(const Event&, const decode::Process&) {}
    void on(const Event&, const decode::User&) {}
    void on(const Event&, const decode::Cgroup&) {}

    // a generation
    void link_requeued(const Event& event, SignalInterval& signal, Identity identity);
    void discard_opposites(Process& process, const SignalInterval& signal);
    Process& target_of(const SignalInterval& signal);
    void enqueue(Process& process, Pending pending);
    void discard_older(Process& process, SignalQueue& queue, const Pending& pending);

    // a taking
    Process& acting(const Event& event);
    void taken(Process& process, const Event& event, const decode::SignalTake& body);
    Taken find_taken(Process& process, const Event& event, const decode::SignalTake& body);
    Taken take(Process& process, std::uint32_t tid, const Wanted& wanted);
    static Taken take_in_order(SignalQueue& queue, const Wanted& wanted);
    Taken take_gone(Process& process, std::uint32_t owner, const Wanted& wanted, Match match);
    static Process::GoneAt find_gone(Process& process, std::uint32_t owner,
                                     const Wanted& wanted, std::uint64_t since_ns,
                                     Match match);
    void group_exit(Process& process, const Event& event, const decode::SignalTake& body);
    void discarded(Process& process, const Event& event, const decode::SignalTake& body);
    void orphan(const Event& event, unsigned signal, Orphan::Why why);

    // the end of a thread, a process
    void die(Process& process, const Event& event, unsigned by, bool group_dead);
    void leave(Process& process, Pending pending);
    void exit_thread(Process& process, std::uint32_t tid, std::uint64_t time_ns);
    void replace_leader(Process& process, std::uint32_t tgid, std::uint64_t time_ns);
    bool exits_in_leaders_place(Process& process, const Task& task) const;
    void bury(Process& process);
    void bury_thread(Process& process, std::uint32_t tid);
    void free_thread(Process& process, const Task& task);
    void prune(std::uint32_t tgid, std::uint32_t tid);
    void note_dead(std::uint32_t tgid);

    // the outcome of a signal
    void close(Pending pending, const Event& event, const decode::SignalTake& body);
    void close_death(Pending pending, const Event& event);
    void abandon(Pending pending, End reason);
    void abandon_all(std::vector<Pending> all, End reason);
    void let_go(Process& process, std::vector<Pending> all, End reason, std::uint64_t time_ns);
    End unmatched(const Pending& pending, End reason) const;

    Consumer consumer_;
    LossClock loss_;
    std::uint64_t newest_ns_ = 0;
    std::unordered_map<std::uint32_t, Process> processes_;
    std::deque<std::uint32_t> dead_;
};

}  // namespace ipcscope::correlate
