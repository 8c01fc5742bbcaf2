// SPDX-License-Identifier: GPL-2.0-only
// A run and a comparison as JSON.  docs/bench-json.md describes what each field
// means; docs/bench.schema.json is checked against this by the unit tests.
#include <cmath>

#include <nlohmann/json.hpp>

#include "base/safe_text.hpp"
#include "bench/output/output.hpp"
#include "bench/enum_names.hpp"
#include "render/histogram_json.hpp"

namespace ipcscope::bench {
namespace {

using Json = nlohmann::ordered_json;

std::string safe(std::string_view text) { return SafeText::escape(text).str(); }

Json safe_list(const std::vector<std::string>& lines)
{
    Json list = Json::array();
    for (const std::string& line : lines) list.push_back(safe(line));
    return list;
}

std::string dumped(const Json& json)
{
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json environment(const Environment& e)
{
    return {{"tool_version", safe(e.tool_version)},
            {"hostname", safe(e.hostname)},
            {"kernel", safe(e.kernel)},
            {"kernel_version", safe(e.kernel_version)},
            {"machine", safe(e.machine)},
            {"cpu_model", safe(e.cpu_model)},
            {"cpus_online", e.cpus_online},
            {"cpus_allowed", e.cpus_allowed},
            {"governor", safe(e.governor)},
            {"smt", safe(e.smt)},
            {"mitigations", safe_list(e.mitigations)},
            {"hypervisor", safe(e.hypervisor)},
            {"clocksource", safe(e.clocksource)},
            {"preemption", safe(e.preemption)},
            {"load_average", e.load_average},
            {"clock_cost_ns", e.clock_cost_ns},
            {"harness_cost_ns", e.harness_cost_ns},
            {"ipcns", e.ipcns},
            {"started_unix_ns", e.started_unix_ns}};
}

Json estimate_json(const Estimate& estimate)
{
    return {{"median", estimate.median},
            {"low", estimate.low},
            {"high", estimate.high},
            {"confidence", estimate.confidence}};
}

Json estimate_or_null(const std::optional<Estimate>& estimate)
{
    return estimate ? estimate_json(*estimate) : Json();
}

Json rounds(const std::vector<Round>& rounds)
{
    Json list = Json::array();
    for (const Round& round : rounds)
        list.push_back({{"value", round.value},
                        {"messages", round.messages},
                        {"wall_ns", round.wall_ns},
                        {"involuntary_switches", round.involuntary_switches},
                        {"stolen_ns", round.stolen_ns},
                        {"noisy", round.noisy}});
    return list;
}

const char* unit(const Case& what)
{
    return what.metric == Metric::throughput ? "messages/s" : "ns";
}

/// The fields of a case, which `key` combines into one string.
Json what_json(const Case& what)
{
    return {{"key", safe(key(what))},
            {"mechanism", safe(what.mechanism)},
            {"metric", name_of(what.metric)},
            {"message_bytes", what.message_bytes},
            {"cpu_a", what.placement.cpu_a},
            {"cpu_b", what.placement.cpu_b},
            {"distance", name_of(what.placement.distance)},
            {"waiting", name_of(what.waiting)},
            {"threads", what.threads},
            {"awake", what.awake},
            {"producers", what.producers},
            {"consumers", what.consumers},
            {"rate_hz", what.rate_hz},
            {"unit", unit(what)}};
}

Json kernel_json(const KernelView& view)
{
    Json parts = Json::array();
    for (const KernelView::Part& part : view.parts)
        parts.push_back({{"name", safe(part.name)}, {"ns", part.ns}});
    return {{"round_trips", view.round_trips}, {"left_out", view.left_out},
            {"lost", view.lost},               {"kernel_ns", view.kernel_ns},
            {"user_ns", view.user_ns},         {"untraced_ns", view.untraced_ns},
            {"parts", std::move(parts)}};
}

Json result_json(const CaseResult& result)
{
    Json json = what_json(result.what);
    const bool has_bytes = result.higher_is_better() && result.what.message_bytes != 0;
    json["failed"] = result.failed ? Json(safe(*result.failed)) : Json();
    json["estimate"] = estimate_json(result.estimate);
    json["bytes_per_s"] = has_bytes ? Json(result.bytes_per_s()) : Json();
    json["rounds"] = rounds(result.rounds);
    json["latency_ns"] = result.higher_is_better()
                             ? Json()
                             : render::histogram_json(result.latency_ns, {{"p9999", 0.9999}});
    json["kernel"] = result.kernel ? kernel_json(*result.kernel) : Json();
    return json;
}

Json change_json(const Change& change)
{
    Json json = what_json(change.what);
    json["verdict"] = name_of(change.verdict);
    json["a"] = estimate_or_null(change.a);
    json["b"] = estimate_or_null(change.b);
    json["ratio"] = estimate_or_null(change.ratio);
    json["why"] = change.why.empty() ? Json() : Json(safe(change.why));
    return json;
}

}  // namespace

std::string json(const Run& run)
{
    Json results = Json::array();
    for (const CaseResult& result : run.results) results.push_back(result_json(result));
    return dumped({{"schema", "ipcscope.bench/1"},
                   {"environment", environment(run.environment)},
                   {"elapsed_s", run.elapsed_s},
                   {"interrupted", run.interrupted},
                   {"warnings", safe_list(run.warnings)},
                   {"results", std::move(results)}});
}

std::string json(const Comparison& comparison)
{
    Json counts, changes = Json::array(), differences = Json::array();
    for (const Change& change : comparison.changes) changes.push_back(change_json(change));
    for (const Difference& difference : comparison.differences)
        differences.push_back({{"what", difference.what},
                               {"a", safe(difference.a)},
                               {"b", safe(difference.b)}});
    for (unsigned at = 0; at <= static_cast<unsigned>(Verdict::only_b); at++) {
        const auto verdict = static_cast<Verdict>(at);
        counts[std::string(name_of(verdict))] = comparison.count(verdict);
    }
    return dumped({{"schema", "ipcscope.bench-diff/1"},
                   {"fail_above_percent", comparison.fail_above_percent},
                   {"regressed", comparison.regressed()},
                   {"counts", std::move(counts)},
                   {"differences", std::move(differences)},
                   {"warnings", safe_list(comparison.warnings)},
                   {"changes", std::move(changes)}});
}

}  // namespace ipcscope::bench
