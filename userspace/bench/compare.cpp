// SPDX-License-Identifier: GPL-2.0-only
#include "bench/compare.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "bench/stats.hpp"

namespace ipcscope::bench {
namespace {

constexpr std::array<std::string_view, 8> kVerdicts{
    "broken", "worse", "better", "unclear", "same", "unmeasured", "only_a", "only_b"};
static_assert(kVerdicts.size() == static_cast<std::size_t>(Verdict::only_b) + 1);

std::vector<double> values(const CaseResult& result)
{
    std::vector<double> values;
    for (const Round& round : result.rounds) values.push_back(round.value);
    return values;
}

/// Why a result has nothing to compare; empty where it has.
std::string unusable_reason(const CaseResult& result)
{
    if (result.failed) return *result.failed;
    if (result.rounds.empty()) return "no round was measured";
    const bool positive = std::ranges::all_of(
        result.rounds, [](const Round& round) { return round.value > 0; });
    return positive ? "" : "a round measured nothing";
}

/// The interval as slowness of B against A: above 1 is worse.
Estimate slowness(const Change& change)
{
    const Estimate& ratio = *change.ratio;
    if (!change.higher_is_better()) return ratio;
    return {1 / ratio.median, 1 / ratio.high, 1 / ratio.low, ratio.confidence};
}

Change compare_case(const CaseResult& a, const CaseResult& b, double limit)
{
    Change change;
    change.key = key(b.what);
    change.what = b.what;
    const std::string why_a = unusable_reason(a);
    const std::string why_b = unusable_reason(b);
    if (why_a.empty()) change.a = a.estimate;
    if (why_b.empty()) change.b = b.estimate;
    if (!why_a.empty()) {
        change.verdict = Verdict::unmeasured;
        change.why = why_a;
    } else if (!why_b.empty()) {
        change.verdict = Verdict::broken;
        change.why = why_b;
    } else {
        change.ratio = ratio(values(a), values(b));
        // As the medians that stand beside it: that of all pairs can be another.
        change.ratio->median = std::clamp(change.b->median / change.a->median,
                                          change.ratio->low, change.ratio->high);
        change.verdict = verdict_of(slowness(change), limit);
    }
    return change;
}

Change one_sided(const CaseResult& only, Verdict verdict)
{
    Change change;
    change.key = key(only.what);
    change.what = only.what;
    change.verdict = verdict;
    change.why = unusable_reason(only);
    if (change.why.empty())
        (verdict == Verdict::only_a ? change.a : change.b) = only.estimate;
    return change;
}

/// The results of A that no case of B has taken yet, by key.
class UnmatchedResults {
public:
    explicit UnmatchedResults(const std::vector<CaseResult>& results)
    {
        for (const CaseResult& result : results) by_key_[key(result.what)].push_back(&result);
    }

    /// The one on the same CPUs (a matrix has many of one key), else the first.
    const CaseResult* take(const CaseResult& like)
    {
        const auto found = by_key_.find(key(like.what));
        if (found == by_key_.end() || found->second.empty()) return nullptr;
        auto& candidates = found->second;
        auto same = std::ranges::find_if(candidates, [&](const CaseResult* candidate) {
            return candidate->what.placement == like.what.placement;
        });
        if (same == candidates.end()) same = candidates.begin();
        const CaseResult* taken = *same;
        candidates.erase(same);
        return taken;
    }

    bool has(const CaseResult& result) const
    {
        const auto found = by_key_.find(key(result.what));
        return found != by_key_.end() && std::ranges::count(found->second, &result) != 0;
    }

private:
    std::map<std::string, std::vector<const CaseResult*>> by_key_;
};

std::string joined(const std::vector<std::string>& lines)
{
    return fmt::format("{}", fmt::join(lines, "; "));
}

}  // namespace

Verdict verdict_of(const Estimate& slowness, double limit)
{
    if (slowness.confidence < kMinConfidence) return Verdict::unclear;
    const bool slower = slowness.low > 1;
    const bool faster = slowness.high < 1;
    if (slower && slowness.median > limit) return Verdict::worse;
    if (faster && slowness.median < 1 / limit) return Verdict::better;
    // A significant change below the limit.
    if (slower || faster) return Verdict::same;
    return slowness.high <= limit && slowness.low >= 1 / limit ? Verdict::same : Verdict::unclear;
}

std::string_view name_of(Verdict verdict)
{
    return kVerdicts[static_cast<std::size_t>(verdict)];
}

std::size_t Comparison::count(Verdict verdict) const
{
    return static_cast<std::size_t>(std::ranges::count(changes, verdict, &Change::verdict));
}

bool Comparison::no_common_cases() const
{
    return std::ranges::none_of(changes, [](const Change& change) {
        return change.ratio || change.verdict == Verdict::broken;
    });
}

Comparison compare(const Run& a, const Run& b, double fail_above_percent)
{
    Comparison found;
    found.fail_above_percent = fail_above_percent;
    found.differences = differences(a.environment, b.environment);
    for (const auto& [name, run] : {std::pair("A", &a), std::pair("B", &b)}) {
        for (const std::string& warning : run->warnings)
            found.warnings.push_back(fmt::format("{}: {}", name, warning));
        if (run->interrupted) found.warnings.push_back(fmt::format("{}: interrupted", name));
    }
    const double limit = 1 + fail_above_percent / 100;
    UnmatchedResults left(a.results);
    for (const CaseResult& result : b.results) {
        const CaseResult* base = left.take(result);
        found.changes.push_back(base == nullptr ? one_sided(result, Verdict::only_b)
                                                : compare_case(*base, result, limit));
    }
    for (const CaseResult& result : a.results) {
        if (left.has(result)) found.changes.push_back(one_sided(result, Verdict::only_a));
    }
    return found;
}

std::vector<Difference> differences(const Environment& a, const Environment& b)
{
    std::vector<Difference> found;
    const auto note = [&](const char* what, const std::string& of_a, const std::string& of_b) {
        if (of_a != of_b) found.push_back({what, of_a, of_b});
    };
    note("ipcscope", a.tool_version, b.tool_version);
    note("host", a.hostname, b.hostname);
    note("kernel", a.kernel, b.kernel);
    note("kernel build", a.kernel_version, b.kernel_version);
    note("machine", a.machine, b.machine);
    note("CPU", a.cpu_model, b.cpu_model);
    note("CPUs online", std::to_string(a.cpus_online), std::to_string(b.cpus_online));
    note("CPUs allowed", fmt::format("{}", fmt::join(a.cpus_allowed, ",")),
         fmt::format("{}", fmt::join(b.cpus_allowed, ",")));
    note("governor", a.governor, b.governor);
    note("SMT", a.smt, b.smt);
    note("mitigations", joined(a.mitigations), joined(b.mitigations));
    note("hypervisor", a.hypervisor, b.hypervisor);
    note("clock source", a.clocksource, b.clocksource);
    note("preemption", a.preemption, b.preemption);
    note("IPC namespace of its own", a.ipcns ? "yes" : "no", b.ipcns ? "yes" : "no");
    return found;
}

}  // namespace ipcscope::bench
