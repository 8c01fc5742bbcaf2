// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stage_table.hpp"

#include <algorithm>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

/// Waiting for these pipes, or for what may be one of them, or not known.
std::uint64_t waits_ns(const Time& time)
{
    return time.for_input_ns() + time.for_output_ns() + time.at(Part::poll_unknown) +
           time.at(Part::unaccounted);
}

}  // namespace

void Window::cover(std::uint64_t from_ns, std::uint64_t to_ns)
{
    start_ns = std::min(start_ns, from_ns);
    end_ns = std::max(end_ns, to_ns);
}

bool Window::mostly_in(const Window& other) const
{
    if (empty() || other.empty()) return false;
    const std::uint64_t from = std::max(start_ns, other.start_ns);
    const std::uint64_t to = std::min(end_ns, other.end_ns);
    return to > from && to - from >= (end_ns - start_ns) / 2;
}

void StageTable::Edge::add(std::uint64_t from_ns, std::uint64_t to_ns, const Time& more)
{
    if (from_ns < to_ns) when.cover(from_ns, to_ns);
    time += more;
}

void StageTable::call(const decode::Event& event, const decode::Call& call,
                      const ChannelUse* use, const TimeLedger::Entry& entry)
{
    Stage& stage = stages_.use(event.task.tgid);
    const Task process = process_of(event);
    if (stage.task.comm.empty() || !process.comm.empty()) stage.task = process;
    stage.calls.cover(call.enter_ns, event.time_ns);
    stage.time += entry.inside;
    if (use != nullptr) {
        const Span blocked = blocked_span(event, call);
        (use->output ? stage.output : stage.input).add(blocked.start_ns, blocked.end_ns);
        stage.waiting.add(blocked.start_ns, blocked.end_ns);
    }

    if (stage.last_tid != event.task.tid && !stage.threads.contains(event.task.tid)) {
        if (stage.threads.size() < kMostThreads) stage.threads.insert(event.task.tid);
        stage.head.add(call.since_ns, call.enter_ns, entry.before);
        return;
    }
    stage.last_tid = event.task.tid;
    stage.time += entry.before;
    const auto polled = [&](Part part, BusyTime* side) {
        const Span span = polled_span(call, entry.before.at(part));
        if (side != nullptr) side->add(span.start_ns, span.end_ns);
        stage.waiting.add(span.start_ns, span.end_ns);
    };
    polled(Part::poll_input, &stage.input);
    polled(Part::poll_output, &stage.output);
    polled(Part::poll_unknown, nullptr);
    const std::uint64_t missing = entry.before.at(Part::unaccounted);
    stage.waiting.add(call.since_ns - std::min<std::uint64_t>(missing, call.since_ns),
                      call.since_ns);
}

void StageTable::other_call(const decode::Event& event, const TimeLedger::Entry& entry)
{
    Stage* stage = stages_.find(event.task.tgid);
    if (stage == nullptr || !stage->threads.contains(event.task.tid)) return;
    stage->time += entry.before;
    stage->time += entry.inside;
}

void StageTable::time(const decode::Event& event, const decode::ThreadTime& time,
                      const TimeLedger::Entry& entry)
{
    Stage* stage = stages_.find(event.task.tgid);
    if (stage == nullptr || stage->threads.erase(event.task.tid) == 0) return;
    stage->last_tid.reset();
    stage->tail.add(time.since_ns, event.time_ns, entry.before);
}

StageRow StageTable::row(std::uint32_t tgid, const Window& others) const
{
    StageRow row;
    row.task.tgid = tgid;
    const Stage* stage = stages_.find(tgid);
    if (stage == nullptr) return row;
    row.task = stage->task;
    row.time = stage->time;
    row.waiting_for_input_ns = stage->input.total_ns();
    row.waiting_for_output_ns = stage->output.total_ns();
    std::uint64_t waiting = stage->waiting.total_ns();
    Window window = stage->calls;
    for (const Edge* edge : {&stage->head, &stage->tail}) {
        if (!edge->when.mostly_in(others)) continue;
        window.cover(edge->when.start_ns, edge->when.end_ns);
        row.time += edge->time;
        row.waiting_for_input_ns += edge->time.for_input_ns();
        row.waiting_for_output_ns += edge->time.for_output_ns();
        waiting += waits_ns(edge->time);
    }
    row.span_ns = window.empty() ? 0 : window.end_ns - window.start_ns;
    row.not_waiting_ns = row.span_ns - std::min(waiting, row.span_ns);
    return row;
}

Window StageTable::calls(std::uint32_t tgid) const
{
    const Stage* stage = stages_.find(tgid);
    return stage == nullptr ? Window{} : stage->calls;
}

}  // namespace ipcscope::aggregate
