// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/channel.hpp"

#include <algorithm>

#include <ipcscope/policy.h>

namespace ipcscope::aggregate {
namespace {

using decode::ObjectType;
using decode::Op;

constexpr bool in_order()
{
    for (std::size_t at = 0; at < kChannelKinds.size(); ++at) {
        if (static_cast<std::size_t>(kChannelKinds[at].type) != at) {
            return false;
        }
    }
    return true;
}
static_assert(in_order());

/// What an operation does to the channel; by `amount`: the sign of a semaphore's operation.
enum class Effect : std::uint8_t { none, takes, puts, by_amount };

constexpr std::array kEffects{
    Effect::takes,       // read
    Effect::puts,        // write
    Effect::none,        // open
    Effect::none,        // resize
    Effect::takes,       // splice_in
    Effect::puts,        // splice_out
    Effect::takes,       // tee: a copy
    Effect::puts,        // vmsplice
    Effect::puts,        // send
    Effect::takes,       // receive
    Effect::puts,        // connect
    Effect::takes,       // accept
    Effect::none,        // notify
    Effect::by_amount,   // semaphore
    Effect::none,        // attach
    Effect::takes,       // wait
    Effect::puts,        // wake
    Effect::none,        // requeue
};
static_assert(kEffects.size() == IPCSCOPE_OP_COUNT);

ObjectType joined(ObjectType type)
{
    if (decode::is_pipe(type)) {
        return ObjectType::pipe;
    }
    return decode::is_unix(type) ? ObjectType::unix_stream : type;
}

}  // namespace

ObjectId object_id(ObjectType type, std::uint32_t dev, std::uint64_t object)
{
    return {dev, static_cast<std::uint8_t>(joined(type)), object};
}

ObjectId object_of(const decode::Call& call)
{
    return object_id(decode::type_of(call), call.dev, call.object);
}

std::optional<ChannelUse> channel_use(const decode::Call& call)
{
    const Effect effect = kEffects[static_cast<std::size_t>(decode::op_of(call))];
    if (effect == Effect::none || decode::type_of(call) == ObjectType::none) {
        return std::nullopt;
    }
    ChannelUse use;
    use.output = effect == Effect::by_amount ? call.tail.sysv.amount >= 0
                                             : effect == Effect::puts;
    use.end = use.channel = use.other_end = object_of(call);
    if (decode::is_unix(decode::type_of(call))) {
        // Of an accept it is the socket that was made, at this end.
        use.other_end.object = decode::op_of(call) == Op::accept ? 0 : call.peer;
        if (use.output) {
            use.channel = use.other_end;
        }
        if (use.channel.object == 0) {
            return std::nullopt;
        }
    }
    return use;
}

std::optional<ChannelUse> channel_open(const decode::Call& call)
{
    const unsigned ends = call.flags & (IPCSCOPE_CALL_OPENS_READ | IPCSCOPE_CALL_OPENS_WRITE);
    if (decode::op_of(call) != Op::open || (ends & (ends - 1)) != 0) {
        return std::nullopt;
    }
    const ObjectId object = object_of(call);
    return ChannelUse{object, object, object, ends == IPCSCOPE_CALL_OPENS_WRITE};
}

bool is_other_end(const decode::Event& event, const decode::Call& call)
{
    return event.kind == IPCSCOPE_CALL_SPLICE && !event.unfinished &&
           call.since_ns == event.time_ns;
}

std::uint64_t moved_bytes(const decode::Call& call)
{
    const ObjectType type = decode::type_of(call);
    if ((call.flags & IPCSCOPE_CALL_PEEK) != 0) {
        return 0;
    }
    const bool queue = type == ObjectType::mqueue || type == ObjectType::sysv_msg;
    return channel_kind(type).bytes
               ? ipcscope_moved_bytes(queue, call.op, call.requested, call.ret)
               : 0;
}

bool moved_a_part(const decode::Call& call)
{
    return channel_kind(decode::type_of(call)).bytes && call.ret > 0 &&
           static_cast<std::uint32_t>(call.ret) < call.requested;
}

bool is_end_of_file(const decode::Call& call)
{
    const ObjectType type = decode::type_of(call);
    const bool ends = channel_kind(type).held && channel_kind(type).flows &&
                      type != ObjectType::unix_dgram && type != ObjectType::mqueue;
    return ends && call.ret == 0 && call.requested > 0 && ipcscope_moves_bytes(call.op) != 0 &&
           kEffects[static_cast<std::size_t>(decode::op_of(call))] == Effect::takes;
}

std::optional<Level> level_of(const decode::Call& call)
{
    const auto& tail = call.tail;
    switch (decode::type_of(call)) {
    case ObjectType::pipe:
    case ObjectType::fifo: return Level{tail.pipe.used_slots, tail.pipe.ring_slots};
    case ObjectType::unix_stream:
    case ObjectType::unix_dgram:
    case ObjectType::unix_seqpacket:
        return Level{tail.socket.queued_bytes, tail.socket.limit_bytes};
    case ObjectType::mqueue: return Level{tail.mqueue.messages, tail.mqueue.max_messages};
    case ObjectType::none:
    case ObjectType::eventfd:
    case ObjectType::sysv_msg:
    case ObjectType::sysv_sem:
    case ObjectType::sysv_shm:
    case ObjectType::futex:
    case ObjectType::futex_private: break;
    }
    return std::nullopt;
}

}  // namespace ipcscope::aggregate
