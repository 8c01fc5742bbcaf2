// SPDX-License-Identifier: GPL-2.0-only
// Channels: what processes wait for each other on, whatever the family of the object is.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "aggregate/bounded_map.hpp"
#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// A pipe, queue, … as the kernel knows it.
struct ObjectId {
    std::uint32_t dev = 0;
    std::uint8_t type = 0;
    std::uint64_t object = 0;
    friend auto operator<=>(const ObjectId&, const ObjectId&) = default;
    struct Hash {
        std::size_t operator()(const ObjectId& id) const
        {
            return mix(mix(id.dev, id.type), id.object);
        }
    };
};
/// Types that records of one object may differ in are one: a pipe and a FIFO, all of Unix
/// sockets.
ObjectId object_of(const decode::Call& call);
ObjectId object_id(decode::ObjectType type, std::uint32_t dev, std::uint64_t object);

/// What objects of one type are to those that use them.
struct ChannelKind {
    decode::ObjectType type;
    bool flows;    ///< what one side puts in the other takes out: it joins stages
    bool held;     ///< by open files: they say who can end a wait
    bool named;    ///< any process can open it by its name
    bool owned;    ///< who takes keeps it until he puts it back, as a mutex
    bool bytes;    ///< calls return how many
};
inline constexpr std::array<ChannelKind, IPCSCOPE_OBJECT_COUNT> kChannelKinds{{
    {decode::ObjectType::none, false, false, false, false, false},
    {decode::ObjectType::pipe, true, true, false, false, true},
    {decode::ObjectType::fifo, true, true, true, false, true},
    {decode::ObjectType::unix_stream, true, true, false, false, true},
    {decode::ObjectType::unix_dgram, true, true, true, false, true},
    {decode::ObjectType::unix_seqpacket, true, true, false, false, true},
    {decode::ObjectType::eventfd, true, true, false, false, true},
    {decode::ObjectType::mqueue, true, true, true, false, true},
    {decode::ObjectType::sysv_msg, true, false, false, false, true},
    {decode::ObjectType::sysv_sem, false, false, false, true, false},
    {decode::ObjectType::sysv_shm, false, false, false, false, false},
    {decode::ObjectType::futex, false, false, false, false, false},
    {decode::ObjectType::futex_private, false, false, false, false, false},
}};
constexpr const ChannelKind& channel_kind(decode::ObjectType type)
{
    return kChannelKinds[static_cast<std::size_t>(type)];
}

/// One direction of an object, as a call uses it.  A socket is two channels: each is named
/// by the socket that receives.
struct ChannelUse {
    ObjectId channel;
    ObjectId end;          ///< the object that the call was made on
    ObjectId other_end;    ///< of a socket: its peer; else the same object
    bool output = false;   ///< puts something in, or waits for room; else takes out
};
/// nullopt: a call that waits for no other process, or a socket without a peer.
std::optional<ChannelUse> channel_use(const decode::Call& call);

/// The open of one end of a FIFO, which waits for the other: `output`, of its write end.
std::optional<ChannelUse> channel_open(const decode::Call& call);

/// The second record of a call between two pipes: its time is in the first one.
bool is_other_end(const decode::Event& event, const decode::Call& call);

/// 0: none, an error, or it only peeked.
std::uint64_t moved_bytes(const decode::Call& call);

/// Something, but less than it asked for, of a stream or a queue of bytes.
bool moved_a_part(const decode::Call& call);

/// An input of 0 bytes that asked for some: no process is left that could put more in.
bool is_end_of_file(const decode::Call& call);

/// How full the object was at the call's entry.
struct Level {
    std::uint32_t used;
    std::uint32_t limit;
};
/// nullopt: it has no limit, or it is not recorded.
std::optional<Level> level_of(const decode::Call& call);

}  // namespace ipcscope::aggregate
