// SPDX-License-Identifier: GPL-2.0-only
#include "exports/data_flows.hpp"

#include <algorithm>

#include "aggregate/match_in_order.hpp"

namespace ipcscope::exports {
namespace {

bool is_known(decode::ObjectType type) { return decode::is_pipe(type) || decode::is_unix(type); }

/// Bytes of a stream, else messages; 0: it moved nothing that leaves or enters the channel.
std::uint64_t units_of(const decode::Call& call)
{
    const decode::Op op = decode::op_of(call);
    if (op == decode::Op::tee || op == decode::Op::connect || op == decode::Op::accept ||
        call.ret < 0 || (call.flags & IPCSCOPE_CALL_PEEK) != 0) {
        return 0;
    }
    const decode::ObjectType type = decode::type_of(call);
    const bool is_stream = decode::is_pipe(type) || type == decode::ObjectType::unix_stream;
    return is_stream ? aggregate::moved_bytes(call) : 1;
}

}  // namespace

void DataFlows::lose_step(Channel& channel)
{
    channel.sent.clear();
    channel.taken.clear();
    channel.in_step = false;
}

/// A call that was under way since then may have had what went to another.
void DataFlows::disprove(Channel& channel, std::uint64_t since_ns)
{
    std::erase_if(channel.pairs, [&](const Pair& pair) {
        return std::max(pair.write.exit_ns, pair.read.exit_ns) > since_ns;
    });
    lose_step(channel);
}

void DataFlows::call(const decode::Event& event, const decode::Call& call, std::uint64_t tag)
{
    const auto use = aggregate::channel_use(call);
    if (!use || !is_known(decode::type_of(call)) || event.before_trace) {
        return;
    }
    const aggregate::ObjectId key = use->output ? use->end : use->other_end;
    if (key.object == 0) {
        return;   // a datagram socket takes from any
    }
    Channel& channel = channels_[key];
    if (channel.losses != losses_) {
        disprove(channel, 0);
        channel.losses = losses_;
    }
    if (event.unfinished || (call.flags & IPCSCOPE_CALL_PACKET) != 0) {
        // What it has moved so far, or what a short read of a packet drops, is not known.
        disprove(channel, call.enter_ns);
        return;
    }
    const std::uint64_t units = units_of(call);
    if (units == 0) {
        return;
    }
    const Call one{call.enter_ns, event.time_ns, units, tag};
    if (use->output) {
        const auto level = aggregate::level_of(call);
        put(channel, one, level && level->used == 0);
    } else {
        take(channel, one);
    }
    match(channel);
}

void DataFlows::put(Channel& channel, const Call& write, bool found_empty)
{
    const bool overlaps = write.enter_ns < channel.written_ns;
    channel.written_ns = std::max(channel.written_ns, write.exit_ns);
    if (overlaps) {
        disprove(channel, write.enter_ns);
        return;
    }
    if (found_empty) {
        channel.empty_ns = write.enter_ns;
        if (!channel.in_step) {
            channel.in_step = true;
            // What was read before it was something else.
            std::erase_if(channel.taken,
                          [&](const Call& read) { return read.exit_ns <= write.enter_ns; });
        }
    }
    if (channel.in_step) {
        channel.sent.push_back(write);
    }
}

void DataFlows::take(Channel& channel, const Call& read)
{
    const bool overlaps = read.enter_ns < channel.read_ns;
    channel.read_ns = std::max(channel.read_ns, read.exit_ns);
    if (overlaps) {
        disprove(channel, read.enter_ns);
    } else {
        channel.taken.push_back(read);
    }
}

void DataFlows::match(Channel& channel)
{
    if (channel.taken.size() > kMostQueued || channel.sent.size() > kMostQueued) {
        lose_step(channel);
    }
    if (!channel.in_step) {
        return;   // a write that is under way may still say what was read
    }
    bool dropped = false;
    const bool in_order = aggregate::match_in_order(
        channel.sent, channel.taken, [&](const Call& write, const Call& read, std::uint64_t) {
            // It had been found empty, so that this was gone before the read began.
            dropped |= write.enter_ns < channel.empty_ns && read.enter_ns >= channel.empty_ns;
            if (write.left == 0 && !dropped) {
                channel.pairs.push_back({write, read});
            }
        });
    if (!in_order || dropped) {
        lose_step(channel);
    }
    for (; channel.pairs.size() > kMostQueued; channel.pairs.pop_front()) {
        consumer_(channel.pairs.front().write, channel.pairs.front().read);
    }
}

void DataFlows::finish()
{
    for (auto& [key, channel] : channels_) {
        if (channel.losses == losses_) {
            for (const Pair& pair : channel.pairs) {
                consumer_(pair.write, pair.read);
            }
        }
    }
    channels_.clear();
}

}  // namespace ipcscope::exports
