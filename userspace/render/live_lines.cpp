// SPDX-License-Identifier: GPL-2.0-only
#include "render/live_lines.hpp"

#include <algorithm>
#include <utility>

namespace ipcscope::render {

LiveLines::LiveLines(const LiveOptions& options, const diagnose::LineFilter& filter, Output output)
    : options_(options), filter_(filter), output_(std::move(output))
{
}

void LiveLines::header() { output_(live_header(options_)); }

void LiveLines::start(std::uint64_t start_ns, std::int64_t realtime_offset_ns)
{
    start_ns_ = start_ns;
    if (options_.realtime_offset_ns) {
        options_.realtime_offset_ns = realtime_offset_ns;
    }
}

std::uint64_t LiveLines::waiting_after_ns() const
{
    return std::max(kWaitingAfter_ns, filter_.least_ns);
}

void LiveLines::out(std::uint64_t time_ns, const std::string& line)
{
    if (const std::string day = live_day(time_ns, options_); day != day_) {
        day_ = day;
        output_(day);
    }
    output_(line);
}

void LiveLines::event(const decode::Event& event)
{
    now_ns_ = std::max(now_ns_, event.time_ns);
    symbols_.note(event);
    if (!filter_.passes(event)) {
        return;
    }
    if (const auto line = live_line(event, start_ns_, options_, &symbols_)) {
        out(event.time_ns, *line);
    }
}

void LiveLines::interval(const correlate::Interval& interval)
{
    if (!filter_.passes(interval)) {
        return;
    }
    if (const auto line = live_line(interval, now_ns_, start_ns_, options_)) {
        out(now_ns_, *line);
    }
}

/// It may yet have an effect; of a target that is not known to be traced, it may have had one.
void LiveLines::waiting(const correlate::SignalInterval& signal, std::uint64_t at_ns)
{
    now_ns_ = std::max(now_ns_, at_ns);
    if (filter_.failed || signal.end == correlate::End::outside) {
        return;
    }
    if (const auto line = live_line(signal, at_ns, start_ns_, options_)) {
        out(at_ns, *line);
    }
}

void LiveLines::finding(const diagnose::Finding& finding, std::uint64_t now_ns)
{
    out(now_ns, live_line(finding, now_ns, start_ns_, options_));
}

void LiveLines::death(const diagnose::LiveDeath& death)
{
    out(death.at_ns, live_line(death, start_ns_, options_));
}

void LiveLines::end(std::uint64_t end_ns) { now_ns_ = std::max(now_ns_, end_ns); }

}  // namespace ipcscope::render
