// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/pipe_table.hpp"

#include <algorithm>
#include <cerrno>

namespace ipcscope::aggregate {
namespace {

// The kernel's own errnos of a call that a signal ended.
constexpr std::int64_t kRestartSys = 512, kRestartNoIntr = 513, kRestartNoHand = 514,
                       kRestartBlock = 516;

bool interrupted(std::int64_t error)
{
    return error == EINTR || error == kRestartSys || error == kRestartNoIntr ||
           error == kRestartNoHand || error == kRestartBlock;
}

void add_result(PipeSide& side, const decode::PipeOp& call)
{
    const std::int64_t error = call.ret < 0 ? -call.ret : 0;
    if (call.ret > 0) side.bytes += static_cast<std::uint64_t>(call.ret);
    if (!call.write && call.ret == 0 && call.requested_bytes > 0) ++side.eof;
    if (error == 0) return;
    if (error == EAGAIN)
        ++side.eagain;
    else if (error == EPIPE && call.write)
        ++side.epipe;
    else if (interrupted(error))
        ++side.interrupted;
    else
        ++side.errors;
}

void add_call(PipeSide& side, const decode::Event& event, const decode::PipeOp& call)
{
    side.blocked_ns += call.blocked_ns;
    side.runqueue_ns += call.runqueue_ns;
    side.uninterruptible_ns += call.uninterruptible_ns;
    if (call.sleeps > 0 || call.blocked_ns > 0) ++side.blocked_count;
    if (call.nonblock) ++side.nonblocking;
    if (event.unfinished) {
        ++side.unfinished;
        return;
    }
    ++side.count;
    add_result(side, call);
    side.latency.add(event.time_ns - std::min(call.enter_ns, event.time_ns));
}

/// In eighths; 0 and 8 are kept for exactly empty and exactly full.
std::size_t occupancy(const decode::PipeOp& call)
{
    if (call.used_slots == 0) return 0;
    if (call.used_slots >= call.ring_slots) return 8;
    const std::uint64_t eighths =
        (std::uint64_t{call.used_slots} * 8 + call.ring_slots / 2) / call.ring_slots;
    return std::clamp<std::uint64_t>(eighths, 1, 7);
}

void add_holder(std::map<std::uint32_t, PipeEndRow>& ends, std::uint32_t tgid)
{
    const auto [at, fresh] = ends.try_emplace(tgid);
    if (fresh) at->second.holds_only = true;
}

std::vector<PipeEndRow> end_rows(const std::map<std::uint32_t, PipeEndRow>& ends,
                                 const Names& names)
{
    std::vector<PipeEndRow> out;
    for (const auto& [tgid, end] : ends) {
        out.push_back(end);
        out.back().task = names.process(tgid);
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
    return out;
}

}  // namespace

Span blocked_span(const decode::Event& event, const decode::PipeOp& call)
{
    const std::uint64_t end = event.time_ns - std::min(call.runqueue_ns, event.time_ns);
    return {end - std::min(call.blocked_ns, end), end};
}

PipeTable::Pipe& PipeTable::pipe(std::uint32_t dev, std::uint64_t inode)
{
    Pipe& pipe = pipes_[{dev, inode}];
    pipe.row.dev = dev;
    pipe.row.inode = inode;
    return pipe;
}

void PipeTable::call(const decode::Event& event, const decode::PipeOp& call)
{
    Pipe& pipe = this->pipe(call.dev, call.inode);
    PipeRow& row = pipe.row;
    row.fifo = row.fifo || call.fifo;
    row.ring_slots = std::max(row.ring_slots, call.ring_slots);
    row.first_ns = row.first_ns ? std::min(row.first_ns, call.enter_ns) : call.enter_ns;
    row.last_ns = std::max(row.last_ns, event.time_ns);
    if (call.ring_slots > 0) ++row.occupancy[occupancy(call)];
    add_call(call.write ? row.writes : row.reads, event, call);
    const Span blocked = blocked_span(event, call);
    (call.write ? pipe.full : pipe.empty).add(blocked.start_ns, blocked.end_ns);

    PipeEndRow& end = (call.write ? pipe.writers : pipe.readers)[event.task.tgid];
    end.holds_only = false;
    end.blocked_ns += call.blocked_ns;
    if (event.unfinished) return;
    ++end.count;
    if (call.ret > 0) end.bytes += static_cast<std::uint64_t>(call.ret);
}

void PipeTable::end(const decode::Event& event, const decode::PipeEnd& end)
{
    Pipe& pipe = this->pipe(end.dev, end.inode);
    pipe.row.fifo = pipe.row.fifo || end.fifo;
    if (!end.path.empty()) pipe.row.path = end.path.str();
    if (end.reads) add_holder(pipe.readers, event.task.tgid);
    if (end.writes) add_holder(pipe.writers, event.task.tgid);
}

std::vector<PipeRow> PipeTable::rows(const Names& names) const
{
    std::vector<PipeRow> out;
    for (const auto& [key, pipe] : pipes_) {
        PipeRow& row = out.emplace_back(pipe.row);
        row.full_ns = pipe.full.total_ns();
        row.empty_ns = pipe.empty.total_ns();
        row.readers = end_rows(pipe.readers, names);
        row.writers = end_rows(pipe.writers, names);
    }
    std::stable_sort(out.begin(), out.end(), [](const PipeRow& a, const PipeRow& b) {
        return a.reads.bytes + a.writes.bytes > b.reads.bytes + b.writes.bytes;
    });
    return out;
}

}  // namespace ipcscope::aggregate
