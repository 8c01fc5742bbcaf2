// SPDX-License-Identifier: GPL-2.0-only
// Signals that wait to be taken: for live output, which shows one before its end is known.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>

#include "correlate/interval.hpp"

namespace ipcscope::correlate {

/// Of the events of a trace, in their order, and of the intervals that come of them: those
/// signals that were queued `after_ns` ago and have not ended.  Memory is bounded by what is
/// generated in that time.
class WaitingSignals {
public:
    /// `at_ns`: generated_ns + after_ns.
    using Consumer = std::function<void(const SignalInterval&, std::uint64_t at_ns)>;

    WaitingSignals(std::uint64_t after_ns, Consumer consumer)
        : after_ns_(after_ns), consumer_(std::move(consumer))
    {
    }

    /// Before the correlator is given the event.
    void event(const decode::Event& event);
    void interval(const Interval& interval);
    /// Passes on what has waited long enough at `time_ns`.
    void until(std::uint64_t time_ns);

private:
    /// When it was generated, its target's process and thread, its number.
    using Key = std::tuple<std::uint64_t, std::uint32_t, std::uint32_t, unsigned>;
    static Key key_of(const SignalInterval& signal);

    std::uint64_t after_ns_;
    Consumer consumer_;
    std::map<Key, SignalInterval> waiting_;
};

}  // namespace ipcscope::correlate
