// SPDX-License-Identifier: GPL-2.0-only
// Which read took the last byte of which write, of pipes and Unix-domain sockets.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

#include "aggregate/channel.hpp"
#include "decode/event.hpp"

namespace ipcscope::exports {

/// By the position of bytes, or the order of messages, counted from a write that found its
/// channel empty.  It gives no pair where the order is not known: calls on one end overlap,
/// records are missing, or bytes were dropped.
class DataFlows {
public:
    struct Call {
        std::uint64_t enter_ns = 0;
        std::uint64_t exit_ns = 0;
        std::uint64_t left = 0;    ///< bytes, or 1 message
        std::uint64_t tag = 0;     ///< the caller's
    };
    using Consumer = std::function<void(const Call& write, const Call& read)>;

    explicit DataFlows(Consumer consumer) : consumer_(std::move(consumer)) {}

    /// Each call, in the order in which they returned.
    void call(const decode::Event& event, const decode::Call& call, std::uint64_t tag);
    /// Records are missing before the next one.
    void lose() { ++losses_; }
    /// The pairs that are held back, as a call that is still under way could disprove them.
    void finish();

    static constexpr std::size_t kMostQueued = 512;   ///< of each side of a channel, and pairs

private:
    struct Pair {
        Call write;
        Call read;
    };
    struct Channel {
        std::deque<Call> sent;
        std::deque<Call> taken;    ///< of which the write may still be to come
        std::deque<Pair> pairs;
        std::uint64_t written_ns = 0;
        std::uint64_t read_ns = 0;
        std::uint64_t empty_ns = 0;   ///< a write last found it empty
        std::uint64_t losses = 0;     ///< that are known of
        bool in_step = false;
    };

    void put(Channel& channel, const Call& write, bool found_empty);
    void take(Channel& channel, const Call& read);
    void match(Channel& channel);
    static void lose_step(Channel& channel);
    static void disprove(Channel& channel, std::uint64_t since_ns);

    Consumer consumer_;
    /// Of a socket by the one that sends.
    std::unordered_map<aggregate::ObjectId, Channel, aggregate::ObjectId::Hash> channels_;
    std::uint64_t losses_ = 0;
};

}  // namespace ipcscope::exports
