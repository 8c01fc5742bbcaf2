// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/event_counts.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <span>

#include "aggregate/channel.hpp"
#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

/// How a signal that ended so was taken; nothing: it was not, or its taking has no record.
std::optional<decode::How> how_of(correlate::End end)
{
    using correlate::End;
    using decode::How;
    switch (end) {
    case End::handler: return How::handler;
    case End::standard: return How::standard;
    case End::ignored: return How::ignored;
    case End::sigwait: return How::sigwait;
    case End::signalfd: return How::signalfd;
    case End::debugger: return How::debugger;
    case End::kernel_thread: return How::kernel_thread;
    case End::death:
    case End::not_queued:
    case End::pending:
    case End::target_exited:
    case End::unseen:
    case End::flushed:
    case End::discarded:
    case End::outside: break;
    }
    return std::nullopt;
}

}  // namespace

void EventCounts::by_of(const decode::Task& who, const decode::Call* call,
                        std::uint64_t (&by)[2]) const
{
    switch (by_) {
    case IPCSCOPE_STAT_BY_COMM: {
        const auto bytes = std::bit_cast<std::array<std::uint64_t, 2>>(who.comm);
        std::ranges::copy(bytes, by);
        break;
    }
    case IPCSCOPE_STAT_BY_CGROUP: {
        const auto at = cgroups_.find(who.tid);
        by[0] = at == cgroups_.end() ? 0 : at->second;
        break;
    }
    case IPCSCOPE_STAT_BY_PID: by[0] = who.tgid; break;
    case IPCSCOPE_STAT_BY_OBJECT:
        if (call != nullptr) {
            by[0] = call->object;
            by[1] = static_cast<std::uint64_t>(call->type) << 32 | call->dev;
        }
        break;
    default: break;
    }
}

EventCounts::Row* EventCounts::row_of(const decode::Task& who, const decode::Call* call,
                                      unsigned kind, unsigned what, unsigned outcome)
{
    if (of_ == Of::signals && call != nullptr) {
        return nullptr;
    }
    std::uint64_t by[2] = {0, 0};
    by_of(who, call, by);
    return &rows_[{by[0], by[1], IPCSCOPE_STAT_EVENT(kind, what, outcome)}];
}

void EventCounts::event(const decode::Event& event)
{
    std::visit([&](const auto& body) { on(event, body); }, event.body);
}

void EventCounts::on(const decode::Event& event, const decode::SignalGenerate& body)
{
    names_.insert_or_assign(event.target.tgid, event.target.comm.text());
    ++row_of(event.target, nullptr, event.kind, body.sig, body.result)->count;
}

void EventCounts::on(const decode::Event& event, const decode::SignalTake& body)
{
    names_.insert_or_assign(event.task.tgid, event.task.comm.text());
    ++row_of(event.task, nullptr, event.kind, body.sig, body.how)->count;
}

/// The second record of a splice is of the same time as its first.
void EventCounts::on(const decode::Event& event, const decode::Call& body)
{
    if (event.unfinished) {
        return;
    }
    names_.insert_or_assign(event.task.tgid, event.task.comm.text());
    Row* row = row_of(event.task, &body, event.kind, body.op,
                      ipcscope_stat_call_outcome(body.op, body.ret));
    if (row == nullptr) {
        return;
    }
    ++row->count;
    row->bytes = plus(row->bytes, moved_bytes(body));
    if (!is_other_end(event, body)) {
        row->latency.add(since(event.time_ns, body.enter_ns));
    }
}

void EventCounts::on(const decode::Event& event, const decode::Thread& body)
{
    cgroups_[event.task.tid] = body.cgroup;
}

void EventCounts::on(const decode::Event&, const decode::Cgroup& body)
{
    paths_.insert_or_assign(body.record.id, body.path);
}

void EventCounts::interval(const correlate::Interval& interval)
{
    const auto* signal = std::get_if<correlate::SignalInterval>(&interval);
    const auto how = signal == nullptr ? std::nullopt : how_of(signal->end);
    if (how) {
        row_of(signal->receiver, nullptr, IPCSCOPE_SIGNAL_TAKE, signal->signal,
               static_cast<unsigned>(*how))
            ->latency.add(signal->latency_ns());
    }
}

SafeText EventCounts::name_of(const ipcscope_stat_key& key) const
{
    const auto found = [](const auto& names, auto id) {
        const auto at = names.find(id);
        return at == names.end() ? SafeText() : at->second;
    };
    switch (by_) {
    case IPCSCOPE_STAT_BY_COMM:
        return SafeText::name(std::span(reinterpret_cast<const char*>(key.by), sizeof key.by));
    case IPCSCOPE_STAT_BY_PID: return found(names_, static_cast<std::uint32_t>(key.by[0]));
    case IPCSCOPE_STAT_BY_CGROUP: return found(paths_, key.by[0]);
    default: return {};
    }
}

StatReport EventCounts::report(const Report& report) const
{
    StatReport out;
    out.host = report.host;
    out.by = by_;
    out.final = true;
    out.of_capture = true;
    out.start_ns = out.from_ns = report.host.start_ns;
    out.to_ns = report.end_ns;
    out.rows = rows_.size();
    out.max_rows = rows_.size() + 1;   // there is no limit that an event can meet
    for (const auto& [key, row] : rows_) {
        StatLine line;
        std::tie(line.key.by[0], line.key.by[1], line.key.event) = key;
        line.name = name_of(line.key);
        line.count = std::max(row.count, row.latency.count());
        line.bytes = row.bytes;
        line.latency = row.latency;
        out.lines.push_back(std::move(line));
    }
    sort_lines(out);
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        StatEvents events{.kind = kind};
        for (const StatLine& line : out.lines) {
            events.aggregated += line.kind() == kind ? line.count : 0;
        }
        if (events.aggregated == 0) {
            continue;
        }
        events.filtered = report.loss.kinds[kind].filtered;
        for (const CpuLoss& loss : report.loss.by_cpu) {
            events.lost[loss.cause] += loss.kind == kind ? loss.count : 0;
        }
        out.events.push_back(events);
    }
    return out;
}

}  // namespace ipcscope::aggregate
