// SPDX-License-Identifier: GPL-2.0-only
// Calls on POSIX message queues → how long messages of each priority waited in the queue.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/channel.hpp"
#include "aggregate/report.hpp"
#include "correlate/loss_clock.hpp"

namespace ipcscope::aggregate {

/// A receive takes the oldest message of the highest priority, so what each took follows from
/// the sends, from an instant on at which the queue was empty, which a send says.  Calls come
/// in the order in which they returned; of two that overlap that order may be another than the
/// queue's.
class PriorityTable {
public:
    void call(const decode::Event& event, const decode::Call& call);
    /// Of queues that were sent messages of two priorities or more.
    void describe(std::vector<ObjectRow>& objects, std::uint64_t end_ns) const;

    static constexpr std::size_t kMostQueued = 1u << 16;   ///< messages of a queue

private:
    struct Message {
        std::uint64_t sent_ns = 0;
        /// Of a higher priority, received or not, as it was sent: those do not overtake it.
        std::uint64_t ahead = 0;
    };
    struct Priority {
        PriorityRow row;
        std::deque<Message> waiting;
    };
    using Priorities = std::map<std::uint32_t, Priority, std::greater<>>;   ///< highest first
    struct Queue {
        Priorities priorities;
        std::uint64_t queued = 0;     ///< messages
        std::uint64_t taken = 0;      ///< that returned before the send of what they took
        std::uint64_t gap_ns = 0;     ///< as in_step was set: the last loss of records
        bool in_step = false;
    };

    void send(Queue& queue, const decode::Event& event, const decode::Call& call);
    void receive(Queue& queue, const decode::Event& event);
    static std::uint64_t received_above(const Queue& queue, std::uint32_t priority);
    static void lose_step(Queue& queue);

    BoundedMap<ObjectId, Queue, ObjectId::Hash> queues_{kMostQueues};
    correlate::LossClock losses_;
    static constexpr std::size_t kMostQueues = 1024;
    static constexpr std::size_t kMostPriorities = 64;   ///< of a queue
};

}  // namespace ipcscope::aggregate
