// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/analysis.hpp"

#include <utility>

namespace ipcscope::aggregate {

Analysis::Analysis(Observer observer)
    : observer_(std::move(observer)),
      correlator_([this](const correlate::Interval& found) { interval(found); }),
      stream_(
          [this](const decode::Event& event) {
              aggregator_.event(event);
              if (observer_.event) observer_.event(event);
              correlator_.event(event);
          },
          [this] { aggregator_.malformed(); })
{
}

/// What is left pending of a target that was not traced is not known to be so.
void Analysis::interval(const correlate::Interval& interval)
{
    const auto* signal = std::get_if<correlate::SignalInterval>(&interval);
    correlate::Interval corrected;
    const bool outside = signal != nullptr && signal->end == correlate::End::pending &&
                         !aggregator_.covers(signal->target.tgid);
    if (outside) {
        correlate::SignalInterval copy = *signal;
        copy.end = correlate::End::outside;
        corrected = copy;
    }
    const correlate::Interval& shown = outside ? corrected : interval;
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

Result<void> Analysis::watermark(std::uint64_t time_ns) { return stream_.watermark(time_ns); }

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
    return aggregator_.snapshot({stream_.last_ledger(), stream_.end_ns(), stream_.late(),
                                 complete, std::move(incomplete_why)});
}

}  // namespace ipcscope::aggregate
