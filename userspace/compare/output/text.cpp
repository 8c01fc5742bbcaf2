// SPDX-License-Identifier: GPL-2.0-only
// Findings first, then latencies, then waits; what did not change is a number.
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "bench/output/page.hpp"
#include "bench/output/text_table.hpp"
#include "compare/output/output.hpp"

namespace ipcscope::compare {
namespace {

using bench::Section;
using bench::Verdict;
using render::Style;

/// A change of a wait by less than this share of the trace is not shown.
constexpr double kLeastShare = 0.001;

std::string plain(std::string text, const Style& style)
{
    std::ranges::replace(text, kGlue, ' ');
    return bench::safe_text(style.plain(std::move(text)), style);
}

/// The sides by their names, and what their traces differ in.
Section heading(const ReportDiff& diff, const Style& style)
{
    Section section{"What changed from A to B"};
    const auto side = [&](const char* letter, const std::string& name, std::uint64_t window_ns) {
        section.intro.push_back(fmt::format("{}: {}, {}", letter, bench::safe_text(name, style),
                                            glued(style.time(window_ns))));
    };
    side("A", diff.name_a, diff.window_a_ns);
    side("B", diff.name_b, diff.window_b_ns);
    section.notes = bench::difference_lines(diff.differences, style);
    return section;
}

std::string finding_line(const FindingChange& change, const Style& style)
{
    const std::uint64_t times = std::max(change.count_a, change.count_b);
    const std::string repeated =
        times == 1 ? "" : fmt::format(" ({})", glued(counted(times, "time", "times")));
    return fmt::format("{} {}{}: {}", diagnose::name(change.severity), diagnose::info(change.code).name, repeated,
                       plain(change.text, style));
}

Section findings(const ReportDiff& diff, const Style& style)
{
    Section section{"Findings"};
    std::size_t same = 0;
    for (const FindingChange& change : diff.findings) {
        const bool both = !change.appeared() && !change.disappeared();
        if (both) {
            ++same;
        } else {
            section.notes.push_back(fmt::format("{} {}", change.appeared() ? "only in B:" : "only in A:",
                                                finding_line(change, style)));
        }
    }
    section.intro.push_back(fmt::format("{} in both.", counted(same, "finding", "findings")));
    return section;
}

std::vector<std::string> cells(const LatencyChange& change, const Style& style)
{
    const auto time = [&](const std::optional<bench::Estimate>& estimate) {
        return estimate ? bench::time_text(estimate->median, style) : style.none();
    };
    const auto percent = [&](double bench::Estimate::* part) {
        return change.ratio ? bench::percent_text((*change.ratio).*part, style) : style.none();
    };
    // Of too few values the interval is not the one that the notes promise.
    const bool proven = change.ratio && change.ratio->confidence >= bench::kMinConfidence;
    const std::string verdict = change.verdict == Verdict::worse
                                    ? "WORSE"
                                    : std::string(bench::name_of(change.verdict));
    return {bench::safe_text(style.plain(change.what), style),
            time(change.a), time(change.b), percent(&bench::Estimate::median),
            proven ? percent(&bench::Estimate::low) : style.none(),
            proven ? percent(&bench::Estimate::high) : style.none(), verdict};
}

/// At most `top` of the rows, and how many more there are.
template <typename Rows, typename Add>
void add_rows(Section& section, const Rows& rows, std::size_t top, Add add)
{
    const std::size_t shown = top == 0 ? rows.size() : std::min(top, rows.size());
    for (std::size_t i = 0; i < shown; ++i) {
        add(rows[i]);
    }
    if (shown < rows.size()) {
        section.notes.push_back(
            fmt::format("{} more (--top 0 shows all).", grouped(rows.size() - shown)));
    }
}

Section latencies(const ReportDiff& diff, const Style& style, std::size_t top)
{
    const auto count = [&](Verdict verdict) { return diff.count(verdict); };
    Section section{"Median latencies",
                    {fmt::format("{} worse, {} better, {} the same within {:g} %, {} unclear; {} only "
                                 "in A, {} only in B.",
                                 count(Verdict::worse), count(Verdict::better), count(Verdict::same),
                                 diff.fail_above_percent, count(Verdict::unclear),
                                 count(Verdict::only_a), count(Verdict::only_b))}};
    section.table.columns = {{"OF", "", true, 20}, {"A"}, {"B"}, {"CHANGE"}, {"FROM"}, {"TO"},
                             {"", "", true}};
    std::vector<const LatencyChange*> shown;
    for (const LatencyChange& change : diff.latencies) {
        if (change.verdict == Verdict::worse || change.verdict == Verdict::better ||
            change.verdict == Verdict::unclear) {
            shown.push_back(&change);
        }
    }
    add_rows(section, shown, top, [&](const LatencyChange* change) {
        section.table.row(cells(*change, style), change->verdict == Verdict::worse);
    });
    if (!shown.empty()) {
        section.notes.push_back(
            fmt::format("CHANGE is B against A; FROM and TO hold the true change of such a trace with "
                        "at least {:g} %. worse: slower beyond that interval and by more than {:g} %. "
                        "A few calls prove little: they are unclear, without an interval.",
                        bench::kMinConfidence * 100, diff.fail_above_percent));
    }
    return section;
}

std::string share_text(double share) { return fmt::format("{:.1f} %", share * 100); }

Section waits(const ReportDiff& diff, const Style& style, std::size_t top)
{
    Section section{"Waits, of the time of the trace"};
    section.table.columns = {{"WHO WAITED", "", true, 20}, {"A"}, {"B"}, {"CHANGE"}};
    std::vector<const WaitChange*> shown;
    for (const WaitChange& change : diff.waits) {
        if (std::abs(change.b - change.a) >= kLeastShare) {
            shown.push_back(&change);
        }
    }
    add_rows(section, shown, top, [&](const WaitChange* change) {
        section.table.row({bench::safe_text(style.plain(change->what), style),
                           change->in_a ? share_text(change->a) : style.none(),
                           change->in_b ? share_text(change->b) : style.none(),
                           !change->in_a   ? "only in B"
                           : !change->in_b ? "only in A"
                                           : fmt::format("{:+.1f} %", (change->b - change->a) * 100)});
    });
    section.intro.push_back(
        shown.empty() ? "None changed by 0.1 % or more."
                      : "Sums of all that are called so: above 100 % where several waited at once. "
                        "Each is one figure of one trace, without an interval.");
    return section;
}

Section warnings(const ReportDiff& diff, const Style& style)
{
    Section section{"Warnings"};
    section.warning = true;
    for (const std::string& warning : diff.warnings) {
        section.notes.push_back(bench::safe_text(warning, style));
    }
    return section;
}

}  // namespace

std::string text(const ReportDiff& diff, const bench::TextOptions& options, std::size_t top)
{
    const Style style{options.utf8, options.colour};
    std::vector<Section> sections{heading(diff, style), findings(diff, style),
                                  latencies(diff, style, top), waits(diff, style, top)};
    if (!diff.warnings.empty()) {
        sections.push_back(warnings(diff, style));
    }
    std::string out;
    for (const Section& section : sections) {
        out += (out.empty() ? "" : "\n") + section.text(options.widths(), style);
    }
    return out;
}

}  // namespace ipcscope::compare
