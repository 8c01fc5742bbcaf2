// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/analysis.hpp"

#include <utility>

namespace ipcscope::aggregate {

Analysis::Analysis(Observer observer)
    : observer_(std::move(observer)),
      correlator_([this](const correlate::Interval& found) { interval(found); }),
      stream_([this](const decode::Event& next) { event(next); },
              [this] { aggregator_.malformed(); })
{
    if (observer_.waiting) {
        waiting_.emplace(observer_.waiting_after_ns,
                         [this](const correlate::SignalInterval& signal, std::uint64_t at_ns) {
                             observer_.waiting(outside(signal).value_or(signal), at_ns);
                         });
    }
}

void Analysis::event(const decode::Event& event)
{
    if (waiting_) waiting_->event(event);
    aggregator_.event(event);
    if (observer_.event) observer_.event(event);
    correlator_.event(event);
}

std::optional<correlate::SignalInterval> Analysis::outside(
    const correlate::SignalInterval& signal) const
{
    if (signal.end != correlate::End::pending || aggregator_.covers(signal.target.tgid)) {
        return std::nullopt;
    }
    correlate::SignalInterval copy = signal;
    copy.end = correlate::End::outside;
    return copy;
}

void Analysis::interval(const correlate::Interval& interval)
{
    const auto* signal = std::get_if<correlate::SignalInterval>(&interval);
    const auto corrected = signal != nullptr ? outside(*signal) : std::nullopt;
    correlate::Interval copy;
    if (corrected) copy = *corrected;
    const correlate::Interval& shown = corrected ? copy : interval;
    if (waiting_) waiting_->interval(shown);
    aggregator_.interval(shown);
    if (observer_.interval) observer_.interval(shown);
}

Result<void> Analysis::host(const source::Host& host)
{
    aggregator_.host(host);
    return stream_.host(host);
}

Result<void> Analysis::records(unsigned cpu, std::span<const std::byte> bytes)
{
    return stream_.records(cpu, bytes);
}

Result<void> Analysis::watermark(std::uint64_t time_ns)
{
    auto done = stream_.watermark(time_ns);
    // What is still held is no older.
    if (waiting_) waiting_->until(time_ns);
    return done;
}

Result<void> Analysis::ledger(const source::Ledger& ledger) { return stream_.ledger(ledger); }

Result<void> Analysis::end(std::uint64_t time_ns) { return stream_.end(time_ns); }

Report Analysis::snapshot() const
{
    Report report =
        aggregator_.snapshot({stream_.last_ledger(), stream_.end_ns(), stream_.late(),
                              stream_.ended(), stream_.ended() ? "" : "it still runs"});
    report.ended = stream_.ended();
    return report;
}

Report Analysis::report(std::string incomplete_why)
{
    stream_.flush();
    correlator_.finish(stream_.end_ns());
    const bool complete = stream_.ended() && incomplete_why.empty();
    return aggregator_.finish({stream_.last_ledger(), stream_.end_ns(), stream_.late(),
                               complete, std::move(incomplete_why)});
}

}  // namespace ipcscope::aggregate
