// SPDX-License-Identifier: GPL-2.0-only
// The report for machines.  docs/json-schema.md says what each field means,
// docs/report.schema.json is checked against this by the unit tests.
#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "base/safe_text.hpp"
#include "decode/decode.hpp"
#include "render/histogram_json.hpp"
#include "render/json_text.hpp"
#include "render/render.hpp"
#include "render/units.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;
using aggregate::Report;
using decode::Task;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json safe_list(const std::vector<std::string>& words)
{
    Json list = Json::array();
    for (const std::string& word : words) list.push_back(SafeText::escape(word).str());
    return list;
}

Json host(const source::Host& host)
{
    const auto safe = [](const std::string& text) { return SafeText::escape(text).str(); };
    return {{"kernel", safe(host.kernel)},
            {"version", safe(host.version)},
            {"machine", safe(host.machine)},
            {"hostname", safe(host.hostname)},
            {"cpus", host.cpus},
            {"backend", safe(host.backend)},
            {"tool_version", safe(host.tool_version)},
            {"command", safe_list(host.command)},
            {"filters", safe_list(host.filters)},
            {"hooks", safe_list(host.hooks)},
            {"start_ns", host.start_ns},
            {"realtime_offset_ns", host.realtime_offset_ns}};
}

Json process(const Task& task) { return {{"pid", task.tgid}, {"comm", task.comm.str()}}; }

Json signal(const aggregate::SignalRow& row, std::uint64_t start_ns)
{
    Json outcomes;
    for (unsigned result = 0; result < IPCSCOPE_RESULT_COUNT; result++)
        outcomes[std::string(decode::outcome_name(static_cast<decode::Outcome>(result)))] =
            row.outcomes[result];
    return {{"signal", decode::signal_name(row.signal)},
            {"number", row.signal},
            {"sender", process(row.sender)},
            {"target", process(row.target)},
            {"origin", origin_name(row.origin)},
            {"first_ns", since(row.first_ns, start_ns)},
            {"last_ns", since(row.last_ns, start_ns)},
            {"outcomes", std::move(outcomes)},
            {"to_unkillable", row.to_unkillable},
            {"ends",
             {{"handler", row.to_handler},
              {"default", row.by_default},
              {"accepted", row.accepted},
              {"death", row.died}}},
            {"unmatched",
             {{"pending", row.pending},
              {"target_exited", row.target_exited},
              {"unseen", row.unseen},
              {"flushed", row.flushed}}},
            {"latency_ns", histogram_json(row.latency)}};
}

Json call(const aggregate::CallRow& row)
{
    return {{"name", SafeText::escape(row.name).str()},
            {"count", row.count},
            {"latency_ns", histogram_json(row.latency)}};
}

Json pipe_side(const aggregate::PipeSide& side)
{
    return {{"count", side.count},
            {"bytes", side.bytes},
            {"blocked_ns", side.blocked_ns},
            {"runqueue_ns", side.runqueue_ns},
            {"uninterruptible_ns", side.uninterruptible_ns},
            {"blocked_count", side.blocked_count},
            {"nonblocking", side.nonblocking},
            {"eagain", side.eagain},
            {"epipe", side.epipe},
            {"eof", side.eof},
            {"interrupted", side.interrupted},
            {"errors", side.errors},
            {"unfinished", side.unfinished},
            {"latency_ns", histogram_json(side.latency)}};
}

Json pipe_ends(const std::vector<aggregate::PipeEndRow>& rows)
{
    Json list = Json::array();
    for (const aggregate::PipeEndRow& row : rows) {
        Json end = process(row.task);
        end["count"] = row.count;
        end["bytes"] = row.bytes;
        end["blocked_ns"] = row.blocked_ns;
        end["holds_only"] = row.holds_only;
        list.push_back(std::move(end));
    }
    return list;
}

Json pipe(const aggregate::PipeRow& row, std::uint64_t start_ns)
{
    return {{"kind", row.fifo ? "fifo" : "pipe"},
            {"inode", row.inode},
            {"dev", device(row.dev)},
            {"path", text_or_null(row.path)},
            {"ring_slots", row.ring_slots},
            {"first_ns", since(row.first_ns, start_ns)},
            {"last_ns", since(row.last_ns, start_ns)},
            {"reads", pipe_side(row.reads)},
            {"writes", pipe_side(row.writes)},
            {"full_ns", row.full_ns},
            {"empty_ns", row.empty_ns},
            {"occupancy", row.occupancy},
            {"readers", pipe_ends(row.readers)},
            {"writers", pipe_ends(row.writers)}};
}

Json pipeline(const aggregate::Pipeline& pipeline)
{
    Json stages = Json::array();
    for (const aggregate::StageRow& row : pipeline.stages) {
        Json stage = process(row.task);
        stage["rank"] = row.rank;
        stage["reads_from"] = row.reads_from;
        stage["writes_to"] = row.writes_to;
        stage["span_ns"] = row.span_ns;
        stage["waiting_for_input_ns"] = row.waiting_for_input_ns;
        stage["waiting_for_output_ns"] = row.waiting_for_output_ns;
        stage["own_ns"] = row.own_ns;
        stages.push_back(std::move(stage));
    }
    Json bottleneck;
    if (pipeline.bottleneck && *pipeline.bottleneck < pipeline.stages.size())
        bottleneck = pipeline.stages[*pipeline.bottleneck].task.tgid;
    return {{"stages", std::move(stages)}, {"bottleneck", std::move(bottleneck)}};
}

Json kill(const correlate::KillInterval& kill, std::uint64_t start_ns)
{
    const auto died = kill.time_to_die_ns();
    return {{"signal", decode::signal_name(kill.signal)},
            {"number", kill.signal},
            {"sender", process(kill.sender)},
            {"origin", origin_name(kill.origin)},
            {"target",
             {{"pid", kill.target.tgid},
              {"tid", kill.target.tid},
              {"comm", kill.target.comm.str()}}},
            {"state", std::string(1, decode::state_letter(kill.state))},
            {"stuck_threads", kill.stuck_threads},
            {"stack", kill.stack},
            {"repeats", kill.repeats},
            {"sent_ns", since(kill.sent_ns, start_ns)},
            {"time_to_die_ns", died ? Json(*died) : Json()},
            {"time_to_reap_ns",
             kill.reaped_ns ? Json(since(*kill.reaped_ns, kill.sent_ns)) : Json()},
            {"outcome", kill.gone_ns ? "died" : "still_stuck"}};
}

Json loss(const aggregate::LossLedger& loss)
{
    Json lost;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++)
        lost[std::string(decode::loss_name(cause))] = 0u;
    for (const aggregate::LossRow& row : loss.lost)
        lost[SafeText::escape(row.cause).str()] = row.count;

    Json by_cpu = Json::array();
    for (const aggregate::CpuLoss& row : loss.by_cpu)
        by_cpu.push_back({{"cpu", row.cpu},
                          {"cause", SafeText::escape(row.cause).str()},
                          {"kind", SafeText::escape(row.kind).str()},
                          {"count", row.count}});

    Json kinds = Json::object();
    for (const auto& [kind, tally] : loss.kinds)
        kinds[SafeText::escape(kind).str()] = {{"generated", tally[0]},
                                               {"shown", tally[1]},
                                               {"filtered", tally[2]},
                                               {"lost", tally[3]}};

    return {{"generated", loss.generated},
            {"shown", loss.shown},
            {"filtered", loss.filtered},
            {"lost", std::move(lost)},
            {"by_cpu", std::move(by_cpu)},
            {"kinds", std::move(kinds)},
            {"malformed", loss.malformed},
            {"late", loss.late},
            {"exact", loss.exact}};
}

template <typename Rows, typename Row>
Json list(const Rows& rows, Row row)
{
    Json out = Json::array();
    for (const auto& one : rows) out.push_back(row(one));
    return out;
}

}  // namespace

const char* origin_name(decode::Origin origin)
{
    switch (origin) {
    case decode::Origin::task: return "task";
    case decode::Origin::kernel: return "kernel";
    case decode::Origin::timer: return "timer";
    }
    return "unknown";
}

std::string device(std::uint32_t dev)
{
    return fmt::format("{}:{}", dev >> 20, dev & 0xfffffu);
}

std::string json(const Report& report)
{
    const std::uint64_t start = report.host.start_ns;
    const std::string why = SafeText::escape(report.incomplete_why).str();
    const Json out = {
        {"schema", "ipcscope.report/1"},
        {"host", host(report.host)},
        {"complete", report.complete},
        {"incomplete_why", text_or_null(why)},
        {"duration_ns", since(report.end_ns, start)},
        {"signals", list(report.signals, [&](auto& row) { return signal(row, start); })},
        {"orphans",
         {{"group_exit", report.orphans_group_exit}, {"unknown", report.orphans_unknown}}},
        {"calls", list(report.calls, call)},
        {"pipes", list(report.pipes, [&](auto& row) { return pipe(row, start); })},
        {"pipelines", list(report.pipelines, pipeline)},
        {"kills", list(report.kills, [&](auto& row) { return kill(row, start); })},
        {"loss", loss(report.loss)}};
    // The default error handler throws on a byte that is not UTF-8.
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipcscope::render
