// SPDX-License-Identifier: GPL-2.0-only
// Fatal signals to processes in uninterruptible sleep → how long they took to die.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

#include "correlate/interval.hpp"

namespace ipcscope::correlate {

class KillTracker {
public:
    using Consumer = std::function<void(const Interval&)>;

    explicit KillTracker(Consumer consumer) : consumer_(std::move(consumer)) {}

    void event(const decode::Event& event);
    void finish(std::uint64_t end_ns);

private:
    struct Open {
        KillInterval kill;
        std::vector<std::uint64_t> stack;   ///< ids of symbols
        std::uint64_t notified_ns = 0;      ///< its parent got SIGCHLD; 0: not yet
        bool names_itself = false;          ///< that SIGCHLD is for the process itself
        std::uint64_t exited_ns = 0;        ///< its last thread is gone; 0: not yet
    };
    /// A send of which a KILL record was the last record of its CPU: its
    /// SIGNAL_GENERATE is the next.
    struct Send {
        std::uint64_t lost_before = 0;
        std::uint32_t sender_tid = 0;
        std::uint32_t target_tgid = 0;
        unsigned signal = 0;
        friend bool operator==(const Send&, const Send&) = default;
    };
    using Event = decode::Event;

    void on(const Event& event, const decode::Symbol& body);
    void on(const Event& event, const decode::Kill& body);
    void on(const Event& event, const decode::SignalGenerate& body);
    void on(const Event& event, const decode::Thread& body);
    void on(const Event& event, const decode::ThreadTime& body);
    void on(const Event& event, const decode::ThreadFree& body);
    void on(const Event&, const decode::SignalTake&) {}
    void on(const Event&, const decode::SignalHandler&) {}
    void on(const Event&, const decode::SignalMask&) {}
    void on(const Event&, const decode::Command&) {}
    void on(const Event&, const decode::FdReceived&) {}
    void on(const Event&, const decode::Slice&) {}
    void on(const Event&, const decode::Call&) {}
    void on(const Event&, const decode::Holder&) {}
    void on(const Event&, const decode::Observed&) {}
    void on(const Event&, const decode::Process&) {}
    void on(const Event&, const decode::User&) {}
    void on(const Event&, const decode::Cgroup&) {}

    void note_child_signal(const Event& event, const decode::SignalGenerate& body);
    void close(std::uint32_t tgid);
    void emit(Open& open);

    Consumer consumer_;
    std::unordered_map<std::uint64_t, SafeText> symbols_;
    std::map<std::uint32_t, Open> open_;          ///< by the target's process
    std::unordered_map<unsigned, Send> killed_;   ///< by CPU
};

}  // namespace ipcscope::correlate
