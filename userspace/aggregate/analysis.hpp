// SPDX-License-Identifier: GPL-2.0-only
// A source's records all the way to a Report: decode → merge → names → correlate →
// aggregate, with an optional observer for live output.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "aggregate/aggregator.hpp"
#include "aggregate/event_stream.hpp"
#include "correlate/correlator.hpp"
#include "correlate/waiting_signals.hpp"

namespace ipcscope::aggregate {

class Analysis final : public source::Sink {
public:
    struct Observer {
        std::function<void(const decode::Event&)> event;
        std::function<void(const correlate::Interval&)> interval;
        /// A signal that has waited for `waiting_after_ns`, at `at_ns`, which is no earlier than
        /// what was passed on before, and no later than what follows.
        std::function<void(const correlate::SignalInterval&, std::uint64_t at_ns)> waiting;
        std::uint64_t waiting_after_ns;
    };

    explicit Analysis(Observer observer = {});

    Result<void> host(const source::Host& host) override;
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t time_ns) override;
    Result<void> ledger(const source::Ledger& ledger) override;
    Result<void> end(std::uint64_t time_ns) override;

    /// The report as of the last watermark, while the trace runs: without what is
    /// still under way.
    Report snapshot() const;

    /// Call once, after the source has ended.  `incomplete_why`: set by the
    /// caller where the source broke off.
    Report report(std::string incomplete_why = {});

private:
    void event(const decode::Event& event);
    void interval(const correlate::Interval& interval);
    /// The interval where its target was not traced, and what is left pending is not known to
    /// be so; else nothing.
    std::optional<correlate::SignalInterval> outside(const correlate::SignalInterval& signal) const;

    Observer observer_;
    Aggregator aggregator_;
    std::optional<correlate::WaitingSignals> waiting_;   ///< where they are observed
    correlate::Correlator correlator_;
    EventStream stream_;
};

}  // namespace ipcscope::aggregate
