// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/priority_table.hpp"

#include <algorithm>
#include <utility>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

/// Of the message that most others overtook; of two, the one that waited longer.
void note_overtaken(PriorityRow& row, std::uint64_t overtaken, std::uint64_t ns)
{
    if (std::pair(overtaken, ns) > std::pair(row.overtaken, row.overtaken_ns)) {
        row.overtaken = overtaken;
        row.overtaken_ns = ns;
    }
}

}  // namespace

void PriorityTable::call(const decode::Event& event, const decode::Call& call)
{
    losses_.note(event);
    if (event.unfinished || call.ret < 0) {
        return;
    }
    const auto op = decode::op_of(call);
    if (op == decode::Op::send) {
        send(queues_.use(object_of(call)), event, call);
    } else if (op == decode::Op::receive) {
        receive(queues_.use(object_of(call)), event);
    }
}

/// What is queued now is not known apart from what comes.
void PriorityTable::lose_step(Queue& queue)
{
    for (auto& [number, priority] : queue.priorities) {
        priority.waiting.clear();
    }
    queue.queued = queue.taken = 0;
    queue.in_step = false;
}

std::uint64_t PriorityTable::received_above(const Queue& queue, std::uint32_t priority)
{
    std::uint64_t sum = 0;
    for (const auto& [number, above] : queue.priorities) {
        if (number <= priority) {
            break;
        }
        sum += above.row.received;
    }
    return sum;
}

void PriorityTable::send(Queue& queue, const decode::Event& event, const decode::Call& call)
{
    const std::uint32_t number = call.tail.mqueue.priority;
    if (queue.in_step && losses_.gap_ns() != queue.gap_ns) {
        lose_step(queue);
    }
    if (!queue.in_step && call.tail.mqueue.messages == 0) {
        queue.in_step = true;
        queue.gap_ns = losses_.gap_ns();
    }
    if (!queue.priorities.contains(number) && queue.priorities.size() == kMostPriorities) {
        lose_step(queue);
        return;
    }
    Priority& priority = queue.priorities[number];
    priority.row.priority = number;
    ++priority.row.sent;
    if (!queue.in_step) {
        return;
    }
    if (queue.taken != 0) {   // a receiver that waited was given it
        --queue.taken;
        ++priority.row.received;
        priority.row.waited.add(0);
        return;
    }
    std::uint64_t ahead = received_above(queue, number);
    for (const auto& [above, other] : queue.priorities) {
        ahead += above > number ? other.waiting.size() : 0;
    }
    priority.waiting.push_back({event.time_ns, ahead});
    if (++queue.queued > kMostQueued) {
        lose_step(queue);
    }
}

void PriorityTable::receive(Queue& queue, const decode::Event& event)
{
    if (queue.in_step && losses_.gap_ns() != queue.gap_ns) {
        lose_step(queue);
    }
    if (!queue.in_step) {
        return;
    }
    const auto first = std::ranges::find_if(
        queue.priorities, [](const auto& entry) { return !entry.second.waiting.empty(); });
    if (first == queue.priorities.end()) {
        ++queue.taken;
        return;
    }
    auto& [number, priority] = *first;
    const Message message = priority.waiting.front();
    priority.waiting.pop_front();
    --queue.queued;
    ++priority.row.received;
    priority.row.waited.add(since(event.time_ns, message.sent_ns));
    note_overtaken(priority.row, since(received_above(queue, number), message.ahead),
                   since(event.time_ns, message.sent_ns));
}

void PriorityTable::describe(std::vector<ObjectRow>& objects, std::uint64_t end_ns) const
{
    for (ObjectRow& row : objects) {
        if (row.type != decode::ObjectType::mqueue) {
            continue;
        }
        const Queue* queue = queues_.find({row.dev, IPCSCOPE_OBJECT_MQUEUE, row.object});
        if (queue == nullptr || queue->priorities.size() < 2) {
            continue;
        }
        for (const auto& [number, priority] : queue->priorities) {
            PriorityRow& out = row.priorities.emplace_back(priority.row);
            out.waiting = priority.waiting.size();
            if (out.waiting == 0) {
                continue;
            }
            const Message& oldest = priority.waiting.front();
            out.waits_ns = since(end_ns, oldest.sent_ns);
            note_overtaken(out, since(received_above(*queue, number), oldest.ahead), out.waits_ns);
        }
    }
}

}  // namespace ipcscope::aggregate
