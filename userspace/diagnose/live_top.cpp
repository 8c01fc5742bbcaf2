// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/live_top.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"
#include "diagnose/ended.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose {
namespace {

using aggregate::ChannelEnd;
using aggregate::ChannelRow;
using aggregate::Report;
using aggregate::SignalRow;

decode::Task busiest(const std::vector<ChannelEnd>& ends)
{
    const auto most = std::ranges::max_element(ends, {}, [](const ChannelEnd& end) {
        return std::pair(end.bytes, end.count);
    });
    return most == ends.end() ? decode::Task{} : most->task;
}

bool all_ended(const Report& report, const std::vector<ChannelEnd>& ends)
{
    return std::ranges::all_of(
        ends, [&](const ChannelEnd& end) { return has_ended(report, end.task.tgid); });
}

/// No process is left that could use it.
bool is_over(const Report& report, const ChannelRow& row)
{
    return all_ended(report, row.readers) && all_ended(report, row.writers);
}

/// Queued, less what was taken, or is known not to be there any more.
std::uint64_t pending(const SignalRow& row)
{
    const std::uint64_t queued = plus(row.at(decode::Outcome::delivered),
                                      row.at(decode::Outcome::info_lost));
    const std::uint64_t known = plus(row.matched(), row.unmatched());
    return plus(since(queued, known), row.at(aggregate::End::pending));
}

std::string missing(const Report& report)
{
    std::string text;
    const auto add = [&](std::uint64_t number, std::string_view one, std::string_view many) {
        if (number != 0) {
            text += (text.empty() ? "" : ", ") + counted(number, one, many);
        }
    };
    add(report.evicted.total(), "row given up", "rows given up");
    add(report.loss.malformed, "record not decoded", "records not decoded");
    add(report.loss.late, "event out of order", "events out of order");
    if (report.ended && !report.complete) {
        text += text.empty() ? "the capture has no end" : ", the capture has no end";
    }
    return text;
}

LiveDeath live(const aggregate::Death& death, std::uint64_t now_ns)
{
    if (death.gone_ns) {
        return {death, 0, *death.gone_ns};
    }
    return {death, std::max<std::uint64_t>(since(now_ns, death.first_ns()), 1), now_ns};
}

}  // namespace

TopSignal TopTables::signal(const Report& report, const SignalRow& row, std::uint64_t now_ns)
{
    TopSignal made;
    made.sender = row.sender;
    made.origin = row.origin;
    made.target = row.target;
    made.signal = row.signal;
    made.sent = sent(row);
    made.taken = row.matched();
    made.pending = pending(row);
    if (made.taken != 0) {
        made.p50_ns = row.latency.quantile(0.5);
        made.p99_ns = row.latency.quantile(0.99);
        made.most_ns = row.latency.max();
    }
    const auto change = signals_.of({row.sender.tgid, row.origin, row.target.tgid, row.signal},
                                    {made.sent}, row.first_ns, now_ns);
    made.over_ns = change.over_ns;
    made.added = change.added[0];
    if (report.ended) {
        // One signal has no rate: none is known to follow it.
        made.over_ns = since(now_ns, report.host.start_ns);
        made.added = made.sent > 1 ? made.sent : 0;
    }
    return made;
}

TopChannel TopTables::channel(const Report& report, const ChannelRow& row, std::uint64_t now_ns)
{
    TopChannel made;
    made.object = row.object;
    made.type = row.type;
    made.path = row.path;
    made.writer = busiest(row.writers);
    made.writers = row.writers.size();
    made.reader = busiest(row.readers);
    made.readers = row.readers.size();
    made.total_bytes = std::max(row.reads.bytes, row.writes.bytes);
    made.total_waits = plus(row.reads.blocked_count, row.writes.blocked_count);
    const auto change =
        channels_.of(row.object, {made.total_bytes, made.total_waits, row.full_ns, row.empty_ns},
                     row.first_ns, now_ns);
    made.over_ns = change.over_ns;
    made.quiet_ns = change.quiet_ns;
    made.bytes = change.added[0];
    made.waits = change.added[1];
    made.full_ns = change.added[2];
    made.empty_ns = change.added[3];
    if (report.ended) {   // as the report has them
        made.over_ns = since(row.last_ns, row.first_ns);
        made.bytes = made.total_bytes;
        made.waits = made.total_waits;
        made.full_ns = row.full_ns;
        made.empty_ns = row.empty_ns;
    }
    made.full_ns = std::min(made.full_ns, made.over_ns);
    made.empty_ns = std::min(made.empty_ns, made.over_ns);
    return made;
}

LiveTop TopTables::of(const Report& report, Findings findings, std::uint64_t now_ns)
{
    LiveTop top;
    top.start_ns = report.host.start_ns;
    top.now_ns = now_ns;
    top.ended = report.ended;
    for (const SignalRow& row : report.signals) {
        top.signals.push_back(signal(report, row, now_ns));
    }
    for (const ChannelRow& row : report.channels) {
        if (report.ended || !is_over(report, row)) {
            top.channels.push_back(channel(report, row, now_ns));
        }
    }
    for (const aggregate::Death& death : report.deaths) {
        if (!death.sends.empty()) {
            top.deaths.push_back(live(death, now_ns));
        }
    }
    top.findings = std::move(findings);
    top.missing = missing(report);
    signals_.forget_unseen(now_ns);
    channels_.forget_unseen(now_ns);
    return top;
}

}  // namespace ipcscope::diagnose
