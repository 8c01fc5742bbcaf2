// SPDX-License-Identifier: GPL-2.0-only
// Runs of handlers → rows by process and signal.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

/// Only of a trace in which handlers are recorded.
class HandlerTable {
public:
    void take(const decode::Event& event, const decode::SignalTake& body);
    void run(const decode::Event& event, const decode::SignalHandler& body);
    /// It ended, or executes a program: so do the handlers that it was in.
    void cut(std::uint32_t tid);

    /// By their time, descending.
    std::vector<HandlerRow> rows() const;
    std::uint64_t evicted() const { return rows_.evicted(); }

private:
    static constexpr std::size_t kMostThreads = 65536;
    static constexpr std::size_t kMostRunning = 16;   ///< of a thread

    struct Key {
        std::uint32_t tgid = 0;
        unsigned signal = 0;
        friend bool operator==(const Key&, const Key&) = default;
    };
    struct Hash {
        std::size_t operator()(const Key& key) const { return mix(key.tgid, key.signal); }
    };
    struct Running {
        Key key;
        std::uint64_t since_ns = 0;
    };

    HandlerRow& row_of(const decode::Event& event, unsigned signal);

    BoundedMap<Key, HandlerRow, Hash> rows_{kMostHandlers};
    BoundedMap<std::uint32_t, std::vector<Running>> running_{kMostThreads};   ///< by tid
};

}  // namespace ipcscope::aggregate
