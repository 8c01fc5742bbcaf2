// SPDX-License-Identifier: GPL-2.0-only
// The matcher's life of threads and processes.
#include <algorithm>
#include <utility>

#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {
namespace {

/// Processes that have died and were not seen to be freed.  Zombies are few;
/// beyond this their end was lost.
constexpr std::size_t kMostDead = 65536;

constexpr unsigned ended_by(std::int32_t exit_code) { return exit_code & 0x7f; }

}  // namespace

void SignalMatcher::on(const Event& event, const decode::TaskExit& body)
{
    Process& process = processes_[event.task.tgid];
    settle(process.thread(event.task.tid), End::accepted, event.time_ns);
    die(process, event, body);
    exit_thread(process, event);
    if (!body.group_dead) return;
    settle_all(process);
    abandon_all(process.take_all(), End::target_exited);
    process.dead_ns = event.time_ns;
    note_dead(event.task.tgid);
}

/// Fatal sends for which no delivery was seen.  A thread that ends by itself
/// just then proves nothing; an exit code that names the signal does, and so
/// does the death of a process that did not choose it.
void SignalMatcher::die(Process& process, const Event& event, const decode::TaskExit& body)
{
    const unsigned by = ended_by(body.exit_code);
    const auto named = [&](const Pending& p) { return p.signal.signal == by; };
    if (process.ended_by != by) die_elsewhere(process, event, by);
    const bool killed = body.group_dead && (by != 0 || event.copy_fault);
    auto fatal = process.take_if([](const Pending& p) { return ends_group(p.signal); });
    if (killed || std::any_of(fatal.begin(), fatal.end(), named)) {
        for (auto& pending : fatal)
            close(std::move(pending), End::death, event.task, event.time_ns);
        return;
    }
    // They are the whole process's business, whichever queue holds them.
    for (auto& pending : fatal) process.shared.push(std::move(pending));
}

/// A send that was blocked by the thread that was looked at and taken by
/// another: nothing but the exit code tells, unless another one explains it.
void SignalMatcher::die_elsewhere(Process& process, const Event& event, unsigned by)
{
    for (auto& pending : process.take_if([&](const Pending& p) {
             return p.signal.signal == by && may_end_group(p.signal);
         })) {
        const bool seen = process.group_exit &&
                          process.group_exit->time_ns >= pending.signal.generated_ns;
        const GroupExit exit = seen ? *process.group_exit
                                    : GroupExit{event.time_ns, event.task};
        close(std::move(pending), End::death, exit.receiver, exit.time_ns);
    }
}

void SignalMatcher::exit_thread(Process& process, const Event& event)
{
    Thread& thread = process.thread(event.task.tid);
    abandon_all(thread.queue.take_all(), End::target_exited);
    thread.exited_ns = event.time_ns;
}

void SignalMatcher::on(const Event&, const decode::TaskFree& body)
{
    const auto at = processes_.find(body.task.tgid);
    if (at == processes_.end()) return;
    if (body.task.tid == body.task.tgid) {
        bury(at->second);
        processes_.erase(at);
        return;
    }
    free_thread(at->second, body.task);
    prune(body.task.tgid, body.task.tid);
}

/// A number that never exited is freed: its thread goes on under the leader's
/// number after execve(), and what is freed here is the old leader.
void SignalMatcher::free_thread(Process& process, const Task& task)
{
    Thread* thread = process.find(task.tid);
    Thread* leader = process.find(task.tgid);
    const bool exited = thread && thread->exited_ns;
    if (thread) settle(*thread, End::accepted, 0);
    if (!exited && leader && leader->exited_ns) {
        process.become_leader(task.tgid, task.tid);
    } else if (thread) {
        abandon_all(thread->queue.take_all(), End::target_exited);
        process.forget(task.tid);
    }
}

void SignalMatcher::bury(Process& process)
{
    settle_all(process);
    abandon_all(process.take_all(), End::target_exited);
}

/// Forgets a thread and a process of which nothing is known any more.
void SignalMatcher::prune(std::uint32_t tgid, std::uint32_t tid)
{
    const auto at = processes_.find(tgid);
    if (at == processes_.end()) return;
    if (const Thread* thread = at->second.find(tid); thread && thread->idle())
        at->second.forget(tid);
    if (at->second.idle()) processes_.erase(at);
}

void SignalMatcher::note_dead(std::uint32_t tgid)
{
    dead_.push_back(tgid);
    if (dead_.size() <= kMostDead) return;
    const auto at = processes_.find(dead_.front());
    dead_.pop_front();
    if (at != processes_.end() && at->second.dead_ns) processes_.erase(at);
}

}  // namespace ipcscope::correlate
