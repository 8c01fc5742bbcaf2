// SPDX-License-Identifier: GPL-2.0-only
// Limits of the measurements: wide intervals, noise, failures, the machine.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/output/page.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

/// Half of the interval's width in parts of the median.
double half_width(const Estimate& estimate)
{
    return estimate.median > 0 ? (estimate.high - estimate.low) / estimate.median / 2 : 0;
}

bool is_noisy(const CaseResult& result)
{
    return std::ranges::any_of(result.rounds, &Round::noisy);
}

/// "0-3,8": CPUs as the kernel writes lists of them.
std::string cpu_list(const std::vector<unsigned>& cpus)
{
    std::string out;
    for (std::size_t at = 0; at < cpus.size();) {
        std::size_t end = at;
        while (end + 1 < cpus.size() && cpus[end + 1] == cpus[end] + 1) end++;
        if (!out.empty()) out += ',';
        out += end == at ? fmt::format("{}", cpus[at])
                         : fmt::format("{}-{}", cpus[at], cpus[end]);
        at = end + 1;
    }
    return out;
}

/// "spectre_v2" of "spectre_v2: Mitigation: Retpolines".
std::string mitigation_name(const std::string& line) { return line.substr(0, line.find(':')); }

}  // namespace

Section wide_intervals(const Page& page)
{
    constexpr double kWide = 0.05;
    constexpr std::size_t kMost = 8;
    std::vector<const CaseResult*> wide;
    for (const CaseResult& result : page.run.results) {
        if (measured(result) && half_width(result.estimate) > kWide) wide.push_back(&result);
    }
    if (wide.empty()) return {};
    std::ranges::stable_sort(wide, std::ranges::greater{}, [](const CaseResult* result) {
        return half_width(result->estimate);
    });
    Section section{fmt::format("Uncertain medians: the interval is wider than {}{:.0f} %",
                                page.plus_minus(), kWide * 100)};
    section.table.columns = {
        {"CASE", "", true, 20}, {"MEDIAN"}, {"FROM"}, {"TO"}, {"", "", true}};
    for (const CaseResult* result : std::span(wide).first(std::min(kMost, wide.size()))) {
        const Estimate& estimate = result->estimate;
        section.table.row({page.safe(key(result->what)), page.figure(*result, estimate.median),
                          page.figure(*result, estimate.low),
                          page.figure(*result, estimate.high),
                          is_noisy(*result) ? "noisy rounds" : ""});
    }
    if (wide.size() > kMost)
        section.notes.push_back(fmt::format("{} {} more, in --json and --csv.",
                                            page.style.dots(), wide.size() - kMost));
    return section;
}

Section failures(const Page& page)
{
    Section section{"Not measured"};
    section.warning = true;
    // One line for all cases of a mechanism that failed alike.
    std::vector<std::pair<std::string, std::vector<const CaseResult*>>> groups;
    for (const CaseResult& result : page.run.results) {
        if (!result.failed) continue;
        const std::string what = result.what.mechanism + '\n' + *result.failed;
        auto group = std::ranges::find(groups, what, [](const auto& one) { return one.first; });
        if (group == groups.end()) group = groups.insert(group, {what, {}});
        group->second.push_back(&result);
    }
    for (const auto& [what, results] : groups) {
        const CaseResult& first = *results.front();
        const std::string name = results.size() == 1
                                     ? key(first.what)
                                     : fmt::format("{} ({} cases)", first.what.mechanism,
                                                   results.size());
        section.notes.push_back(page.safe(name) + ": " + page.safe(*first.failed));
    }
    return section;
}

Section warnings(const Page& page)
{
    Section section{"Warnings"};
    section.warning = true;
    if (page.run.interrupted)
        section.notes.push_back("Interrupted: these are the rounds measured until then.");
    for (const std::string& warning : page.run.warnings)
        section.notes.push_back(page.safe(warning));
    return section;
}

Section environment(const Page& page)
{
    const Environment& e = page.run.environment;
    Section section{"Environment"};
    section.table.columns = {};
    const auto known = [&](const std::string& text) {
        return text.empty() ? "unknown" : page.safe(text);
    };
    section.notes.push_back(fmt::format(
        "{}: Linux {} {}, preemption {}, clock source {}", known(e.hostname), known(e.kernel),
        known(e.machine), known(e.preemption), known(e.clocksource)));
    section.notes.push_back(fmt::format(
        "{}; {} online, allowed {}; governor {}, SMT {}, hypervisor {}, load {:.2f}",
        known(e.cpu_model), counted(e.cpus_online, "CPU", "CPUs"),
        known(cpu_list(e.cpus_allowed)), known(e.governor), known(e.smt), known(e.hypervisor),
        e.load_average));
    if (!e.mitigations.empty()) {
        std::vector<std::string> names;
        for (const std::string& line : e.mitigations)
            names.push_back(page.safe(mitigation_name(line)));
        section.notes.push_back(fmt::format("mitigations: {}", fmt::join(names, ", ")));
    }
    section.notes.push_back(fmt::format(
        "reading the clock costs {:.1f} ns, the harness {:.1f} ns per sample; nothing is "
        "subtracted", e.clock_cost_ns, e.harness_cost_ns));
    if (e.ipcns) section.notes.push_back("in an IPC namespace of its own");
    section.notes.push_back(fmt::format("ipcscope {}, {} in {:.1f} s", known(e.tool_version),
                                        counted(page.run.results.size(), "case",
                                                        "cases"),
                                        page.run.elapsed_s));
    return section;
}

}  // namespace ipcscope::bench
