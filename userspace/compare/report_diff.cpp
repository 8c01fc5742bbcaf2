// SPDX-License-Identifier: GPL-2.0-only
#include "compare/report_diff.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "bench/stats.hpp"
#include "compare/rows.hpp"
#include "decode/names.hpp"

namespace ipcscope::compare {
namespace {

using aggregate::Report;
using bench::Verdict;
using diagnose::Finding;

/// Neighbours in a trace resemble each other: more values than these would make an interval
/// that is narrower than what the trace proves.
constexpr std::size_t kMostValues = 300;

/// The values themselves, or as many quantiles; at least 1 ns, for ratios.
std::vector<double> values_of(const Histogram& latency)
{
    std::vector<double> values;
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(latency.count(), kMostValues));
    for (std::size_t i = 0; i < count; ++i) {
        const double at = (static_cast<double>(i) + 0.5) / static_cast<double>(count);
        values.push_back(std::max(1.0, latency.interpolated(at)));
    }
    return values;
}

/// B / A of the medians that are shown, so that a row agrees with itself, in an interval of all
/// ratios, which is widened where it does not hold that.
bench::Estimate ratio(const LatencyChange& change, const std::vector<double>& a,
                      const std::vector<double>& b)
{
    bench::Estimate found = bench::ratio(a, b);
    found.median = change.b->median / change.a->median;
    found.low = std::min(found.low, found.median);
    found.high = std::max(found.high, found.median);
    return found;
}

LatencyChange latency_change(const std::string& what, const Histogram* a, const Histogram* b,
                             double limit)
{
    LatencyChange change;
    change.what = what;
    const auto values = [](const Histogram* latency) {
        return latency == nullptr ? std::vector<double>{} : values_of(*latency);
    };
    const std::vector<double> of_a = values(a), of_b = values(b);
    if (a != nullptr) {
        change.count_a = a->count();
        change.a = bench::estimate(of_a);
    }
    if (b != nullptr) {
        change.count_b = b->count();
        change.b = bench::estimate(of_b);
    }
    if (a == nullptr || b == nullptr) {
        change.verdict = a == nullptr ? Verdict::only_b : Verdict::only_a;
        return change;
    }
    change.ratio = ratio(change, of_a, of_b);
    change.verdict = bench::verdict_of(*change.ratio, limit);
    return change;
}

/// Calls `visit` with each key of either map, and with what each has for it, or nullptr.
template <typename Map, typename Visit>
void for_each_key(const Map& a, const Map& b, Visit visit)
{
    const auto at = [](const Map& map, const auto& key) {
        const auto found = map.find(key);
        return found == map.end() ? nullptr : &found->second;
    };
    for (const auto& [key, value] : a) visit(key, &value, at(b, key));
    for (const auto& [key, value] : b)
        if (!a.contains(key)) visit(key, nullptr, &value);
}

std::vector<LatencyChange> latency_changes(const Report& a, const Report& b, double limit)
{
    std::vector<LatencyChange> changes;
    for_each_key(latencies_of(a), latencies_of(b),
                 [&](const std::string& what, const Histogram* of_a, const Histogram* of_b) {
                     changes.push_back(latency_change(what, of_a, of_b, limit));
                 });
    const auto size = [](const LatencyChange& change) {
        return change.ratio ? -std::abs(std::log(change.ratio->median)) : 0;
    };
    std::ranges::stable_sort(changes, [&](const LatencyChange& x, const LatencyChange& y) {
        return std::pair(x.verdict, size(x)) < std::pair(y.verdict, size(y));
    });
    return changes;
}

double share(const std::uint64_t* time_ns, std::uint64_t window)
{
    return time_ns == nullptr || window == 0
               ? 0
               : static_cast<double>(*time_ns) / static_cast<double>(window);
}

std::vector<WaitChange> wait_changes(const Report& a, const Report& b)
{
    std::vector<WaitChange> changes;
    for_each_key(waits_of(a), waits_of(b),
                 [&](const std::string& what, const std::uint64_t* of_a, const std::uint64_t* of_b) {
                     const WaitChange change{what, share(of_a, window_ns(a)), share(of_b, window_ns(b)),
                                             of_a != nullptr, of_b != nullptr};
                     if (change.a != 0 || change.b != 0) {
                         changes.push_back(change);
                     }
                 });
    std::ranges::stable_sort(changes, std::greater{},
                             [](const WaitChange& change) { return std::abs(change.b - change.a); });
    return changes;
}

/// Its code, and whom it is about, by name and role.
using FindingKey = std::pair<diagnose::Code, std::string>;

FindingKey key_of(const Finding& finding)
{
    std::string about;
    for (const diagnose::Subject& subject : finding.subjects) {
        about += fmt::format("{}:{};", subject.role, subject.task.comm.text().str());
    }
    for (const diagnose::Object& object : finding.objects) {
        about += decode::object_name(object.type);
    }
    return {finding.code, about};
}

std::vector<FindingChange> finding_changes(const diagnose::Findings& a, const diagnose::Findings& b)
{
    std::map<FindingKey, FindingChange> changes;
    const auto add = [&](const Finding& finding, std::uint64_t FindingChange::* count) {
        FindingChange& change = changes[key_of(finding)];
        if (++(change.*count) == 1) {
            change.code = finding.code;
            change.severity = finding.severity;
            change.text = finding.text;
        }
    };
    for (const Finding& finding : a) add(finding, &FindingChange::count_a);
    for (const Finding& finding : b) add(finding, &FindingChange::count_b);
    std::vector<FindingChange> sorted;
    for (auto& [key, change] : changes) sorted.push_back(std::move(change));
    const auto rank = [](const FindingChange& change) {
        return std::tuple(!change.appeared(), !change.disappeared(), change.severity);
    };
    std::ranges::stable_sort(sorted, {}, rank);
    return sorted;
}

std::string list(const std::vector<std::string>& words)
{
    return fmt::format("{}", fmt::join(words, " "));
}

std::vector<bench::Difference> differences(const source::Host& a, const source::Host& b)
{
    std::vector<bench::Difference> found;
    const auto note = [&](const char* what, const std::string& of_a, const std::string& of_b) {
        if (of_a != of_b) found.push_back({what, of_a, of_b});
    };
    note("ipcscope", a.tool_version, b.tool_version);
    note("host", a.hostname, b.hostname);
    note("kernel", a.kernel, b.kernel);
    note("kernel build", a.version, b.version);
    note("machine", a.machine, b.machine);
    const auto cpus = [](const source::Host& host) {
        return host.cpus == 0 ? std::string() : std::to_string(host.cpus);
    };
    note("CPUs", cpus(a), cpus(b));
    note("backend", a.backend, b.backend);
    note("command", list(a.command), list(b.command));
    note("filters", list(a.filters), list(b.filters));
    note("hooks", list(a.hooks), list(b.hooks));
    return found;
}

void warn(std::vector<std::string>& warnings, const char* name, const Report& report)
{
    if (!report.complete) {
        warnings.push_back(fmt::format("{} is incomplete: {}", name, report.incomplete_why));
    }
    std::uint64_t lost = 0;
    for (const std::uint64_t count : report.loss.lost) lost = plus(lost, count);
    if (lost != 0) {
        warnings.push_back(fmt::format("{} lost {}: what is compared has gaps", name,
                                       counted(lost, "event", "events")));
    }
}

}  // namespace

std::size_t ReportDiff::count(Verdict verdict) const
{
    return static_cast<std::size_t>(std::ranges::count(latencies, verdict, &LatencyChange::verdict));
}

bool ReportDiff::regressed() const
{
    return count(Verdict::worse) != 0 || std::ranges::any_of(findings, [](const FindingChange& change) {
        return change.appeared() && change.severity != diagnose::Severity::note;
    });
}

ReportDiff compare(const Side& a, const Side& b, double fail_above_percent)
{
    ReportDiff diff;
    diff.name_a = a.name;
    diff.name_b = b.name;
    diff.window_a_ns = window_ns(a.report);
    diff.window_b_ns = window_ns(b.report);
    diff.fail_above_percent = fail_above_percent;
    diff.differences = differences(a.report.host, b.report.host);
    warn(diff.warnings, "A", a.report);
    warn(diff.warnings, "B", b.report);
    diff.findings = finding_changes(a.findings, b.findings);
    diff.latencies = latency_changes(a.report, b.report, 1 + fail_above_percent / 100);
    diff.waits = wait_changes(a.report, b.report);
    return diff;
}

}  // namespace ipcscope::compare
