// SPDX-License-Identifier: GPL-2.0-only
// Kills of processes that sleep uninterruptibly → how long they took to die.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
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
        std::uint64_t told_ns = 0;      ///< its parent got SIGCHLD; 0: not yet
        bool told_for_certain = false;  ///< that SIGCHLD names the process itself
        std::uint64_t exited_ns = 0;    ///< its last thread exited; 0: not yet
    };
    /// A record that comes in two: the kill and its generation, in either order.
    struct Send {
        std::uint64_t time_ns = 0;
        std::uint32_t sender = 0;
        std::uint32_t target = 0;
        unsigned signal = 0;
        bool is_kill = false;
    };
    using Event = decode::Event;

    void on(const Event& event, const decode::Symbol& body);
    void on(const Event& event, const decode::Kill& body);
    void on(const Event& event, const decode::SignalGenerate& body);
    void on(const Event& event, const decode::TaskExit& body);
    void on(const Event& event, const decode::TaskFree& body);
    template <typename Other>
    void on(const Event&, const Other&) {}

    bool second_half(const Event& event, const Send& send);
    void note_child_signal(const Event& event, const decode::SignalGenerate& body);
    std::vector<std::string> names(const std::vector<std::uint64_t>& stack) const;
    void emit(Open& open);

    Consumer consumer_;
    std::unordered_map<std::uint64_t, std::string> symbols_;
    std::map<std::uint32_t, Open> open_;               ///< by the target's process
    std::unordered_map<unsigned, Send> last_;          ///< by CPU
};

}  // namespace ipcscope::correlate
