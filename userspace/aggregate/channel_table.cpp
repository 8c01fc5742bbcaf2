// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/channel_table.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ipcscope::aggregate {
namespace {

/// What a slot of a ring holds at most, on the machines that are traced.
constexpr std::uint64_t kPage_bytes = 4096;

void add_call(ChannelSide& side, const decode::Event& event, const decode::Call& call,
              const ChannelUse& use, const TimeLedger::Entry& entry)
{
    side.add(event, call);
    side.polled_ns += entry.before.at(use.output ? Part::poll_output : Part::poll_input);
    side.runnable_ns += call.runnable_ns;
    side.eof += !event.unfinished && is_end_of_file(call) ? 1 : 0;
}

/// It does what it was asked for, or waits; a splice asks for what there may be at most.
bool asks_for_all(const decode::Event& event) { return event.kind != IPCSCOPE_CALL_SPLICE; }

/// A futex's wait that finds another value in the word has nothing to wait for.
bool was_refused(const decode::Call& call)
{
    return call.ret == -EAGAIN && (!decode::is_futex(decode::type_of(call)) ||
                                   (call.flags & IPCSCOPE_CALL_NONBLOCK) != 0);
}

/// The caller neither waited in poll nor did anything else for long since its last call.
bool is_retry(const ChannelEnd& end, const decode::Call& call, std::uint64_t last_call_ns)
{
    constexpr std::uint64_t kSoon_ns = 10'000'000;
    return end.row != 0 && call.between_polling_ns == 0 && call.enter_ns <= last_call_ns + kSoon_ns;
}

/// How the call of one process ended.
/// @param last_call_ns when the process's call before it returned; 0: it is the first
void add_outcome(ChannelEnd& end, const decode::Event& event, const decode::Call& call, bool write,
                 std::uint64_t last_call_ns)
{
    end.eof += is_end_of_file(call) ? 1 : 0;
    if (write && call.ret == -EPIPE && end.broken++ == 0) end.broken_ns = event.time_ns;
    end.wants_more = moved_a_part(call) || call.ret == -EAGAIN;
    end.cut = write && moved_a_part(call) && (call.flags & IPCSCOPE_CALL_NONBLOCK) == 0;
    if (asks_for_all(event)) {
        end.asked_bytes = std::max<std::uint64_t>(end.asked_bytes, call.requested);
    }
    const decode::ObjectType type = decode::type_of(call);
    if (asks_for_all(event) && moved_a_part(call)) {
        ++end.short_calls;
        if (decode::is_pipe(type) &&
            call.requested >= std::uint64_t{call.tail.pipe.ring_slots} * kPage_bytes)
            ++end.beyond_ring;
    }
    if (!was_refused(call)) {
        if (end.row != 0) end.refused_ns += event.time_ns - end.row_since_ns;
        end.row = 0;
        return;
    }
    end.retries = is_retry(end, call, last_call_ns) ? end.retries + 1 : 1;
    end.longest_row = std::max(end.longest_row, end.retries);
    if (end.row++ == 0) end.row_since_ns = call.enter_ns;
    ++end.refused;
}

/// In eighths; 0 and 8 are kept for exactly empty and exactly full.
std::size_t occupancy(const Level& level)
{
    if (level.used == 0) return 0;
    if (level.used >= level.limit) return 8;
    const std::uint64_t eighths =
        (std::uint64_t{level.used} * 8 + level.limit / 2) / level.limit;
    return std::clamp<std::uint64_t>(eighths, 1, 7);
}

void finish(std::vector<ChannelEnd>& ends, const Coverage& coverage)
{
    for (ChannelEnd& end : ends) {
        end.traced = coverage.covers(end.task.tgid);
    }
    std::ranges::sort(ends, [](const ChannelEnd& a, const ChannelEnd& b) {
        return std::pair(b.bytes, a.task.tgid) < std::pair(a.bytes, b.task.tgid);
    });
}

/// Of a restricted trace, at least one process must be known to hold the end: that
/// the others are outside is as likely as that there are none.
bool traced(const std::vector<ChannelEnd>& ends, const Coverage& coverage)
{
    if (coverage.restricted() && ends.empty()) return false;
    return std::all_of(ends.begin(), ends.end(),
                       [](const ChannelEnd& end) { return end.traced; });
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

ChannelTable::Channel& ChannelTable::channel(const decode::Call& call, const ChannelUse& use)
{
    Channel& channel = channels_.use(use.channel);
    const bool is_new = channel.row.object != use.channel;
    if (channel.row.type != decode::ObjectType::fifo) {
        channel.row.type = decode::type_of(call);
    }
    channel.row.object = use.channel;
    const ObjectId& sender = use.output ? use.end : use.other_end;
    const bool new_sender = sender != use.channel && channel.row.sender != sender.object;
    if (new_sender) {
        channel.row.sender = sender.object;
        sent_to_.use(sender) = use.channel;
    }
    for (const ObjectId& end : {use.channel, sender}) {
        if (!is_new && !(new_sender && end == sender)) continue;
        if (const auto* held = held_.find(end))
            for (const Held& one : *held) hold(channel, end, one);
        if (sender == use.channel) break;
    }
    return channel;
}

/// Who holds a socket can receive by the one channel, and send by the other.
void ChannelTable::hold(Channel& channel, const ObjectId& end, const Held& held) const
{
    // One that was not accepted has no other end yet.
    const bool socket = decode::is_unix(channel.row.type);
    const bool receives = end == channel.row.object;
    if (!held.path.empty() && receives) channel.row.path = held.path;
    const auto add = [&](ChannelEnds& ends) {
        const bool is_new = ends.find(held.process.tgid) == nullptr;
        ChannelEnd& found = ends.use(held.process.tgid);
        found.held_ns = std::max(found.held_ns, held.time_ns);
        found.holds_only = found.holds_only || is_new;
        if (found.holds_only) found.task = held.process;   // of others at their last call
    };
    if (held.reads && (!socket || receives)) add(channel.readers);
    if (held.writes && (!socket || !receives)) add(channel.writers);
}

/// Of a semaphore: who has taken it and not put it back.  As a mutex it is never above 1, and
/// never put back by another process.
void ChannelTable::take(Channel& channel, const decode::Event& event, const decode::Call& call)
{
    const auto& tail = call.tail.sysv;
    if (call.ret != 0 || event.unfinished || tail.amount == 0) return;
    ChannelEnd* end = channel.readers.find(event.task.tgid);
    if (end != nullptr) end->taken -= tail.amount;
    if (end != nullptr && tail.amount < 0) {
        end->taken_ns = event.time_ns;
        end->undone = (call.flags & IPCSCOPE_CALL_UNDO) != 0;
    }
    channel.owners = channel.owners && end != nullptr && end->taken >= 0 && end->taken <= 1 &&
                     tail.depth == 1 && tail.semaphore_value <= 1;
}

void ChannelTable::call(const decode::Event& event, const decode::Call& call,
                        const ChannelUse& use, const TimeLedger::Entry& entry)
{
    Channel& channel = this->channel(call, use);
    ChannelRow& row = channel.row;
    const bool write = use.output;
    if (decode::is_pipe(row.type))
        row.ring_slots = std::max<std::uint32_t>(row.ring_slots, call.tail.pipe.ring_slots);
    if (const auto level = level_of(call); level && level->limit > 0)
        ++row.occupancy[occupancy(*level)];
    const decode::Op op = decode::op_of(call);
    row.listens = row.listens || op == decode::Op::accept || op == decode::Op::connect;
    add_call(write ? row.writes : row.reads, event, call, use, entry);

    const std::uint64_t polled_ns =
        entry.before.at(write ? Part::poll_output : Part::poll_input);
    // The poll before its first call is a part of its time, too.
    const std::uint64_t from_ns = polled_span(call, polled_ns).start_ns;
    row.first_ns = row.first_ns ? std::min(row.first_ns, from_ns) : from_ns;
    row.last_ns = std::max(row.last_ns, event.time_ns);
    BusyTime& waited = write ? channel.full : channel.empty;
    for (const Span span : {polled_span(call, polled_ns), blocked_span(event, call)})
        waited.add(span.start_ns, span.end_ns);

    ChannelEnd& end = (write ? channel.writers : channel.readers).use(event.task.tgid);
    const Task process = process_of(event);
    if (end.task.comm.empty() || !process.comm.empty()) end.task = process;
    end.holds_only = false;
    end.only_tid = end.last_call_ns == 0 || end.only_tid == event.task.tid ? event.task.tid : 0;
    if (end.first_call_ns == 0) end.first_call_ns = call.enter_ns;
    const std::uint64_t last_call_ns = std::exchange(end.last_call_ns, event.time_ns);
    end.blocked_ns += call.blocked_ns;
    end.polled_ns += polled_ns;
    if (channel_kind(row.type).owned) take(channel, event, call);
    if (event.unfinished) return;
    ++end.count;
    end.bytes += moved_bytes(call);
    add_outcome(end, event, call, write, last_call_ns);
    if (write && end.row != 0) channel.full.add(end.row_since_ns, event.time_ns);
}

void ChannelTable::open(const decode::Event& event, const decode::Call& call,
                        const ChannelUse& use)
{
    ChannelRow& row = channel(call, use).row;
    row.first_ns = row.first_ns ? row.first_ns : call.enter_ns;
    row.last_ns = std::max(row.last_ns, event.time_ns);
}

void ChannelTable::holder(const decode::Event& event, const decode::Holder& holder)
{
    const ObjectId id = object_id(static_cast<decode::ObjectType>(holder.record.type),
                                  holder.record.dev, holder.record.object);
    const Held held{process_of(event), event.time_ns, holder.record.reads != 0,
                    holder.record.writes != 0, holder.path};
    Channel* receives = channels_.find(id);
    const ObjectId* sends = sent_to_.find(id);
    Channel* to = sends != nullptr ? channels_.find(*sends) : nullptr;
    if (receives != nullptr) hold(*receives, id, held);
    if (to != nullptr) hold(*to, id, held);
    // A socket may still get its other channel.
    if (receives != nullptr && receives->row.sender == 0) return;
    auto& all = held_.use(id);
    if (all.size() < 2 * kMostChannelEnds) all.push_back(held);
}

std::uint64_t ChannelTable::ends_evicted() const
{
    std::uint64_t sum = 0;
    for (const auto& [id, channel] : channels_)
        sum += channel.readers.evicted() + channel.writers.evicted();
    return sum;
}

ChannelRow ChannelTable::row_of(const Channel& channel, const Coverage& coverage,
                                std::vector<ChannelEnd> readers, std::vector<ChannelEnd> writers)
{
    ChannelRow row = channel.row;
    row.full_ns = channel.full.total_ns();
    row.empty_ns = channel.empty.total_ns();
    row.readers = std::move(readers);
    row.writers = std::move(writers);
    finish(row.readers, coverage);
    finish(row.writers, coverage);
    row.mutex = channel_kind(row.type).owned && channel.owners;
    row.reads.traced = traced(row.readers, coverage);
    row.writes.traced = traced(row.writers, coverage);
    return row;
}

/// `make` gives the row of one channel.
template <typename Make>
std::vector<ChannelRow> ChannelTable::sorted_rows(const Make& make) const
{
    std::vector<ChannelRow> out;
    out.reserve(channels_.size());
    for (const auto& [id, channel] : channels_) out.push_back(make(id, channel));
    std::stable_sort(out.begin(), out.end(), [](const ChannelRow& a, const ChannelRow& b) {
        const auto moved = [](const ChannelRow& row) { return row.reads.bytes + row.writes.bytes; };
        return std::pair(moved(b), a.first_ns) < std::pair(moved(a), b.first_ns);
    });
    return out;
}

std::vector<ChannelRow> ChannelTable::rows(const Coverage& coverage) const
{
    return sorted_rows([&](const ObjectId&, const Channel& channel) {
        return row_of(channel, coverage, channel.readers.rows(), channel.writers.rows());
    });
}

std::vector<ChannelRow> ChannelTable::take_rows(const Coverage& coverage)
{
    return sorted_rows([&](const ObjectId& id, const Channel&) {
        Channel& channel = *channels_.find(id);
        return row_of(channel, coverage, channel.readers.take(), channel.writers.take());
    });
}

}  // namespace ipcscope::aggregate
