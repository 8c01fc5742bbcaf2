// SPDX-License-Identifier: GPL-2.0-only
#include "decode/thread_table.hpp"

#include <string_view>
#include <utility>

#include "base/collector.hpp"

namespace ipcscope::decode {
namespace {

Comm comm_of(const Thread& body)
{
    return std::string_view{reinterpret_cast<const char*>(body.comm), sizeof body.comm};
}

}  // namespace

void ThreadTable::learn(const Event& event, const Thread& body)
{
    threads_[event.task.tid] = {event.time_ns, event.task.tgid, body.ppid,   body.ns_pid,
                                body.uid,      body.start_ns,   body.cgroup, comm_of(body)};
}

/// Of another process's thread the number has been used again.
Comm ThreadTable::name(std::uint32_t tgid, std::uint32_t tid, std::uint64_t since_ns) const
{
    const Known* known = find(tid);
    return known && known->tgid == tgid && known->time_ns >= since_ns ? known->comm : Comm{};
}

/// Whether the CPU has lost records since its last one.
bool ThreadTable::lost_before(const Event& event)
{
    const std::size_t place = place_of_cpu(event.cpu);
    if (lost_.size() <= place) lost_.resize(place + 1);
    std::uint64_t& lost = lost_[place];
    if (event.lost_before <= lost) return false;
    lost = event.lost_before;
    return true;
}

/// A backend writes the THREAD record of a thread whose name has changed just before
/// the record that needs it, on the same CPU and of the same time.  Where that CPU
/// lost records just before, it may be among them, and an older name may be wrong.
void ThreadTable::stamp(Event& event)
{
    if (const auto* body = std::get_if<Thread>(&event.body)) learn(event, *body);

    const std::uint64_t since_ns = lost_before(event) ? event.time_ns : 0;
    event.task.comm = name(event.task.tgid, event.task.tid, since_ns);
    event.process = event.task.tid == event.task.tgid
                        ? event.task.comm
                        : name(event.task.tgid, event.task.tgid, since_ns);
    if (event.target.tid != 0) {
        event.target.comm = name(event.target.tgid, event.target.tid, since_ns);
        event.target_process = event.target.tid == event.target.tgid
                                   ? event.target.comm
                                   : name(event.target.tgid, event.target.tgid, since_ns);
    }
    if (std::holds_alternative<ThreadFree>(event.body)) threads_.erase(event.task.tid);
}

}  // namespace ipcscope::decode
