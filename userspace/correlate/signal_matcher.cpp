// SPDX-License-Identifier: GPL-2.0-only
// The matcher's consumers: dequeue, delivery, and the ends of a hold.
#include "correlate/signal_matcher.hpp"

#include <algorithm>
#include <utility>

#include "correlate/numbers.hpp"

namespace ipcscope::correlate {

void SignalMatcher::event(const Event& event)
{
    loss_.note(event);
    expire(event.time_ns);
    std::visit([&](const auto& body) { on(event, body); }, event.body);
}

void SignalMatcher::finish()
{
    for (auto& [tgid, process] : processes_) {
        settle_all(process);
        abandon_all(process.take_all(), process.dead_ns ? End::target_exited : End::pending);
    }
    for (const auto& stray : strays_) consumer_(stray.orphan);
    processes_.clear();
    strays_.clear();
    holds_.clear();
    dead_.clear();
}

// --- the outcome of one signal ---

void SignalMatcher::close(Pending pending, End end, const Task& receiver,
                          std::uint64_t time_ns)
{
    SignalInterval& signal = pending.signal;
    signal.end = end;
    signal.receiver = receiver;
    signal.ended_ns = std::max(time_ns, signal.generated_ns);
    consumer_(signal);
}

/// Unmatched.  Where events were lost in its life its end may be among them.
void SignalMatcher::abandon(Pending pending, End reason)
{
    SignalInterval& signal = pending.signal;
    signal.end = loss_.lost_since(signal.generated_ns) ? End::unseen : reason;
    consumer_(signal);
}

void SignalMatcher::abandon_all(std::vector<Pending> all, End reason)
{
    for (auto& pending : all) abandon(std::move(pending), reason);
}

void SignalMatcher::unseen(std::vector<Pending> all)
{
    for (auto& pending : all) abandon(std::move(pending), End::unseen);
}

// --- consumption ---

/// The process in whose context a consumption was recorded.  It is alive, so a
/// death or exit that was noted earlier belongs to a previous bearer of the
/// number, or, for a leader, to execve().
Process* SignalMatcher::acting(const Event& event, bool create)
{
    const auto [tgid, tid] = std::pair(event.task.tgid, event.task.tid);
    auto at = processes_.find(tgid);
    if (at != processes_.end() && at->second.dead_ns && event.time_ns > *at->second.dead_ns) {
        bury(at->second);
        processes_.erase(at);
        at = processes_.end();
    }
    if (at == processes_.end()) return create ? &processes_[tgid] : nullptr;

    Process& process = at->second;
    Thread* thread = process.find(tid);
    if (thread && thread->exited_ns && event.time_ns > *thread->exited_ns) {
        settle_all(process);
        if (tid == tgid) {
            process.leader_is_back(tgid);
        } else {
            abandon_all(thread->queue.take_all(), End::target_exited);
            thread->exited_ns.reset();
        }
    }
    return &process;
}

/// The kernel looks into the private queue first.  Two real-time signals that
/// differ are never taken for each other: after a loss the order alone proves
/// nothing.
Taken SignalMatcher::take(Process& process, Thread& thread, unsigned signal,
                          const Identity& identity)
{
    for (SignalQueue* queue : {&thread.queue, &process.shared})
        if (auto taken = queue->take_same(signal, identity, loss_.gap_ns()); !taken.empty())
            return taken;
    if (!is_real_time(signal) || !identity.known)
        return take_in_order(process, thread, signal);
    for (SignalQueue* queue : {&thread.queue, &process.shared})
        if (auto taken = queue->take_unknown(signal, identity); !taken.empty()) return taken;
    return {};
}

/// By number alone; a real-time signal only where nothing can have been lost.
Taken SignalMatcher::take_in_order(Process& process, Thread& thread, unsigned signal)
{
    if (is_real_time(signal) && (thread.queue.holds_before(signal, loss_.gap_ns()) ||
                                 process.shared.holds_before(signal, loss_.gap_ns())))
        return {};
    if (auto taken = thread.queue.take_next(signal); !taken.empty()) return taken;
    return process.shared.take_next(signal);
}

void SignalMatcher::on(const Event& event, const decode::SignalDequeue& body)
{
    Process& process = *acting(event, true);
    Thread& thread = process.thread(event.task.tid);
    settle(thread, End::accepted, event.time_ns);
    const auto identity = identity_of(event, body);
    auto taken = take(process, thread, body.signal, identity);
    unseen(std::move(taken.overtaken));
    for (const auto& pending : taken.taken)   // a debugger's tracee, or sigwait
        if (ends_group(pending.signal)) process.ended_by = 0;
    thread.held = Held{event.time_ns, event.task, body.signal, identity,
                       std::move(taken.taken), false};
    holds_.push_back({event.time_ns, event.task.tgid, event.task.tid});
}

void SignalMatcher::on(const Event& event, const decode::SignalDeliver& body)
{
    deliver(*acting(event, true), event, body);
    prune(event.task.tgid, event.task.tid);
}

void SignalMatcher::deliver(Process& process, const Event& event,
                            const decode::SignalDeliver& body)
{
    const End end = body.disposition == decode::Disposition::handler ? End::handler
                                                                     : End::standard;
    if (end == End::standard && body.signal != kSigKill && ends_by_default(body.signal))
        process.ended_by = body.signal;
    Thread& thread = process.thread(event.task.tid);
    if (thread.held && thread.held->signal == body.signal) {
        // After a gap between the two this may be the delivery of a later one.
        // It says what became of the first, but not when; that was at once.
        const auto dequeued_ns = thread.held->time_ns;
        const bool sure = !loss_.lost_since(dequeued_ns, event.cpu);
        settle(thread, end, sure ? event.time_ns : dequeued_ns);
        return;
    }
    settle(thread, End::accepted, event.time_ns);
    if (body.signal == kSigKill) return group_exit(process, event);
    process.group_exit.reset();   // it was another thread's execve()
    // No dequeue: a synchronous signal, or its record was lost.
    auto taken = take_in_order(process, thread, body.signal);
    unseen(std::move(taken.overtaken));
    if (taken.empty()) stray(event, body.signal, {}, end);
    for (auto& pending : taken.taken)
        close(std::move(pending), end, event.task, event.time_ns);
}

/// A thread has found SIGKILL.  Every thread of a process that dies does, and
/// nothing but what was pending says who sent what: the first answers for all
/// sends that end the process.
void SignalMatcher::group_exit(Process& process, const Event& event)
{
    if (!process.group_exit) process.group_exit = GroupExit{event.time_ns, event.task};
    auto fatal = process.take_if([](const Pending& p) { return ends_group(p.signal); });
    if (fatal.empty()) stray(event, kSigKill, {}, End::death);
    for (auto& pending : fatal)
        close(std::move(pending), End::death, event.task, event.time_ns);
}

void SignalMatcher::stray(const Event& event, unsigned signal, const Identity& identity,
                          End end)
{
    const auto why = end == End::death ? Orphan::Why::group_exit : Orphan::Why::unknown;
    strays_.push_back({{event.time_ns, event.task, signal, why}, identity, end});
}

// --- what was dequeued and waits for a delivery ---

/// `time_ns`: of the delivery; without one the dequeue is the end.
void SignalMatcher::settle(Thread& thread, End end, std::uint64_t time_ns)
{
    if (!thread.held) return;
    const Held held = std::move(*std::exchange(thread.held, {}));
    if (end == End::accepted) time_ns = held.time_ns;
    for (const auto& pending : held.signals) close(pending, end, held.receiver, time_ns);
    if (held.signals.empty())
        strays_.push_back({{time_ns, held.receiver, held.signal, Orphan::Why::unknown},
                           held.identity, end});
}

void SignalMatcher::settle_all(Process& process)
{
    for (auto& [tid, thread] : process.threads()) settle(thread, End::accepted, 0);
}

/// The thread has gone on: what it dequeued was not delivered.
void SignalMatcher::passed(const Event& event)
{
    Process* process = acting(event, false);
    Thread* thread = process ? process->find(event.task.tid) : nullptr;
    if (!thread || !thread->held || thread->held->time_ns > event.time_ns) return;
    settle(*thread, End::accepted, event.time_ns);
    prune(event.task.tgid, event.task.tid);
}

void SignalMatcher::on(const Event& event, const decode::SignalGet&) { passed(event); }

void SignalMatcher::on(const Event& event, const decode::PipeOp&)
{
    if (!event.unfinished) passed(event);
}

void SignalMatcher::expire(std::uint64_t now_ns)
{
    const auto over = [&](std::uint64_t time_ns) { return time_ns + kHold_ns < now_ns; };
    while (!holds_.empty() && over(holds_.front().time_ns)) {
        const Expiry expiry = holds_.front();
        holds_.pop_front();
        const auto at = processes_.find(expiry.tgid);
        if (at == processes_.end()) continue;
        Thread* thread = at->second.find(expiry.tid);
        if (!thread || !thread->held || thread->held->time_ns != expiry.time_ns) continue;
        if (thread->held->traced) continue;   // until the debugger lets it go on
        settle(*thread, End::accepted, now_ns);
        prune(expiry.tgid, expiry.tid);
    }
    while (!strays_.empty() && over(strays_.front().orphan.time_ns)) {
        consumer_(strays_.front().orphan);
        strays_.pop_front();
    }
}

}  // namespace ipcscope::correlate
