// SPDX-License-Identifier: GPL-2.0-only
// The report for people: what was traced, findings, tables, the ledger.
#include "render/text.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

/// Strings of the host come from a capture file: nobody vouches for them.
std::string safe(const std::string& text) { return SafeText::escape(text).str(); }

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const std::string& word : words) {
        if (!out.empty()) out += ' ';
        out += safe(word);
    }
    return out;
}

bool saw_nothing(const aggregate::Report& report)
{
    return report.signals.empty() && report.pipes.empty() && report.kills.empty() &&
           report.calls.empty();
}

std::string verdict(const Page& page)
{
    const aggregate::Report& report = page.report;
    const std::uint64_t lost = total_lost(report.loss);
    std::string loss = "no event was lost";
    if (lost != 0)
        loss = fmt::format("{} lost: figures are lower bounds (see Loss)",
                           counted(lost, "event was", "events were"));
    else if (!report.loss.exact)
        loss = "the ledger does not close (see Loss)";
    if (report.complete) return "Complete; " + loss + ".";
    const std::string why = report.incomplete_why.empty() ? "the trace has no end"
                                                          : safe(report.incomplete_why);
    return fmt::format("INCOMPLETE: {}; {}.", why, loss);
}

std::string paint_lines(const std::string& lines, const Style& style)
{
    std::string out;
    for (std::size_t at = 0; at < lines.size();) {
        const std::size_t end = std::min(lines.find('\n', at), lines.size());
        out += style.red(std::string_view(lines).substr(at, end - at)) + '\n';
        at = end + 1;
    }
    return out;
}

std::string headline(const Page& page)
{
    const source::Host& host = page.report.host;
    std::string what = fmt::format("ipcscope: {} on {}, Linux {} {}, {}, {}",
                                   glued(page.style.time(page.duration_ns())),
                                   safe(host.hostname), safe(host.kernel),
                                   safe(host.machine), counted(host.cpus, "CPU", "CPUs"),
                                   safe(host.backend));
    std::string out = wrap(what, page.width, "", "  ");
    if (!host.command.empty())
        out += wrap(joined(host.command), page.width, "Command: ", "  ");
    if (!host.filters.empty())
        out += wrap(joined(host.filters), page.width, "Filters: ", "  ");
    const std::string last = wrap(verdict(page), page.width, "", "  ");
    const bool good = page.report.complete && page.report.loss.exact &&
                      total_lost(page.report.loss) == 0;
    return out + (good ? last : paint_lines(last, page.style));
}

std::string nothing_seen(const Page& page)
{
    const source::Host& host = page.report.host;
    std::string out = page.title("Nothing was seen: no signal, no pipe call, no kill");
    const auto check = [&](const std::string& text) {
        out += wrap(text, page.width, "* ", "  ");
    };
    if (page.report.loss.filtered != 0)
        check(fmt::format("{} left out by the filters: are they too narrow?",
                          counted(page.report.loss.filtered, "event was",
                                  "events were")));
    else if (!host.filters.empty())
        check("Do the filters match what you are looking for? Pids are those of the "
              "initial pid namespace, not of a container.");
    if (total_lost(page.report.loss) != 0)
        check("Everything that happened was lost: see Loss for the cause.");
    if (host.hooks.empty())
        check("No hook was attached: `ipcscope doctor` tells what this kernel lacks.");
    check("Did it happen while the trace ran? A pipe call is seen when it returns; "
          "sockets, futexes and shared memory are not traced.");
    return out;
}

/// Where nothing stands out, say what was looked at.
std::string all_quiet(const Page& page)
{
    std::uint64_t signals = 0;
    for (const aggregate::SignalRow& row : page.report.signals)
        signals = plus(signals, sent(row));
    return wrap(fmt::format("Nothing stands out in {} and {}: no slow kill, no lost or "
                            "late signal, no stage that the others wait for.",
                            counted(signals, "signal", "signals"),
                            counted(page.report.pipes.size(), "pipe", "pipes")),
                page.width, "  ", "  ");
}

std::string findings(const Page& page)
{
    Findings found;
    find_kills(page, found);
    find_ignored(page, found);
    find_hangs(page, found);
    find_slow_stages(page, found);
    find_bad_signals(page, found);
    find_small_rings(page, found);
    std::string out = page.title("Findings");
    if (found.empty()) return out + all_quiet(page);
    for (const Finding& finding : found) {
        const std::string lines = wrap(finding.text, page.width, "* ", "  ");
        out += finding.alarming ? paint_lines(lines, page.style) : lines;
        for (const std::string& entry : finding.stack)
            out += "      " + fit(entry, page.width - 6, page.style) + '\n';
    }
    return out;
}

}  // namespace

std::uint64_t sent(const aggregate::SignalRow& row)
{
    std::uint64_t sum = 0;
    for (const std::uint64_t number : row.outcomes) sum = plus(sum, number);
    return sum;
}

std::uint64_t Page::duration_ns() const { return since(report.end_ns, report.host.start_ns); }

std::size_t Page::top(std::size_t size) const
{
    return options.top == 0 ? size : std::min(options.top, size);
}

std::string Page::more(std::size_t size) const
{
    if (top(size) == size) return {};
    return fmt::format("  {} {} more (--top=0 shows all)\n", style.dots(),
                       grouped(size - top(size)));
}

std::string text(const aggregate::Report& report, const TextOptions& options)
{
    const Page page{report, options, {options.utf8, options.colour},
                    std::max(options.width, kMinWidth)};
    std::string out = headline(page);
    const auto section = [&](const std::string& lines) {
        if (!lines.empty()) out += '\n' + lines;
    };
    if (saw_nothing(report)) {
        section(nothing_seen(page));
    } else {
        section(findings(page));
        section(kill_table(page));
        section(pipeline_tables(page));
        section(signal_table(page));
        if (options.histograms) section(latency_histograms(page));
        section(call_table(page));
        section(pipe_table(page));
    }
    section(loss_section(page));
    return out;
}

}  // namespace ipcscope::render
