// SPDX-License-Identifier: GPL-2.0-only
// Tables: kills, signals, latency, kernel calls.
#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "decode/decode.hpp"
#include "render/histogram.hpp"
#include "render/names.hpp"
#include "render/text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using aggregate::SignalRow;
using Align = Table::Align;

/// With more rows than this a table has one line per row.
constexpr std::size_t kDetailedRows = 10;
constexpr std::size_t kHistograms = 5;
constexpr std::uint64_t kWorthDrawing = 10;
constexpr std::size_t kLeastName = 8;

std::string quantile(const Histogram& latency, double q, const Style& style)
{
    return latency.count() == 0 ? style.none() : style.time(latency.quantile(q));
}

std::string longest(const Histogram& latency, const Style& style)
{
    return latency.count() == 0 ? style.none() : style.time(latency.max());
}

/// "12 to a handler, 3 ignored": everything that is not 0.
std::string fates(const SignalRow& row)
{
    struct Fate {
        std::uint64_t number;
        const char* what;
    };
    const Fate all[] = {
        {row.to_handler, "to a handler"},
        {row.by_default, "by default action"},
        {row.accepted, "accepted by sigwait or signalfd"},
        {row.died, "ended the process"},
        {row.outcomes[IPCSCOPE_RESULT_IGNORED], "ignored"},
        {row.outcomes[IPCSCOPE_RESULT_ALREADY_PENDING], "merged with one pending"},
        {row.outcomes[IPCSCOPE_RESULT_OVERFLOW], "lost to overflow"},
        {row.outcomes[IPCSCOPE_RESULT_INFO_LOST], "without siginfo"},
        {row.flushed, "discarded by a later one"},
        {row.pending, "pending at the end"},
        {row.target_exited, "target exited first"},
        {row.unseen, "end not seen"},
    };
    std::string text;
    for (const Fate& fate : all) {
        if (fate.number == 0) continue;
        if (!text.empty()) text += ", ";
        text += glued(fmt::format("{} {}", grouped(fate.number), fate.what));
    }
    return text;
}

/// Without offset and length, which the findings show.
std::string symbol(std::string_view entry)
{
    return std::string(entry.substr(0, entry.find('+')));
}

std::string orphans(const Page& page)
{
    if (page.report.orphans_unknown == 0) return {};
    return wrap(fmt::format("{} arrived whose sending was not seen: sent before the trace "
                            "began, or lost.",
                            counted(page.report.orphans_unknown, "signal", "signals")),
                page.width, "  ", "  ");
}

}  // namespace

std::string kill_table(const Page& page)
{
    const auto& kills = page.report.kills;
    if (kills.empty()) return {};
    Table table({{"AT"},
                 {"FROM", Align::left, kLeastName},
                 {"", Align::left},
                 {"TO", Align::left, kLeastName},
                 {"SIGNAL", Align::left},
                 {"", Align::left},
                 {"GONE IN"},
                 {"AGAIN"},
                 {"SLEPT IN", Align::left, kLeastName}});
    for (const auto& kill : std::span(kills).first(page.top(kills.size()))) {
        const auto died = kill.time_to_die_ns();
        table.row({page.style.time(since(kill.sent_ns, page.report.host.start_ns)),
                   sender_cell(kill.sender, kill.origin), page.style.arrow(),
                   cell(kill.target), decode::signal_name(kill.signal),
                   std::string(1, decode::state_letter(kill.state)),
                   died ? page.style.time(*died) : "stuck", count(kill.repeats),
                   symbol(sleeps_in(kill.stack))});
    }
    return page.title("Fatal signals to processes in D or K sleep") +
           table.str(page.width, page.style) + page.more(kills.size());
}

std::string signal_table(const Page& page)
{
    const auto& rows = page.report.signals;
    if (rows.empty()) return orphans(page);
    Table table({{"FROM", Align::left, kLeastName},
                 {"", Align::left},
                 {"TO", Align::left, kLeastName},
                 {"SIGNAL", Align::left},
                 {"SENT"},
                 {"TAKEN"},
                 {"P50"},
                 {"P99"},
                 {"MAX"}});
    for (const SignalRow& row : std::span(rows).first(page.top(rows.size()))) {
        table.row({sender_cell(row.sender, row.origin), page.style.arrow(), cell(row.target),
                   decode::signal_name(row.signal), count(sent(row)),
                   count(row.latency.count()), quantile(row.latency, 0.5, page.style),
                   quantile(row.latency, 0.99, page.style),
                   longest(row.latency, page.style)});
        if (rows.size() <= kDetailedRows) table.detail(fates(row));
    }
    return page.title("Signals: from generation to delivery") +
           table.str(page.width, page.style) + page.more(rows.size()) +
           orphans(page);
}

std::string latency_histograms(const Page& page)
{
    std::map<unsigned, Histogram> by_signal;
    for (const SignalRow& row : page.report.signals)
        if (row.latency.count() != 0) by_signal[row.signal].merge(row.latency);
    std::vector<std::pair<unsigned, const Histogram*>> most;
    for (const auto& [signal, latency] : by_signal)
        if (latency.count() >= kWorthDrawing) most.emplace_back(signal, &latency);
    std::ranges::stable_sort(most, std::ranges::greater{},
                             [](const auto& entry) { return entry.second->count(); });
    most.resize(std::min(most.size(), kHistograms));

    std::string out;
    for (const auto& [signal, latency] : most) {
        if (!out.empty()) out += '\n';
        out += page.title(fmt::format("Latency of {}: {} taken", decode::signal_name(signal),
                                      grouped(latency->count())));
        out += bars(*latency, page.width, page.style);
    }
    return out;
}

std::string call_table(const Page& page)
{
    if (page.report.calls.empty()) return {};
    Table table({{"CALL", Align::left, kLeastName},
                 {"COUNT"},
                 {"P50"},
                 {"P99"},
                 {"MAX"},
                 {"TOTAL"}});
    for (const aggregate::CallRow& row : page.report.calls)
        table.row({SafeText::escape(row.name).str(), count(row.count),
                   quantile(row.latency, 0.5, page.style),
                   quantile(row.latency, 0.99, page.style), longest(row.latency, page.style),
                   page.style.time(row.latency.sum())});
    return page.title("Kernel calls") + table.str(page.width, page.style);
}

}  // namespace ipcscope::render
