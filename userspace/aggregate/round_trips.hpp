// SPDX-License-Identifier: GPL-2.0-only
// Round trips between two tasks, seen by the kernel: where the time of each went.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// Stretches of a round trip, in the order in which they follow each other; each
/// is there twice, once a direction.
enum class Stretch : std::size_t {
    send,       ///< the sender's system call, until it wakes the receiver
    full,       ///< the sender blocked: no room
    wake,       ///< signals: sent, not yet taken (woken, waits for a CPU, runs)
    runqueue,   ///< calls: woken, waits for a CPU
    receive,    ///< the receiver runs: dequeue, copy, return
    outside,    ///< between the hooks: entering and leaving system calls, user code
};
inline constexpr std::size_t kStretches = 6;

/// What each is called where it is shown.
std::string_view name(Stretch stretch);

struct RoundTrips {
    std::uint64_t count = 0;     ///< whole ones, in which nothing is missing
    std::uint64_t left_out = 0;  ///< begun, but a record is missing or one too many
    std::uint64_t total_ns = 0;  ///< of all that were counted
    std::array<std::uint64_t, kStretches> ns{};  ///< adds up to total_ns, exactly
    std::uint64_t at(Stretch stretch) const { return ns[static_cast<std::size_t>(stretch)]; }
};

/// Splits what `events` (in the order of time) show of messages that a sends to b
/// and b answers.  The first begins at `from_ns`, the last ends at `to_ns`, each
/// ends where the next begins: without a record missing total_ns is to - from.
/// Tasks are thread ids.
///
/// Messages by calls on IPC objects: those of records of `kinds` (a bit for each) on what one
/// of the two puts something into and the other takes it from.  A futex is called only where
/// the other end sleeps, or is to come: a message without a call took no time in one.
RoundTrips split_calls(std::span<const decode::Event> events, std::uint64_t kinds,
                       std::uint32_t a, std::uint32_t b, std::uint64_t from_ns,
                       std::uint64_t to_ns);
RoundTrips split_signals(std::span<const decode::Event> events, std::uint32_t a,
                         std::uint32_t b, std::uint64_t from_ns, std::uint64_t to_ns);

}  // namespace ipcscope::aggregate
