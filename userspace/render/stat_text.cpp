// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope stat` for people.
#include <algorithm>
#include <numeric>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/layout.hpp"
#include "render/names.hpp"
#include "render/stat.hpp"

namespace ipcscope::render {
namespace {

using aggregate::StatEvents;
using aggregate::StatLine;
using aggregate::StatPairing;
using aggregate::StatReport;
using Align = Table::Align;

constexpr std::size_t kLeastName = 12;

/// "COMM", "PID", …: the column of what is aggregated by.
const char* by_title(unsigned by)
{
    switch (by) {
    case IPCSCOPE_STAT_BY_COMM: return "COMM";
    case IPCSCOPE_STAT_BY_CGROUP: return "CGROUP";
    case IPCSCOPE_STAT_BY_PID: return "PROCESS";
    default: return "OBJECT";
    }
}

Table::Cell subject(const StatReport& report, const StatLine& line, const Style& style)
{
    const std::uint64_t id = line.key.by[0];
    switch (report.by) {
    case IPCSCOPE_STAT_BY_PID: return {line.name.str(), fmt::format("/{}", id)};
    case IPCSCOPE_STAT_BY_CGROUP:
        return line.name.empty() ? std::to_string(id) : line.name.str();
    case IPCSCOPE_STAT_BY_OBJECT: break;
    default: return line.name.str();
    }
    if (line.is_signal()) {
        return style.none();
    }
    const auto type = static_cast<decode::ObjectType>(line.key.by[1] >> 32);
    return {std::string(kind_text(type)), fmt::format(" {}", object_text(type, id))};
}

std::string per_second(std::uint64_t number, std::uint64_t ns)
{
    if (ns == 0) {
        return {};
    }
    const double rate = static_cast<double>(number) * 1e9 / static_cast<double>(ns);
    return rate < 10 ? fmt::format("{:.1f}", rate) : count(static_cast<std::uint64_t>(rate));
}

std::vector<Table::Cell> cells(const StatReport& report, const StatLine& line,
                               const Style& style)
{
    const auto quantile = [&](double share) -> Table::Cell {
        return line.latency.count() == 0 ? style.none()
                                         : style.time(line.latency.quantile(share));
    };
    std::vector<Table::Cell> cells;
    if (report.by != IPCSCOPE_STAT_BY_NONE) {
        cells.push_back(subject(report, line, style));
    }
    cells.emplace_back(fmt::format("{} {}", stat_about(line), stat_operation(line)));
    cells.emplace_back(std::string(stat_outcome(line)));
    cells.emplace_back(count(line.count));
    cells.emplace_back(per_second(line.count, since(report.to_ns, report.from_ns)));
    cells.push_back(quantile(0.5));
    cells.push_back(quantile(0.99));
    cells.push_back(quantile(1));
    cells.emplace_back(line.bytes == 0 ? std::string(style.none()) : bytes(line.bytes));
    return cells;
}

std::string event_table(const StatReport& report, const TextOptions& options, const Style& style)
{
    std::vector<Table::Column> columns;
    if (report.by != IPCSCOPE_STAT_BY_NONE) {
        columns.push_back({by_title(report.by), Align::left, kLeastName});
    }
    for (const Table::Column& column :
         {Table::Column{"EVENT", Align::left}, {"OUTCOME", Align::left, 7}, {"COUNT"},
          {"/S"}, {"P50"}, {"P99"}, {"MAX"}, {"BYTES"}}) {
        columns.push_back(column);
    }
    Table table(std::move(columns));
    const std::size_t size = report.lines.size();
    const bool all = options.top == 0 || report.by == IPCSCOPE_STAT_BY_NONE;
    const std::size_t shown = all ? size : std::min(options.top, size);
    for (const StatLine& line : std::span(report.lines).first(shown)) {
        table.row(cells(report, line, style));
    }
    if (table.empty()) {
        return "No event.\n";
    }
    return table.str(std::max(options.width, kLeastWidth), style) +
           (shown < size ? fmt::format("{} {} more (--top)\n", style.dots(), size - shown) : "");
}

std::string pairing_table(const StatReport& report, const TextOptions& options,
                          const Style& style)
{
    if (report.pairings.empty()) {
        return {};
    }
    Table table({{"SIGNAL", Align::left}, {"GENERATED"}, {"PAIRED"}, {"UNPAIRED"}, {"PENDING"}});
    for (const StatPairing& pairing : report.pairings) {
        const source::StatSignal& counts = pairing.counts;
        std::uint64_t unpaired = 0;
        std::string causes;
        for (unsigned cause = 0; cause < counts.unpaired.size(); ++cause) {
            unpaired += counts.unpaired[cause];
            if (counts.unpaired[cause] != 0) {
                causes += fmt::format("{}{} {}", causes.empty() ? "unpaired: " : ", ",
                                      glued(grouped(counts.unpaired[cause])),
                                      unpaired_name(cause));
            }
        }
        table.row({decode::signal_name(pairing.signal), grouped(counts.generated),
                   grouped(counts.paired), grouped(unpaired), grouped(counts.pending)});
        table.detail(causes);
    }
    return "\n" + style.bold("Signals that were queued: generated = paired + unpaired + pending") +
           "\n" + table.str(std::max(options.width, kLeastWidth), style);
}

std::string lost_causes(const StatEvents& events)
{
    std::string text;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
        if (events.lost[cause] != 0) {
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ",
                                glued(grouped(events.lost[cause])), decode::loss_name(cause));
        }
    }
    return text.empty() ? text : "lost: " + text;
}

std::string ledger_table(const StatReport& report, const TextOptions& options,
                         const Style& style)
{
    if (report.events.empty()) {
        return {};
    }
    Table table({{"KIND", Align::left}, {"GENERATED"}, {"AGGREGATED"}, {"FILTERED"}, {"LOST"}});
    for (const StatEvents& events : report.events) {
        table.row({std::string(decode::kind_name(events.kind)), grouped(events.generated()),
                   grouped(events.aggregated), grouped(events.filtered),
                   grouped(events.all_lost())});
        table.detail(lost_causes(events));
    }
    return "\n" + style.bold("Events: generated = aggregated + filtered + lost") + "\n" +
           table.str(std::max(options.width, kLeastWidth), style);
}

/// The last line where something was lost.
std::string verdict(const StatReport& report, const Style& style)
{
    if (report.lost() == 0) {
        return {};
    }
    std::string text = fmt::format("{} lost",
                                   counted(report.lost(), "event was", "events were"));
    if (report.rows >= report.max_rows) {
        text += fmt::format(": all {} rows are in use (--max-rows)", grouped(report.max_rows));
    }
    return style.red(text + ".") + "\n";
}

}  // namespace

std::string stat_text(const aggregate::StatReport& report, const TextOptions& options)
{
    const Style style{options.utf8, options.colour};
    const std::string length = style.time(since(report.to_ns, report.from_ns));
    if (!report.final) {
        const std::string at = style.time(since(report.to_ns, report.start_ns));
        return style.bold(fmt::format("After {}, the last {}:", at, length)) + "\n" +
               event_table(report, options, style) + verdict(report, style) + "\n";
    }
    source::Host host = report.host;
    host.machine.clear();
    const std::string what = fmt::format("ipcscope {}: {}{}", report.of_capture ? "report" : "stat",
                                         glued(length), machine_text(host));
    return wrap(what, std::max(options.width, kLeastWidth), "", "  ") + "\n" +
           event_table(report, options, style) + pairing_table(report, options, style) +
           ledger_table(report, options, style) + verdict(report, style);
}

}  // namespace ipcscope::render
