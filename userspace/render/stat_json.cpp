// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope stat` for machines.  docs/stat.md says what each field means,
// docs/stat.schema.json is checked against this by the unit tests.
#include <nlohmann/json.hpp>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "render/histogram_json.hpp"
#include "render/json_text.hpp"
#include "render/names.hpp"
#include "render/stat.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;
using aggregate::StatEvents;
using aggregate::StatLine;
using aggregate::StatReport;

/// What the row is aggregated by; null: by nothing, or the event has none.
Json key(const StatLine& line, unsigned by)
{
    const std::string& name = line.name.str();
    switch (by) {
    case IPCSCOPE_STAT_BY_COMM: return {{"comm", name}};
    case IPCSCOPE_STAT_BY_CGROUP:
        return {{"cgroup", line.key.by[0]}, {"path", name.empty() ? Json() : Json(name)}};
    case IPCSCOPE_STAT_BY_PID:
        return {{"pid", line.key.by[0]}, {"comm", name.empty() ? Json() : Json(name)}};
    case IPCSCOPE_STAT_BY_OBJECT: break;
    default: return {};
    }
    if (line.is_signal()) {
        return {};
    }
    return {{"object", line.key.by[0]},
            {"type", decode::object_name(static_cast<decode::ObjectType>(line.key.by[1] >> 32))},
            {"device", device(static_cast<std::uint32_t>(line.key.by[1]))}};
}

Json row(const StatLine& line, unsigned by)
{
    return {{"key", key(line, by)},
            {"family", decode::family_name(line.kind())},
            {"signal", line.is_signal() ? Json(decode::signal_name(line.what())) : Json()},
            {"operation", stat_operation(line)},
            {"outcome", stat_outcome(line)},
            {"count", line.count},
            {"bytes", line.bytes},
            {"latency_ns",
             line.latency.count() == 0 ? Json() : Json(histogram_json(line.latency))}};
}

Json pairing(const aggregate::StatPairing& pairing)
{
    const source::StatSignal& counts = pairing.counts;
    Json unpaired = Json::object();
    for (unsigned cause = 0; cause < counts.unpaired.size(); ++cause) {
        unpaired[std::string(unpaired_name(cause))] = counts.unpaired[cause];
    }
    return {{"signal", decode::signal_name(pairing.signal)},
            {"generated", counts.generated},
            {"paired", counts.paired},
            {"unpaired", std::move(unpaired)},
            {"pending", counts.pending}};
}

Json ledger(const StatEvents& events)
{
    Json lost = Json::object();
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause) {
        lost[std::string(decode::loss_name(cause))] = events.lost[cause];
    }
    return {{"kind", decode::kind_name(events.kind)},
            {"generated", events.generated()},
            {"aggregated", events.aggregated},
            {"filtered", events.filtered},
            {"lost", std::move(lost)}};
}

}  // namespace

std::string stat_json(const aggregate::StatReport& report)
{
    Json rows = Json::array(), pairings = Json::array(), events = Json::array();
    for (const StatLine& line : report.lines) {
        rows.push_back(row(line, report.by));
    }
    for (const aggregate::StatPairing& one : report.pairings) {
        pairings.push_back(pairing(one));
    }
    for (const StatEvents& one : report.events) {
        events.push_back(ledger(one));
    }
    Json json{{"schema", "ipcscope.stat/1"},
              {"final", report.final},
              {"hostname", safe(report.host.hostname)},
              {"kernel", safe(report.host.kernel)},
              {"cpus", report.host.cpus},
              {"backend", safe(report.host.backend)},
              {"tool_version", safe(report.host.tool_version)},
              {"by", stat_by_name(report.by)},
              {"start_ns", report.start_ns},
              {"from_ns", report.from_ns},
              {"to_ns", report.to_ns},
              {"rows_used", report.rows},
              {"max_rows", report.max_rows},
              {"rows", std::move(rows)},
              {"signals", std::move(pairings)},
              {"events", std::move(events)}};
    if (report.host.cpus == 0) {   // the capture ends before its trace began
        for (const char* key : {"hostname", "kernel", "cpus", "backend", "tool_version"}) {
            json.erase(key);
        }
    }
    return json.dump() + "\n";
}

}  // namespace ipcscope::render
