// SPDX-License-Identifier: GPL-2.0-only
// The report for machines.  docs/json-schema.md says what each field means,
// docs/report.schema.json is checked against this by the unit tests.
#include <algorithm>
#include <iterator>

#include <nlohmann/json.hpp>

#include <fmt/format.h>
#include <ipcscope/ledger.h>

#include "aggregate/waits.hpp"
#include "base/container.hpp"
#include "base/units.hpp"
#include "correlate/end_names.hpp"
#include "decode/file_words.hpp"
#include "decode/names.hpp"
#include "diagnose/blame.hpp"
#include "diagnose/diagnose.hpp"
#include "render/histogram_json.hpp"
#include "render/json_text.hpp"
#include "render/names.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;
using aggregate::End;
using aggregate::Report;
using decode::Task;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

Json safe_list(const std::vector<std::string>& words)
{
    Json list = Json::array();
    for (const std::string& word : words) list.push_back(safe(word));
    return list;
}

Json host(const source::Host& host)
{
    Json json{{"kernel", safe(host.kernel)},
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
    if (host.cpus == 0) {   // the capture ends before its trace began
        for (const char* key : {"kernel", "version", "machine", "hostname", "cpus", "backend", "tool_version"}) {
            json.erase(key);
        }
    }
    return json;
}

std::string comm(const Task& task) { return task.comm.text().str(); }

Json process(const Task& task) { return {{"pid", task.tgid}, {"comm", comm(task)}}; }

/// What is neither the kernel's nor a timer's has a sender.
Json sender(const Task& task, decode::Origin origin)
{
    return decode::names_sender(origin) || task.tgid != 0 ? process(task) : Json();
}

Json time(const aggregate::Time& time)
{
    Json parts;
    parts["span_ns"] = time.span_ns;
    for (std::size_t at = 0; at < aggregate::kParts; ++at)
        parts[fmt::format("{}_ns", part_name(static_cast<aggregate::Part>(at)))] =
            time.parts_ns[at];
    return parts;
}

constexpr std::array kMatched = {End::handler,  End::standard, End::ignored,       End::sigwait,
                                 End::signalfd, End::debugger, End::kernel_thread, End::death};
constexpr std::array kUnmatched = {End::pending, End::target_exited, End::unseen,
                                   End::flushed, End::discarded,     End::outside};
static_assert(kMatched.size() + 1 + kUnmatched.size() == correlate::kEnds);   // not_queued

template <std::size_t N>
Json ends(const aggregate::SignalRow& row, const std::array<End, N>& which)
{
    Json out;
    for (const End end : which) out[std::string(correlate::end_name(end))] = row.at(end);
    return out;
}

/// By HeldBy; states as they are named elsewhere.
constexpr std::array<const char*, aggregate::kHeldBy> kHeldNames{
    "stopped",  "frozen",  "traced", "uninterruptible", "killable",
    "runnable", "handler", "mask",   "unknown",
};

Json held(const aggregate::SignalRow& row)
{
    Json out;
    for (std::size_t at = 0; at < row.held.size(); ++at) out[kHeldNames[at]] = row.held[at];
    return out;
}

Json signal(const aggregate::SignalRow& row, std::uint64_t start_ns)
{
    Json outcomes;
    for (unsigned result = 0; result < IPCSCOPE_RESULT_COUNT; ++result)
        outcomes[std::string(decode::outcome_name(static_cast<decode::Outcome>(result)))] =
            row.outcomes[result];
    return {{"signal", decode::signal_name(row.signal)},
            {"number", row.signal},
            {"sender", sender(row.sender, row.origin)},
            {"target", process(row.target)},
            {"origin", std::string(decode::origin_name(row.origin))},
            {"first_ns", since(row.first_ns, start_ns)},
            {"last_ns", since(row.last_ns, start_ns)},
            {"outcomes", std::move(outcomes)},
            {"to_unkillable", row.to_unkillable},
            {"requeued", row.requeued},
            {"ends", ends(row, kMatched)},
            {"unmatched", ends(row, kUnmatched)},
            {"held", held(row)},
            {"latency_ns", histogram_json(row.latency)}};
}

Json handler(const aggregate::HandlerRow& row, std::uint64_t start_ns)
{
    return {{"signal", decode::signal_name(row.signal)},
            {"number", row.signal},
            {"process", process(row.task)},
            {"runs", row.count()},
            {"time_ns", histogram_json(row.time)},
            {"longest_at_ns", row.time.count() == 0 ? Json() : Json(since(row.longest_ns, start_ns))},
            {"left", row.left},
            {"cut", row.cut},
            {"running", row.running},
            {"nested", row.depth}};
}

Json call(const aggregate::CallRow& row)
{
    return {{"name", function_name(row.function)},
            {"count", row.count},
            {"latency_ns", histogram_json(row.latency)}};
}

Json call_stats(const aggregate::CallStats& stats)
{
    return {{"count", stats.count},
            {"bytes", stats.bytes},
            {"blocked_ns", stats.blocked_ns},
            {"uninterruptible_ns", stats.uninterruptible_ns},
            {"blocked_count", stats.blocked_count},
            {"nonblocking", stats.nonblocking},
            {"eagain", stats.eagain},
            {"epipe", stats.epipe},
            {"interrupted", stats.interrupted},
            {"timeouts", stats.timeouts},
            {"errors", stats.errors},
            {"unfinished", stats.unfinished},
            {"latency_ns", histogram_json(stats.latency)}};
}

Json pipe_side(const aggregate::ChannelSide& side)
{
    Json json = {{"traced", side.traced},
                 {"polled_ns", side.polled_ns},
                 {"runnable_ns", side.runnable_ns},
                 {"eof", side.eof}};
    json.update(call_stats(side));
    return json;
}

Json pipe_ends(const std::vector<aggregate::ChannelEnd>& rows)
{
    Json list = Json::array();
    for (const aggregate::ChannelEnd& row : rows) {
        Json end = process(row.task);
        end["count"] = row.count;
        end["bytes"] = row.bytes;
        end["blocked_ns"] = row.blocked_ns;
        end["polled_ns"] = row.polled_ns;
        end["holds_only"] = row.holds_only;
        end["traced"] = row.traced;
        list.push_back(std::move(end));
    }
    return list;
}

Json pipe(const aggregate::ChannelRow& row, std::uint64_t start_ns)
{
    return {{"kind", std::string(decode::object_name(row.type))},
            {"inode", row.object.object},
            {"dev", device(row.object.dev)},
            {"path", text_or_null(row.path.str())},
            {"ring_pages", row.ring_slots},
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

Json operation(const aggregate::OpRow& row)
{
    Json json = {{"op", std::string(decode::op_name(row.op))}, {"peeks", row.peeks}};
    json.update(call_stats(row));
    return json;
}

Json object_user(const aggregate::ObjectUser& row)
{
    Json user = process(row.task);
    user["count"] = row.count;
    user["blocked_ns"] = row.blocked_ns;
    return user;
}

template <typename Rows, typename Row>
Json list(const Rows& rows, Row row)
{
    Json out = Json::array();
    for (const auto& one : rows) out.push_back(row(one));
    return out;
}

std::vector<aggregate::ChannelRow> pipes_of(const aggregate::Report& report)
{
    std::vector<aggregate::ChannelRow> pipes;
    std::ranges::copy_if(report.channels, std::back_inserter(pipes),
                         &aggregate::ChannelRow::is_pipe);
    return pipes;
}

/// `null` where there is none, or it is not known.
Json socket_end(const aggregate::SocketEnd& end)
{
    if (end.object == 0) return {};
    return {{"id", end.object},
            {"address", text_or_null(end.address.str())},
            {"holders", list(end.holders, process)}};
}

Json passed_file(const aggregate::PassedFile& passed)
{
    return {{"fd", passed.file.fd},
            {"file", decode::file_words(passed.file)},
            {"inode", passed.file.inode},
            {"count", passed.count}};
}

Json fd_pass(const aggregate::FdPass& pass)
{
    return {{"sender", pass.sender.tgid == 0 ? Json() : process(pass.sender)},
            {"receiver", process(pass.receiver)},
            {"messages", pass.messages},
            {"sent", pass.sent},
            {"received", pass.received},
            {"files", list(pass.files, passed_file)}};
}

Json socket(const aggregate::SocketRow& row)
{
    return {{"kind", std::string(decode::object_name(row.type))},
            {"from", socket_end(row.from)},
            {"to", socket_end(row.to)},
            {"sender", process(row.sender)},
            {"receiver", row.receiver.tgid == 0 ? Json() : process(row.receiver)},
            {"sends", row.sends},
            {"bytes", row.bytes},
            {"latency_ns", histogram_json(row.latency)},
            {"queued_ns", histogram_json(row.queued)},
            {"woken_ns", histogram_json(row.woken)},
            {"unmatched", row.unmatched},
            {"concurrent", row.concurrent},
            {"fds", list(row.passes, fd_pass)},
            {"fds_not_received", row.fds_not_received}};
}

Json priority(const aggregate::PriorityRow& row)
{
    return {{"priority", row.priority},
            {"sent", row.sent},
            {"received", row.received},
            {"waited_ns", histogram_json(row.waited)},
            {"waiting", row.waiting},
            {"waits_ns", row.waits_ns},
            {"overtaken", row.overtaken}};
}

Json object(const aggregate::ObjectRow& row, std::uint64_t start_ns)
{
    return {{"kind", std::string(decode::object_name(row.type))},
            {"id", row.object},
            {"dev", device(row.dev)},
            {"name", text_or_null(row.name.str())},
            {"first_ns", since(row.first_ns, start_ns)},
            {"last_ns", since(row.last_ns, start_ns)},
            {"operations", list(row.ops, operation)},
            {"users", list(row.users, object_user)},
            {"socket", socket_end(row.socket)},
            {"peer", socket_end(row.peer)},
            {"priorities", list(row.priorities, priority)}};
}

Json wait(const aggregate::WaitRow& row)
{
    const auto type = static_cast<decode::ObjectType>(row.channel.type);
    return {{"waiter", process(row.waiter)},
            {"waker", row.waker.tgid == 0 ? Json() : process(row.waker)},
            {"kind", std::string(decode::object_name(type))},
            {"id", row.channel.object},
            {"dev", device(row.channel.dev)},
            {"for_room", row.output},
            {"count", row.count},
            {"total_ns", row.total_ns},
            {"polled_ns", row.polled_ns},
            {"unfinished_ns", row.unfinished_ns},
            {"longest_ns", row.longest_ns}};
}

Json pipeline(const aggregate::Pipeline& pipeline, const diagnose::Findings& findings)
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
        stage["not_waiting_ns"] = row.not_waiting_ns;
        stage["time"] = time(row.time);
        stages.push_back(std::move(stage));
    }
    const auto slow = diagnose::slow_stage_of(pipeline, findings);
    return {{"stages", std::move(stages)}, {"bottleneck", slow ? Json(*slow) : Json()}};
}

Json traced_process(const aggregate::ProcessRow& row)
{
    Json out = process(row.task);
    out["threads"] = row.threads;
    out["time"] = time(row.time);
    out["sleeps"] = Json::array();
    for (const aggregate::ProcessRow::Sleep& sleep : row.sleeps)
        out["sleeps"].push_back({{"syscall", sleep.syscall}, {"ns", sleep.ns}});
    return out;
}

Json kill(const correlate::KillInterval& kill, std::uint64_t start_ns)
{
    const auto died = kill.time_to_die_ns();
    Json stack = Json::array();
    for (const SafeText& entry : kill.stack) stack.push_back(entry.str());
    return {{"signal", decode::signal_name(kill.signal)},
            {"number", kill.signal},
            {"sender", sender(kill.sender, kill.origin)},
            {"origin", std::string(decode::origin_name(kill.origin))},
            {"target",
             {{"pid", kill.target.tgid}, {"tid", kill.target.tid}, {"comm", comm(kill.target)}}},
            {"state", std::string(1, decode::state_letter(kill.state))},
            {"stuck_threads", kill.stuck_threads},
            {"stack", std::move(stack)},
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
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; ++cause)
        lost[std::string(decode::loss_name(cause))] = loss.lost[cause];

    Json by_cpu = Json::array();
    for (const aggregate::CpuLoss& row : loss.by_cpu)
        by_cpu.push_back({{"cpu", row.cpu},
                          {"cause", std::string(decode::loss_name(row.cause))},
                          {"kind", std::string(decode::kind_name(row.kind))},
                          {"count", row.count}});

    Json kinds = Json::object();
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        const aggregate::KindLoss& tally = loss.kinds[kind];
        kinds[std::string(decode::kind_name(kind))] = {{"generated", tally.generated},
                                                       {"shown", tally.shown},
                                                       {"filtered", tally.filtered},
                                                       {"lost", tally.lost}};
    }
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

/// Text in which no line is to be broken at some spaces.
std::string unglued(std::string text)
{
    std::ranges::replace(text, kGlue, ' ');
    return text;
}

Json ancestor(const aggregate::Ancestor& ancestor)
{
    return {{"pid", ancestor.task.tgid},
            {"name", text_or_null(comm(ancestor.task))},
            {"ended", ancestor.ended}};
}

Json container(const Place& place)
{
    return {{"runtime", std::string(place.runtime)}, {"id", place.container}};
}

Json identity(const aggregate::Lineage& lineage)
{
    const Place place = place_of(lineage.cgroup_path.view());
    return {{"uid", lineage.uid},
            {"user", text_or_null(lineage.user.str())},
            {"ns_pid", lineage.ns_pid == 0 ? Json() : Json(lineage.ns_pid)},
            {"cgroup", text_or_null(lineage.cgroup_path.str())},
            {"container", place.container.empty() ? Json() : container(place)},
            {"unit", text_or_null(place.unit)},
            {"command", text_or_null(lineage.command.str())},
            {"ancestors", list(lineage.ancestors, ancestor)},
            {"to_init", lineage.whole}};
}

Json subject(const diagnose::Subject& subject)
{
    Json out = {{"pid", subject.task.tgid}};
    if (subject.task.tid != 0 && subject.task.tid != subject.task.tgid) {
        out["tid"] = subject.task.tid;
    }
    out["name"] = comm(subject.task);
    out["role"] = subject.role;
    if (subject.lineage && subject.lineage->known) {
        out["identity"] = identity(*subject.lineage);
    }
    return out;
}

Json finding(const diagnose::Finding& finding, std::uint64_t start_ns)
{
    Json processes = Json::array();
    for (const diagnose::Subject& one : finding.subjects) {
        processes.push_back(subject(one));
    }
    Json objects = Json::array();
    for (const diagnose::Object& object : finding.objects) {
        objects.push_back({{"type", std::string(decode::object_name(object.type))},
                           {"inode", object.inode},
                           {"dev", device(object.dev)}});
    }
    Json evidence = Json::object();
    for (const diagnose::Evidence& one : finding.evidence) {
        std::visit([&](const auto& value) { evidence[std::string(one.key)] = value; }, one.value);
    }
    return {{"code", std::string(diagnose::info(finding.code).name)},
            {"severity", std::string(diagnose::name(finding.severity))},
            {"text", unglued(finding.text)},
            {"at_ns", since(finding.at_ns, start_ns)},
            {"duration_ns", finding.duration_ns},
            {"processes", std::move(processes)},
            {"objects", std::move(objects)},
            {"evidence", std::move(evidence)},
            {"stack", finding.stack},
            {"advice", text_or_null(unglued(finding.advice))}};
}

/// Where the time that was waited on pipes went.
Json blame(const Report& report)
{
    const diagnose::Blame blame = diagnose::book_waits(diagnose::WaitGraph(report));
    return {{"waited_ns", blame.waited_ns},
            {"handed_on_ns", blame.handed_on_ns},
            {"shared_ns", blame.shared_ns},
            {"unattributed_ns", blame.unattributed_ns}};
}

}  // namespace

std::string device(std::uint32_t dev)
{
    return fmt::format("{}:{}", dev >> 20, dev & 0xfffffu);
}

const char* function_name(aggregate::KernelFunction function)
{
    switch (function) {
    case aggregate::KernelFunction::send: return "send";
    case aggregate::KernelFunction::get_signal: return "get_signal";
    }
    return "unknown";
}

std::string json(const Report& report, const diagnose::Findings& findings)
{
    const std::uint64_t start = report.host.start_ns;
    const Json out = {
        {"schema", "ipcscope.report/2"},
        {"host", host(report.host)},
        {"restricted", report.restricted},
        {"complete", report.complete},
        {"incomplete_why", text_or_null(safe(report.incomplete_why))},
        {"duration_ns", since(report.end_ns, start)},
        {"blame", blame(report)},
        {"findings", list(findings, [&](auto& found) { return finding(found, start); })},
        {"signals", list(report.signals, [&](auto& row) { return signal(row, start); })},
        {"orphans",
         {{"group_exit", report.orphans_group_exit}, {"unknown", report.orphans_unknown}}},
        {"handlers", list(report.handlers, [&](auto& row) { return handler(row, start); })},
        {"calls", list(report.calls, call)},
        {"pipes", list(pipes_of(report), [&](auto& row) { return pipe(row, start); })},
        {"objects", list(report.objects, [&](auto& row) { return object(row, start); })},
        {"sockets", list(report.sockets, socket)},
        {"waits", list(aggregate::by_process(report.waits), wait)},
        {"pipelines", list(report.pipelines, [&](auto& row) { return pipeline(row, findings); })},
        {"processes", list(report.processes, traced_process)},
        {"kills", list(report.kills, [&](auto& row) { return kill(row, start); })},
        {"evicted",
         {{"signals", report.evicted.signals},
          {"pipes", report.evicted.channels},
          {"pipe_ends", report.evicted.channel_ends},
          {"processes", report.evicted.processes},
          {"kills", report.evicted.kills},
          {"objects", report.evicted.objects},
          {"sockets", report.evicted.sockets},
          {"stops", report.evicted.stops},
          {"lives", report.evicted.lives},
          {"waits", report.evicted.waits},
          {"deaths", report.evicted.deaths},
          {"handlers", report.evicted.handlers}}},
        {"loss", loss(report.loss)}};
    // The default error handler throws on a byte that is not UTF-8.
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipcscope::render
