// SPDX-License-Identifier: GPL-2.0-only
// Why threads block signals: their masks, and the handlers that they are in.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/death.hpp"
#include "source/source.hpp"

namespace ipcscope::aggregate {

/// Knows nothing where handlers are not traced.
class MaskTable {
public:
    void host(const source::Host& host);
    void on(const decode::Event& event, const decode::SignalGenerate& body);
    void on(const decode::Event& event, const decode::SignalTake& body);
    void on(const decode::Event& event, const decode::SignalHandler& body);
    void on(const decode::Event& event, const decode::SignalMask& body);
    void on(const decode::Event& event, const decode::Thread& body);
    void forget(std::uint32_t tid) { threads_.erase(tid); }

    /// Whether the set-ups and returns of handlers, and changes of masks, are recorded.
    bool traced() const { return traced_; }
    /// Of a signal that was blocked as it was sent to that thread; nullopt: not known.
    /// Of a signal that the thread did not block as it was sent: the handlers since then that did,
    /// as those of signals before it in its queue.
    std::optional<Blocking> runs_since(std::uint32_t tid, unsigned signal,
                                       std::uint64_t sent_ns) const;
    std::optional<Blocking> why(std::uint32_t tid, unsigned signal,
                                std::uint64_t sent_ns) const;

private:
    static constexpr std::size_t kMostThreads = 65536;
    static constexpr std::size_t kMostPeriods = 64;   ///< of a thread
    static constexpr std::size_t kMostRuns = 64;      ///< the newest
    /// No wait that is worth a reason, of IPCSCOPE_SLICE_NS and more, is for less.
    static constexpr std::uint64_t kShortestRun_ns = IPCSCOPE_SLICE_NS / 2;
    static constexpr std::size_t kMostSent = 64;

    /// Signals that have been blocked since then, all by one thing.
    struct Period {
        std::uint64_t signals = 0;
        Blocking blocking;
    };
    struct Run {
        unsigned signal = 0;
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        std::uint64_t blocked = 0;
    };
    struct Sent {
        unsigned signal = 0;
        std::uint64_t at_ns = 0;
        Blocking blocking;
    };
    struct Thread {
        std::vector<Period> periods;
        std::deque<Run> runs;        ///< that have returned
        std::vector<Run> running;    ///< the innermost last; their mask is not known yet
        std::deque<Sent> sent;       ///< what it had blocked by its mask
    };

    static void add(Thread& thread, std::uint64_t signals, const Blocking& blocking);
    static void remove(Thread& thread, std::uint64_t signals);
    static std::optional<Blocking> by_handler(const Thread& thread, unsigned signal,
                                              std::uint64_t sent_ns);

    bool traced_ = false;
    BoundedMap<std::uint32_t, Thread> threads_{kMostThreads};   ///< by tid
};

}  // namespace ipcscope::aggregate
