// SPDX-License-Identifier: GPL-2.0-only
// Tables: kills, signals, their handlers, latency, kernel calls.
#include <algorithm>
#include <csignal>
#include <map>
#include <span>

#include <fmt/format.h>
#include <ipcscope/policy.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/words.hpp"
#include "render/folded.hpp"
#include "render/histogram.hpp"
#include "render/json_text.hpp"
#include "render/names.hpp"
#include "render/text.hpp"

namespace ipcscope::render {
namespace {

using aggregate::End;
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

/// What became of those that the kernel dropped as they were sent.
const char* ignored(const SignalRow& row)
{
    if (row.signal == IPCSCOPE_SIGKILL && row.to_unkillable == 0) {
        return "as it was ending already";
    }
    return row.signal == IPCSCOPE_SIGCONT ? "with no handler for it" : "ignored";
}

/// "12 to a handler, 3 ignored": everything that is not 0.
std::string fates(const SignalRow& row)
{
    struct Fate {
        std::uint64_t number;
        const char* what;
    };
    const Fate all[] = {
        {row.at(End::handler), "to a handler"},
        {row.at(End::standard), "by default action"},
        {row.at(End::ignored), "taken and ignored"},
        {row.at(End::sigwait), "accepted by sigwait"},
        {row.at(End::signalfd), "read from a signalfd"},
        {row.at(End::debugger), "taken by a debugger"},
        {row.at(End::kernel_thread), "taken by a kernel thread"},
        {row.at(End::death), "ended the process"},
        {row.outcomes[IPCSCOPE_RESULT_IGNORED], ignored(row)},
        {row.outcomes[IPCSCOPE_RESULT_ALREADY_PENDING], "merged with one pending"},
        {row.outcomes[IPCSCOPE_RESULT_OVERFLOW], "lost to overflow"},
        {row.outcomes[IPCSCOPE_RESULT_INFO_LOST], "without siginfo"},
        {row.requeued, "put back, as the target blocked them"},
        {row.at(End::flushed), "discarded by a later one"},
        {row.at(End::discarded), "discarded, as sigaction() set it to be ignored"},
        {row.at(End::pending), "pending at the end"},
        {row.at(End::target_exited), "target exited first"},
        {row.at(End::unseen), "end not seen"},
        {row.at(End::outside), "to a process outside the trace"},
    };
    std::string text;
    for (const Fate& fate : all) {
        if (fate.number == 0) continue;
        if (!text.empty()) text += ", ";
        text += glued(fmt::format("{} {}", grouped(fate.number), fate.what));
    }
    return text;
}

/// "true ×150", "150 programs"
Table::Cell senders_cell(const SignalLine& line, const Style& style)
{
    if (line.senders.size() == 1 || !decode::names_sender(line.row.origin))
        return sender_cell(line.row.sender, line.row.origin);
    if (line.one_name) return cell(line.row.sender, line.senders.size(), style);
    return fmt::format("{} processes", line.senders.size());
}

/// What became of those that did not return.
std::string not_returned(const aggregate::HandlerRow& row)
{
    std::string text;
    const auto add = [&](std::uint64_t number, const char* what) {
        if (number == 0) return;
        if (!text.empty()) text += ", ";
        text += glued(fmt::format("{} {}", grouped(number), what));
    };
    add(row.left, "left by siglongjmp()");
    add(row.cut, "ended with its thread, or by an exec");
    add(row.running, "running at the end");
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
                 {"TIME TO DIE"},
                 {"REPEATS"},
                 {"WAIT CHANNEL", Align::left, kLeastName}});
    for (const auto& kill : std::span(kills).first(page.top(kills.size()))) {
        const auto died = kill.time_to_die_ns();
        table.row({page.style.time(since(kill.sent_ns, page.report.host.start_ns)),
                   sender_cell(kill.sender, kill.origin), page.style.arrow(),
                   cell(kill.target), decode::signal_name(kill.signal),
                   std::string(1, decode::state_letter(kill.state)),
                   died ? page.style.time(*died) : "stuck", count(kill.repeats),
                   symbol(diagnose::sleeps_in(kill.stack))});
    }
    return page.title("Fatal signals to processes in D or K sleep") +
           table.str(page.width, page.style) + page.more(kills.size());
}

std::string signal_table(const Page& page)
{
    const std::vector<SignalLine> lines = folded(page);
    if (lines.empty()) return orphans(page);
    Table table({{"FROM", Align::left, kLeastName},
                 {"", Align::left},
                 {"TO", Align::left, kLeastName},
                 {"SIGNAL", Align::left},
                 {"SENT"},
                 {"TAKEN"},
                 {"P50"},
                 {"P99"},
                 {"MAX"}});
    for (const SignalLine& line : std::span(lines).first(page.top(lines.size()))) {
        const SignalRow& row = line.row;
        table.row({senders_cell(line, page.style), page.style.arrow(),
                   cell(row.target, line.targets.size(), page.style),
                   decode::signal_name(row.signal), count(diagnose::sent(row)),
                   count(row.latency.count()), quantile(row.latency, 0.5, page.style),
                   quantile(row.latency, 0.99, page.style),
                   longest(row.latency, page.style)});
        if (lines.size() <= kDetailedRows) table.detail(fates(row));
    }
    return page.title("Signals: from generation to delivery") +
           table.str(page.width, page.style) + page.more(lines.size()) +
           orphans(page);
}

std::string handler_table(const Page& page)
{
    const auto& rows = page.report.handlers;
    if (rows.empty()) return {};
    Table table({{"PROCESS", Align::left, kLeastName},
                 {"SIGNAL", Align::left},
                 {"RUNS"},
                 {"P50"},
                 {"P99"},
                 {"MAX"},
                 {"TOTAL"},
                 {"NESTED"}});
    for (const aggregate::HandlerRow& row : std::span(rows).first(page.top(rows.size()))) {
        table.row({cell(row.task), decode::signal_name(row.signal), count(row.count()),
                   quantile(row.time, 0.5, page.style), quantile(row.time, 0.99, page.style),
                   longest(row.time, page.style),
                   row.time.count() == 0 ? page.style.none() : page.style.time(row.time.sum()),
                   count(row.depth)});
        if (const std::string more = not_returned(row); !more.empty()) table.detail(more);
    }
    return page.title("Handlers of signals: from set-up to return") +
           table.str(page.width, page.style) + page.more(rows.size());
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
        // Every command that a shell runs sends one: the row in the table is enough.
        out += signal == SIGCHLD && page.options.top != 0
                   ? fmt::format("  {} (--top=0 draws it)\n", page.style.dots())
                   : bars(*latency, page.width, page.style);
    }
    return out;
}

std::string call_table(const Page& page)
{
    if (page.report.calls.empty()) return {};
    Table table({{"FUNCTION", Align::left, kLeastName},
                 {"COUNT"},
                 {"P50"},
                 {"P99"},
                 {"MAX"},
                 {"TOTAL"}});
    for (const aggregate::CallRow& row : page.report.calls)
        // The core of sending has another suffix in each kernel.
        table.row({row.function == aggregate::KernelFunction::send ? "__send_signal*" : "get_signal",
                   count(row.count),
                   quantile(row.latency, 0.5, page.style),
                   quantile(row.latency, 0.99, page.style), longest(row.latency, page.style),
                   page.style.time(row.latency.sum())});
    return page.title("Time in kernel functions") + table.str(page.width, page.style);
}

}  // namespace ipcscope::render
