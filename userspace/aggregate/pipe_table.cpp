// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/pipe_table.hpp"

#include <algorithm>
#include <cerrno>


namespace ipcscope::aggregate {
namespace {

/// What a slot of a ring holds at most, on the machines that are traced.
constexpr std::uint64_t kPage_bytes = 4096;

bool is_write(const decode::Call& call) { return decode::op_of(call) == decode::Op::write; }

void add_call(PipeSide& side, const decode::Event& event, const decode::Call& call,
              const TimeLedger::Entry& entry)
{
    const bool write = is_write(call);
    side.add(event, call);
    side.polled_ns += entry.before.at(write ? Part::poll_output : Part::poll_input);
    side.runnable_ns += call.runnable_ns;
    const bool end_of_file = !write && call.ret == 0 && call.requested > 0;
    side.eof += !event.unfinished && end_of_file ? 1 : 0;
}

/// How the call of one process ended.
void add_outcome(PipeEndRow& end, const decode::Event& event, const decode::Call& call)
{
    const bool write = is_write(call);
    end.eof += !write && call.ret == 0 && call.requested > 0 ? 1 : 0;
    end.broken += write && call.ret == -EPIPE ? 1 : 0;
    end.asked_bytes = std::max<std::uint64_t>(end.asked_bytes, call.requested);
    if (call.ret > 0 && static_cast<std::uint32_t>(call.ret) < call.requested) {
        ++end.short_calls;
        if (call.requested >= std::uint64_t{call.tail.pipe.ring_slots} * kPage_bytes)
            ++end.beyond_ring;
    }
    if (call.ret != -EAGAIN) {
        if (end.row != 0) end.refused_ns += event.time_ns - end.row_since_ns;
        end.row = 0;
        return;
    }
    if (end.row++ == 0) end.row_since_ns = call.enter_ns;
    ++end.refused;
    end.longest_row = std::max(end.longest_row, end.row);
}

/// In eighths; 0 and 8 are kept for exactly empty and exactly full.
std::size_t occupancy(const ipcscope_tail_pipe& tail)
{
    if (tail.used_slots == 0) return 0;
    if (tail.used_slots >= tail.ring_slots) return 8;
    const std::uint64_t eighths =
        (std::uint64_t{tail.used_slots} * 8 + tail.ring_slots / 2) / tail.ring_slots;
    return std::clamp<std::uint64_t>(eighths, 1, 7);
}

std::vector<PipeEndRow> end_rows(const BoundedMap<std::uint32_t, PipeEndRow>& ends,
                                 const Coverage& coverage)
{
    std::vector<PipeEndRow> out;
    for (const auto& [tgid, end] : ends) {
        out.push_back(end);
        out.back().traced = coverage.covers(tgid);
    }
    std::stable_sort(out.begin(), out.end(), [](const PipeEndRow& a, const PipeEndRow& b) {
        return std::pair(b.bytes, a.task.tgid) < std::pair(a.bytes, b.task.tgid);
    });
    return out;
}

/// Of a restricted trace, at least one process must be known to hold the end: that
/// the others are outside is as likely as that there are none.
bool traced(const std::vector<PipeEndRow>& ends, const Coverage& coverage)
{
    if (coverage.restricted() && ends.empty()) return false;
    return std::all_of(ends.begin(), ends.end(),
                       [](const PipeEndRow& end) { return end.traced; });
}

}  // namespace

Span blocked_span(const decode::Event& event, const decode::Call& call)
{
    const std::uint64_t end =
        event.time_ns - std::min<std::uint64_t>(call.runnable_ns, event.time_ns);
    return {end - std::min<std::uint64_t>(call.blocked_ns, end), end};
}

Span polled_span(const decode::Call& call, std::uint64_t ns)
{
    return {call.enter_ns - std::min<std::uint64_t>(ns, call.enter_ns), call.enter_ns};
}

Task process_of(const decode::Event& event)
{
    return {event.task.tgid, 0, event.process.empty() ? event.task.comm : event.process};
}

PipeTable::Pipe& PipeTable::pipe(const ObjectId& id)
{
    Pipe& pipe = pipes_.use(id);
    pipe.row.dev = id.dev;
    pipe.row.inode = id.object;
    if (const auto* held = held_.find(id)) {
        for (const Held& one : *held) hold(pipe, one);
        held_.erase(id);
    }
    return pipe;
}

void PipeTable::hold(Pipe& pipe, const Held& held)
{
    if (!held.path.empty()) pipe.row.path = held.path;
    const auto add = [&](Ends& ends) {
        const bool is_new = ends.find(held.process.tgid) == nullptr;
        PipeEndRow& end = ends.use(held.process.tgid);
        end.held_ns = std::max(end.held_ns, held.time_ns);
        end.holds_only = end.holds_only || is_new;
        if (end.holds_only) end.task = held.process;   // of others at their last call
    };
    if (held.reads) add(pipe.readers);
    if (held.writes) add(pipe.writers);
}

void PipeTable::call(const decode::Event& event, const decode::Call& call,
                     const TimeLedger::Entry& entry)
{
    Pipe& pipe = this->pipe(object_of(call));
    PipeRow& row = pipe.row;
    const bool write = is_write(call);
    row.fifo = row.fifo || decode::type_of(call) == decode::ObjectType::fifo;
    row.ring_slots = std::max<std::uint32_t>(row.ring_slots, call.tail.pipe.ring_slots);
    if (call.tail.pipe.ring_slots > 0) ++row.occupancy[occupancy(call.tail.pipe)];
    add_call(write ? row.writes : row.reads, event, call, entry);

    const std::uint64_t polled_ns =
        entry.before.at(write ? Part::poll_output : Part::poll_input);
    // The poll before its first call is a part of its time, too.
    const std::uint64_t from_ns = polled_span(call, polled_ns).start_ns;
    row.first_ns = row.first_ns ? std::min(row.first_ns, from_ns) : from_ns;
    row.last_ns = std::max(row.last_ns, event.time_ns);
    BusyTime& waited = write ? pipe.full : pipe.empty;
    for (const Span span : {polled_span(call, polled_ns), blocked_span(event, call)})
        waited.add(span.start_ns, span.end_ns);

    PipeEndRow& end = (write ? pipe.writers : pipe.readers).use(event.task.tgid);
    const Task process = process_of(event);
    if (end.task.comm.empty() || !process.comm.empty()) end.task = process;
    end.holds_only = false;
    end.only_tid = end.last_call_ns == 0 || end.only_tid == event.task.tid ? event.task.tid : 0;
    if (end.first_call_ns == 0) end.first_call_ns = call.enter_ns;
    end.last_call_ns = event.time_ns;
    end.blocked_ns += call.blocked_ns;
    end.polled_ns += polled_ns;
    if (event.unfinished) return;
    ++end.count;
    if (call.ret > 0) end.bytes += static_cast<std::uint64_t>(call.ret);
    add_outcome(end, event, call);
    if (write && end.row != 0) pipe.full.add(end.row_since_ns, event.time_ns);
}

void PipeTable::holder(const decode::Event& event, const decode::Holder& holder)
{
    const ObjectId id{holder.record.dev, IPCSCOPE_OBJECT_PIPE, holder.record.object};
    const Held held{process_of(event), event.time_ns, holder.record.reads != 0, holder.record.writes != 0,
                    holder.path};
    if (Pipe* pipe = pipes_.find(id)) {
        hold(*pipe, held);
        return;
    }
    auto& all = held_.use(id);
    if (all.size() < 2 * kMostPipeEnds) all.push_back(held);
}

std::uint64_t PipeTable::ends_evicted() const
{
    std::uint64_t sum = 0;
    for (const auto& [id, pipe] : pipes_)
        sum += pipe.readers.evicted() + pipe.writers.evicted();
    return sum;
}

std::vector<PipeRow> PipeTable::rows(const Coverage& coverage) const
{
    std::vector<PipeRow> out;
    for (const auto& [id, pipe] : pipes_) {
        PipeRow& row = out.emplace_back(pipe.row);
        row.full_ns = pipe.full.total_ns();
        row.empty_ns = pipe.empty.total_ns();
        row.readers = end_rows(pipe.readers, coverage);
        row.writers = end_rows(pipe.writers, coverage);
        row.reads.traced = traced(row.readers, coverage);
        row.writes.traced = traced(row.writers, coverage);
    }
    std::stable_sort(out.begin(), out.end(), [](const PipeRow& a, const PipeRow& b) {
        const auto moved = [](const PipeRow& row) { return row.reads.bytes + row.writes.bytes; };
        return std::pair(moved(b), a.first_ns) < std::pair(moved(a), b.first_ns);
    });
    return out;
}

}  // namespace ipcscope::aggregate
