// SPDX-License-Identifier: GPL-2.0-only
// The matcher's life of threads and processes.
#include <utility>

#include "correlate/numbers.hpp"
#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {
namespace {

/// Processes that have died and were not seen to be freed.  Zombies are few;
/// beyond this their end was lost.
constexpr std::size_t kMostDead = 65536;

bool ended_before(const Process& process, std::uint64_t time_ns)
{
    return (process.dead_ns && *process.dead_ns < time_ns) ||
           (process.group_exit_ns && *process.group_exit_ns < time_ns);
}

}  // namespace

/// A thread's last context switch.
void SignalMatcher::on(const Event& event, const decode::ThreadTime& body)
{
    if (event.kind != IPCSCOPE_THREAD_EXIT) return;
    Process& process = processes_[event.task.tgid];
    const auto [tgid, tid] = std::pair(event.task.tgid, event.task.tid);
    if (!body.group_dead && exits_in_leaders_place(process, event.task)) {
        exit_thread(process, tgid, event.time_ns);
        return process.become_leader(tgid, tid);
    }
    die(process, event, decode::ended_by(body.exit_code), body.group_dead != 0);
    exit_thread(process, tid, event.time_ns);
    if (!body.group_dead) return;
    abandon_all(process.take_all(), End::target_exited);
    abandon_all(process.left.take_all(), End::target_exited);
    if (!process.dead_ns) note_dead(event.task.tgid);
    process.dead_ns = event.time_ns;
}

/// execve() by another thread gives it the leader's number, and the leader its own,
/// once the leader is a zombie, which may be before its last context switch.
bool SignalMatcher::exits_in_leaders_place(Process& process, const Task& task) const
{
    if (task.tid == task.tgid) return false;
    const Thread* leader = process.find(task.tgid);
    const Thread* thread = process.find(task.tid);
    return leader && leader->exec_killed && !leader->exited_ns &&
           !(thread && (thread->exec_killed || thread->exited_ns));
}

/// Fatal sends for which no taking was seen.  A thread that ends by itself just then
/// proves nothing; an exit code that names the signal does.  A SIGKILL that came
/// while the process dumped core is taken by nobody else.
void SignalMatcher::die(Process& process, const Event& event, unsigned by, bool group_dead)
{
    if (by == 0) return;
    if (!process.group_exit_ns)
        if (auto fatal = process.take_fatal(by)) {
            process.group_exit_ns = event.time_ns;
            close_death(std::move(*fatal), event);
        }
    if (!group_dead) return;
    for (auto& kill : process.take_signal(kSigKill)) close_death(std::move(kill), event);
    for (auto& kill : process.left.take_signal(kSigKill)) close_death(std::move(kill), event);
}

/// A send to a thread that is gone, unless it has ended the process, too.
void SignalMatcher::leave(Process& process, Pending pending)
{
    if (!ends_group(pending.signal)) return abandon(std::move(pending), End::target_exited);
    abandon_all(process.left.push(std::move(pending)), End::unseen);
}

void SignalMatcher::exit_thread(Process& process, std::uint32_t tid, std::uint64_t time_ns)
{
    Thread& thread = process.thread(tid);
    for (auto& pending : thread.queue.take_all()) leave(process, std::move(pending));
    thread.exited_ns = time_ns;
}

/// Another thread has become the leader, whose exit may not have been seen yet.
void SignalMatcher::replace_leader(Process& process, std::uint32_t tgid, std::uint64_t time_ns)
{
    if (!process.thread(tgid).exited_ns) exit_thread(process, tgid, time_ns);
    process.leader_is_back(tgid);
}

/// Whatever was generated before a thread began was sent to another of its number.
void SignalMatcher::on(const Event& event, const decode::Thread& body)
{
    const auto [tgid, tid] = std::pair(event.task.tgid, event.task.tid);
    const auto at = processes_.find(tgid);
    if (at == processes_.end()) return;
    Process& process = at->second;
    const std::uint64_t start_ns = body.start_ns;
    const auto earlier = [&](const Pending& p) { return p.signal.generated_ns < start_ns; };
    Thread* thread = process.find(tid);
    if (tid != tgid) {
        if (!thread) return;
        abandon_all(thread->queue.take_if(earlier), End::target_exited);
        if (thread->exited_ns && *thread->exited_ns < start_ns) bury_thread(process, tid);
    } else if (ended_before(process, start_ns)) {
        bury(process);
    } else {
        abandon_all(process.take_if(earlier), End::target_exited);
        const bool replaced = thread && (thread->exited_ns || thread->exec_killed);
        if (body.reason == IPCSCOPE_THREAD_EXEC && replaced)
            replace_leader(process, tgid, event.time_ns);
    }
    prune(tgid, tid);
}

void SignalMatcher::on(const Event& event, const decode::ThreadFree&)
{
    const auto at = processes_.find(event.task.tgid);
    if (at == processes_.end()) return;
    if (event.task.tid == event.task.tgid)
        bury(at->second);
    else
        free_thread(at->second, event.task);
    prune(event.task.tgid, event.task.tid);
}

/// A number that never exited is freed: its thread goes on under the leader's
/// number after execve(), and what is freed here is the old leader.
void SignalMatcher::free_thread(Process& process, const Task& task)
{
    const Thread* thread = process.find(task.tid);
    const Thread* leader = process.find(task.tgid);
    const bool exited = thread && thread->exited_ns;
    if (!exited && leader && leader->exited_ns) {
        process.become_leader(task.tgid, task.tid);
    } else if (thread) {
        bury_thread(process, task.tid);
        if (process.dead_ns && process.threads().empty()) bury(process);
    }
}

/// Nothing is left of it; its number may be used again.
void SignalMatcher::bury(Process& process)
{
    for (auto& gone : process.gone) consumer_(gone.pending.signal);
    abandon_all(process.take_all(), End::target_exited);
    abandon_all(process.left.take_all(), End::target_exited);
    process = Process{};
}

void SignalMatcher::bury_thread(Process& process, std::uint32_t tid)
{
    abandon_all(process.thread(tid).queue.take_all(), End::target_exited);
    process.forget(tid);
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
    if (at == processes_.end() || !at->second.dead_ns) return;
    bury(at->second);
    processes_.erase(at);
}

}  // namespace ipcscope::correlate
