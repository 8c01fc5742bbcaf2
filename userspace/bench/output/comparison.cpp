// SPDX-License-Identifier: GPL-2.0-only
// The text of a comparison: regressions first, unchanged cases as a count.
#include <algorithm>

#include <fmt/format.h>

#include "bench/output/text_table.hpp"
#include "bench/output/output.hpp"
#include "bench/output/page.hpp"

namespace ipcscope::bench {
namespace {

using render::Style;

std::string figure_cell(const Change& change, const std::optional<Estimate>& estimate,
                        const Style& style)
{
    return estimate ? figure_text(change.what, estimate->median, style) : style.none();
}

std::string verdict_cell(const Change& change)
{
    switch (change.verdict) {
    case Verdict::broken: return "BROKEN";
    case Verdict::worse: return "WORSE";
    default: return std::string(name_of(change.verdict));
    }
}

bool is_regression(const Change& change)
{
    return change.verdict == Verdict::worse || change.verdict == Verdict::broken;
}

std::vector<std::string> cells(const Change& change, const Style& style)
{
    std::string by = style.none(), low = style.none(), high = style.none();
    if (change.ratio) {
        by = percent_text(change.ratio->median, style);
        low = percent_text(change.ratio->low, style);
        high = percent_text(change.ratio->high, style);
    }
    return {safe_text(change.key, style), figure_cell(change, change.a, style),
            figure_cell(change, change.b, style), by, low, high, verdict_cell(change)};
}

std::string summary(const Comparison& comparison)
{
    const auto count = [&](Verdict verdict) { return comparison.count(verdict); };
    return fmt::format("{} worse, {} better, {} the same within {:g} %, {} unclear{}{}.",
                       count(Verdict::worse), count(Verdict::better), count(Verdict::same),
                       comparison.fail_above_percent, count(Verdict::unclear),
                       count(Verdict::broken) == 0
                           ? ""
                           : fmt::format(", {} broken", count(Verdict::broken)),
                       count(Verdict::only_a) + count(Verdict::only_b) == 0
                           ? ""
                           : fmt::format("; {} only in A, {} only in B",
                                         count(Verdict::only_a), count(Verdict::only_b)));
}

/// The confidence that the intervals have, where it is less than was wanted.
std::string confidence_note(const Comparison& comparison)
{
    double least = 1;
    for (const Change& change : comparison.changes) {
        if (change.ratio) least = std::min(least, change.ratio->confidence);
    }
    std::string note = fmt::format(
        "CHANGE is B against A; FROM and TO hold the true change with at least {:.1f} %. "
        "worse: slower beyond that interval and by more than {:g} %.",
        least * 100, comparison.fail_above_percent);
    if (least < kMinConfidence)
        note += " Too few rounds for a verdict in some cases: measure with --rounds 5 or more.";
    return note;
}

Section changes_section(const Comparison& comparison, const Style& style)
{
    Section section{"Changes from A to B"};
    if (!comparison.name_a.empty()) {
        section.intro.push_back(fmt::format("A is {}, B is {}.",
                                            safe_text(comparison.name_a, style),
                                            safe_text(comparison.name_b, style)));
    }
    section.intro.push_back(summary(comparison));
    section.table.columns = {{"CASE", "", true, 20}, {"A"}, {"B"}, {"CHANGE"}, {"FROM"},
                            {"TO"}, {"", "", true}};
    std::vector<const Change*> shown;
    for (const Change& change : comparison.changes) {
        // A run of some mechanisms is often compared with a run of all.
        if (change.verdict < Verdict::unmeasured && change.verdict != Verdict::same)
            shown.push_back(&change);
    }
    std::ranges::stable_sort(shown, {}, [](const Change* change) { return change->verdict; });
    for (const Change* change : shown)
        section.table.row(cells(*change, style), is_regression(*change));
    section.notes.push_back(confidence_note(comparison));
    return section;
}

Section reasons(const Comparison& comparison, const Style& style)
{
    Section section{"Not compared"};
    for (const Change& change : comparison.changes) {
        if (change.verdict == Verdict::broken || change.verdict == Verdict::unmeasured)
            section.notes.push_back(safe_text(change.key, style) + ": " +
                                    safe_text(change.why, style));
    }
    return section;
}

Section differences_section(const Comparison& comparison, const Style& style)
{
    Section section{"The runs differ in"};
    section.notes = difference_lines(comparison.differences, style);
    return section;
}

Section warnings(const Comparison& comparison, const Style& style)
{
    Section section{"Warnings"};
    section.warning = true;
    for (const std::string& warning : comparison.warnings)
        section.notes.push_back(safe_text(warning, style));
    return section;
}

std::vector<Section> sections(const Comparison& comparison, const Style& style)
{
    std::vector<Section> all{changes_section(comparison, style)};
    for (Section section : {reasons(comparison, style), differences_section(comparison, style),
                            warnings(comparison, style)}) {
        if (!section.notes.empty()) all.push_back(std::move(section));
    }
    return all;
}

}  // namespace

std::string percent_text(double ratio, const Style& style)
{
    if (ratio >= 10) return fmt::format("{:.0f}{}", std::min(ratio, 1e6), style.utf8 ? "×" : "x");
    return fmt::format("{:+.1f} %", (ratio - 1) * 100);
}

std::vector<std::string> difference_lines(std::span<const Difference> differences,
                                          const Style& style)
{
    const auto shown = [&](const std::string& text) {
        return text.empty() ? std::string("unknown") : safe_text(text, style);
    };
    std::vector<std::string> lines;
    for (const Difference& difference : differences) {
        lines.push_back(fmt::format("{}: {} {} {}", difference.what, shown(difference.a),
                                    style.arrow(), shown(difference.b)));
    }
    return lines;
}

std::string text(const Comparison& comparison, const TextOptions& options)
{
    const Style style{options.utf8, options.colour};
    std::string out;
    for (const Section& section : sections(comparison, style)) {
        if (!out.empty()) out += '\n';
        out += section.text(options.widths(), style);
    }
    return out;
}

std::string markdown(const Comparison& comparison)
{
    std::string out;
    for (const Section& section : sections(comparison, {})) out += section.markdown();
    return out;
}

}  // namespace ipcscope::bench
