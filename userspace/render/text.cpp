// SPDX-License-Identifier: GPL-2.0-only
// The report for people: what was traced, findings, tables, the ledger.
#include "render/text.hpp"

#include <algorithm>
#include <map>
#include <span>

#include <fmt/format.h>

#include "base/units.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/words.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace {

constexpr std::size_t kShownOfCode = 5;
constexpr std::size_t kShownFrames = 8;
constexpr std::size_t kShownIdentities = 4;

std::string joined(const std::vector<std::string>& words)
{
    std::string out;
    for (const std::string& word : words) {
        if (!out.empty()) out += ' ';
        out += safe(word);
    }
    return out;
}

std::string verdict(const Page& page)
{
    const aggregate::Report& report = page.report;
    const std::uint64_t lost = diagnose::total_lost(report.loss);
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
    const std::string what =
        "ipcscope: " + glued(page.style.time(page.duration_ns())) + machine_text(host);
    std::string out = wrap(what, page.width, "", "  ");
    if (!host.command.empty())
        out += wrap(joined(host.command), page.width, "Command: ", "  ");
    if (!host.filters.empty())
        out += wrap(joined(host.filters), page.width, "Filters: ", "  ");
    const std::string last = wrap(verdict(page), page.width, "", "  ");
    const bool good = page.report.complete && page.report.loss.exact &&
                      diagnose::total_lost(page.report.loss) == 0;
    return out + (good ? last : paint_lines(last, page.style));
}

std::string nothing_seen(const Page& page)
{
    std::string out = page.title("Nothing was seen: no signal, no pipe call, no kill");
    for (const std::string& check : diagnose::what_to_check(page.report)) {
        out += wrap(check, page.width, "* ", "  ");
    }
    return out;
}

std::string stack_lines(const std::vector<std::string>& stack, const Page& page)
{
    const std::size_t shown = stack.size() <= kShownFrames ? stack.size() : kShownFrames - 1;
    std::string out;
    for (const std::string& entry : std::span(stack).first(shown)) {
        out += "      " + fit(entry, page.width - 6, page.style) + '\n';
    }
    if (shown < stack.size()) {
        out += fmt::format("      {} {} more\n", page.style.dots(), stack.size() - shown);
    }
    return out;
}

std::string finding_lines(const diagnose::Finding& finding, const Page& page)
{
    std::string text = finding.text;
    if (!finding.advice.empty()) {
        text += ' ' + finding.advice;
    }
    const std::string lines = wrap(page.style.plain(std::move(text)), page.width, "* ", "  ");
    return finding.severity == diagnose::Severity::error ? paint_lines(lines, page.style)
                                                         : lines;
}

/// Who sent the signal, and who got it.
std::string identity_lines(const diagnose::Finding& finding, const Page& page)
{
    std::string out;
    std::size_t shown = 0, left = 0;
    for (const diagnose::Subject& subject : finding.subjects) {
        const std::string text = diagnose::identity(subject);
        if (!text.empty() && shown == kShownIdentities) {
            ++left;
        } else if (!text.empty()) {
            out += wrap(page.style.plain(text), page.width, "      ", "        ");
            ++shown;
        }
    }
    return left == 0 ? out : out + fmt::format("      {} {} more\n", page.style.dots(), left);
}

/// "… 12 more: 10 slow-stage, 2 kill-stuck (--top=0 shows all)"
std::string not_shown(const std::map<diagnose::Code, std::size_t>& left, const Page& page)
{
    std::size_t all = 0;
    std::string codes;
    for (const auto& [code, number] : left) {
        all += number;
        codes += fmt::format("{}{} {}", codes.empty() ? "" : ", ", number,
                             diagnose::info(code).name);
    }
    if (all == 0) {
        return {};
    }
    return wrap(fmt::format("{} {} more: {} (--top=0 shows all)", page.style.dots(), all, codes),
                page.width, "  ", "  ");
}

std::string findings(const Page& page)
{
    std::string out = page.title("Findings");
    if (page.findings.empty()) {
        return out + wrap(diagnose::all_quiet(page.report), page.width, "  ", "  ");
    }
    const std::size_t most = page.options.top == 0 ? page.findings.size()
                                                   : std::min(page.options.top, kShownOfCode);
    std::map<diagnose::Code, std::size_t> shown;
    std::map<diagnose::Code, std::size_t> left;
    const std::vector<std::string>* above = nullptr;
    for (const diagnose::Finding& finding : page.findings) {
        if (shown[finding.code] == most) {
            ++left[finding.code];
            continue;
        }
        ++shown[finding.code];
        out += finding_lines(finding, page) + identity_lines(finding, page);
        if (above != nullptr && !finding.stack.empty() && *above == finding.stack) {
            out += "      (the same stack)\n";
        } else {
            out += stack_lines(finding.stack, page);
        }
        above = &finding.stack;
    }
    return out + not_shown(left, page);
}

}  // namespace

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

std::string Page::others(std::size_t number, const char* what) const
{
    if (number == 0) return {};
    return wrap(fmt::format("{} {} other {} {}", style.dots(), grouped(number), what,
                            glued("(--top=0 shows all)")),
                width, "  ", "    ");
}

std::string text(const aggregate::Report& report, const diagnose::Findings& findings_of_report,
                 const TextOptions& options)
{
    const Page page{report, findings_of_report, options, {options.utf8, options.colour},
                    std::max(options.width, kLeastWidth)};
    std::string out = headline(page);
    const auto section = [&](const std::string& lines) {
        if (!lines.empty()) out += '\n' + lines;
    };
    if (diagnose::saw_nothing(report)) {
        section(nothing_seen(page));
    } else {
        section(findings(page));
        section(kill_table(page));
        section(pipeline_tables(page));
        section(process_table(page));
        section(signal_table(page));
        section(handler_table(page));
        if (options.histograms) section(latency_histograms(page));
        section(call_table(page));
        section(wait_table(page));
        section(pipe_table(page));
        section(object_table(page));
        section(socket_table(page));
    }
    section(loss_section(page));
    return out;
}

}  // namespace ipcscope::render
