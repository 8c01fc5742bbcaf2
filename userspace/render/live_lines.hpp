// SPDX-License-Identifier: GPL-2.0-only
// The lines of a running trace, in the order of their times.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "diagnose/line_filter.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// Events and intervals as aggregate::Analysis passes them on, an event before the intervals
/// that end by it → lines.  A line has the time at which what it shows ended, so that none has
/// to wait for what began before it.  Only an event that came late, which the report counts, can
/// be out of order.
class LiveLines {
public:
    /// `line`: without its newline; one that is a sentence may hold others.
    using Output = std::function<void(const std::string& line)>;

    /// A signal is shown when it has waited so long, and again when it ends: one that is never
    /// taken would be shown at the end of the trace only.
    static constexpr std::uint64_t kWaitingAfter_ns = 1'000'000'000;

    LiveLines(const LiveOptions& options, const diagnose::LineFilter& filter, Output output);

    void header();
    void start(std::uint64_t start_ns, std::int64_t realtime_offset_ns);
    void event(const decode::Event& event);
    void interval(const correlate::Interval& interval);
    void waiting(const correlate::SignalInterval& signal, std::uint64_t at_ns);
    void finding(const diagnose::Finding& finding, std::uint64_t now_ns);
    void death(const diagnose::LiveDeath& death);
    void end(std::uint64_t end_ns);

    /// Of LineFilter::least_ns, and no less than kWaitingAfter_ns.
    std::uint64_t waiting_after_ns() const;

private:
    /// A line of `time_ns`, after the day where that is another one.
    void out(std::uint64_t time_ns, const std::string& line);

    LiveOptions options_;
    diagnose::LineFilter filter_;
    Output output_;
    Symbols symbols_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t now_ns_ = 0;   ///< of the newest event
    std::string day_;            ///< of the last line
};

}  // namespace ipcscope::render
