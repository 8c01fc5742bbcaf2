// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/safe_text.hpp"
#include "base/units.hpp"
#include "compare/output/output.hpp"

namespace ipcscope::compare {
namespace {

using Json = nlohmann::ordered_json;

std::string safe(const std::string& text) { return SafeText::escape(text).str(); }

/// Glue is a space.
std::string sentence(std::string text)
{
    std::ranges::replace(text, kGlue, ' ');
    return safe(text);
}

Json estimate(const std::optional<bench::Estimate>& estimate)
{
    if (!estimate) {
        return {};
    }
    return {{"median", estimate->median},
            {"low", estimate->low},
            {"high", estimate->high},
            {"confidence", estimate->confidence}};
}

Json findings(const ReportDiff& diff)
{
    Json out = Json::array();
    for (const FindingChange& change : diff.findings) {
        out.push_back({{"code", diagnose::info(change.code).name},
                       {"severity", diagnose::name(change.severity)},
                       {"count_a", change.count_a},
                       {"count_b", change.count_b},
                       {"text", sentence(change.text)}});
    }
    return out;
}

Json latencies(const ReportDiff& diff)
{
    Json out = Json::array();
    for (const LatencyChange& change : diff.latencies) {
        out.push_back({{"what", safe(change.what)},
                       {"count_a", change.count_a},
                       {"count_b", change.count_b},
                       {"verdict", bench::name_of(change.verdict)},
                       {"a_ns", estimate(change.a)},
                       {"b_ns", estimate(change.b)},
                       {"ratio", estimate(change.ratio)}});
    }
    return out;
}

}  // namespace

std::string json(const ReportDiff& diff)
{
    Json differences = Json::array(), waits = Json::array(), warnings = Json::array();
    for (const bench::Difference& difference : diff.differences) {
        differences.push_back({{"what", difference.what},
                               {"a", safe(difference.a)},
                               {"b", safe(difference.b)}});
    }
    for (const WaitChange& change : diff.waits) {
        waits.push_back({{"what", safe(change.what)}, {"a", change.a}, {"b", change.b}});
    }
    for (const std::string& warning : diff.warnings) {
        warnings.push_back(safe(warning));
    }
    const Json out{{"schema", "ipcscope.diff/1"},
                   {"a", {{"name", safe(diff.name_a)}, {"window_ns", diff.window_a_ns}}},
                   {"b", {{"name", safe(diff.name_b)}, {"window_ns", diff.window_b_ns}}},
                   {"fail_above_percent", diff.fail_above_percent},
                   {"regressed", diff.regressed()},
                   {"differences", std::move(differences)},
                   {"warnings", std::move(warnings)},
                   {"findings", findings(diff)},
                   {"latencies", latencies(diff)},
                   {"waits", std::move(waits)}};
    return out.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipcscope::compare
