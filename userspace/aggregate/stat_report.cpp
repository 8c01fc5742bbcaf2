// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stat_report.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

using Key = std::tuple<std::uint64_t, std::uint64_t, std::uint32_t>;
using Rows = std::map<Key, const source::StatRow*>;

Key key_of(const ipcscope_stat_key& key) { return {key.by[0], key.by[1], key.event}; }

Rows rows_of(const source::Stat& stat)
{
    Rows rows;
    for (const source::StatRow& row : stat.rows) {
        rows.emplace(key_of(row.key), &row);
    }
    return rows;
}

Histogram latency_of(const source::StatRow& now, const source::StatRow* before)
{
    if (before == nullptr) {
        return Histogram::of_counts(now.buckets, now.sum_ns, now.min_ns, now.max_ns);
    }
    std::vector<std::uint64_t> counts = now.buckets;
    for (std::size_t i = 0; i < std::min(counts.size(), before->buckets.size()); ++i) {
        counts[i] = since(counts[i], before->buckets[i]);
    }
    return Histogram::of_counts(counts, since(now.sum_ns, before->sum_ns), now.min_ns,
                                now.max_ns);
}

StatLine line_of(const source::StatRow& now, const source::StatRow* before)
{
    StatLine line;
    line.key = now.key;
    line.latency = latency_of(now, before);
    line.count = line.latency.count() + since(now.untimed, before ? before->untimed : 0);
    line.bytes = since(now.bytes, before ? before->bytes : 0);
    return line;
}

std::uint64_t sum_of(const source::Ledger& ledger, std::uint64_t (*number)(const ipcscope_tally&),
                     unsigned kind)
{
    return std::accumulate(ledger.begin(), ledger.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, const ipcscope_ledger& cpu) {
                               return sum + number(cpu.kind[kind]);
                           });
}

std::uint64_t lost_of(const source::Ledger& ledger, unsigned kind, unsigned cause)
{
    return std::accumulate(ledger.begin(), ledger.end(), std::uint64_t{0},
                           [&](std::uint64_t sum, const ipcscope_ledger& cpu) {
                               return sum + cpu.kind[kind].lost[cause];
                           });
}

/// Of the kinds of which there were any.
std::vector<StatEvents> events_of(const StatReport& report, const source::Stat& now,
                                  const source::Stat& before)
{
    const auto filtered = [](const ipcscope_tally& tally) -> std::uint64_t {
        return tally.filtered;
    };
    std::vector<StatEvents> all;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        StatEvents events{.kind = kind};
        for (const StatLine& line : report.lines) {
            events.aggregated += line.kind() == kind ? line.count : 0;
        }
        events.filtered = since(sum_of(now.ledger, filtered, kind),
                                sum_of(before.ledger, filtered, kind));
        for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
            events.lost[cause] = since(lost_of(now.ledger, kind, cause),
                                       lost_of(before.ledger, kind, cause));
        }
        if (events.generated() != 0) {
            all.push_back(events);
        }
    }
    return all;
}

}  // namespace

std::uint64_t StatEvents::all_lost() const
{
    return std::accumulate(lost.begin(), lost.end(), std::uint64_t{0});
}

std::uint64_t StatReport::lost() const
{
    return std::accumulate(events.begin(), events.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const StatEvents& event) {
                               return sum + event.all_lost();
                           });
}

void sort_lines(StatReport& report)
{
    std::ranges::sort(report.lines, {}, [&](const StatLine& line) {
        return std::tuple(report.by == IPCSCOPE_STAT_BY_NONE ? 0 : ~line.count, line.key.event,
                          key_of(line.key));
    });
}

StatReport stat_report(const source::Stat& now, const source::Stat& before, unsigned by,
                       const StatName& name)
{
    const Rows earlier = rows_of(before);
    StatReport report;
    report.by = by;
    report.from_ns = before.time_ns;
    report.to_ns = now.time_ns;
    report.rows = now.rows.size();
    for (const source::StatRow& row : now.rows) {
        const auto found = earlier.find(key_of(row.key));
        StatLine line = line_of(row, found == earlier.end() ? nullptr : found->second);
        if (line.count == 0) {
            continue;
        }
        if (by != IPCSCOPE_STAT_BY_NONE) {
            line.name = name(row.key);
        }
        report.lines.push_back(std::move(line));
    }
    sort_lines(report);
    report.events = events_of(report, now, before);
    return report;
}

std::vector<StatPairing> stat_pairings(const source::Stat& stat)
{
    std::vector<StatPairing> pairings;
    for (unsigned i = 0; i < stat.signals.size(); ++i) {
        if (stat.signals[i].generated != 0) {
            pairings.push_back({i + 1, stat.signals[i]});
        }
    }
    return pairings;
}

}  // namespace ipcscope::aggregate
