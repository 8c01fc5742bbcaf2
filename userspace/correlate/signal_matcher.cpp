// SPDX-License-Identifier: GPL-2.0-only
// The matcher's takings, and the outcome of a signal.
#include "correlate/signal_matcher.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "correlate/numbers.hpp"

namespace ipcscope::correlate {
namespace {

/// Out of their queues and not seen to be taken, of one process.
constexpr std::size_t kMostGone = 64;

constexpr std::array kEndOfTaking{
    End::handler,  End::standard, End::ignored,   End::sigwait,       End::signalfd,
    End::debugger, End::death,    End::discarded, End::kernel_thread,
};
static_assert(kEndOfTaking.size() == IPCSCOPE_TAKE_COUNT);

End end_of(const decode::SignalTake& body) { return kEndOfTaking[body.how]; }

/// By no dequeue, and with what only sending gives: a debugger put it in the place
/// of another.
bool is_replacement(const decode::SignalTake& body)
{
    return body.dequeued_ns == 0 && body.has_info && body.si_code <= 0;
}

}  // namespace

void SignalMatcher::event(const Event& event)
{
    loss_.note(event);
    std::visit([&](const auto& body) { on(event, body); }, event.body);
    newest_ns_ = std::max(newest_ns_, event.time_ns);
}

void SignalMatcher::finish()
{
    std::vector<std::uint32_t> numbers;
    for (const auto& [tgid, process] : processes_) numbers.push_back(tgid);
    std::ranges::sort(numbers);
    for (const std::uint32_t tgid : numbers) {
        Process& process = processes_.at(tgid);
        for (auto& gone : process.gone) consumer_(gone.pending.signal);
        abandon_all(process.left.take_all(), End::target_exited);
        abandon_all(process.take_all(), process.dead_ns ? End::target_exited : End::pending);
    }
    processes_.clear();
    dead_.clear();
}

// --- the outcome of one signal ---

/// What a debugger dropped had ended when it was dequeued: the record's own time is
/// that at which this showed.
void SignalMatcher::close(Pending pending, const Event& event, const decode::SignalTake& body)
{
    SignalInterval& signal = pending.signal;
    signal.end = end_of(body);
    signal.receiver = event.task;
    signal.traced = body.traced != 0;
    if (body.dequeued_ns != 0)
        signal.dequeued_ns = std::max<std::uint64_t>(body.dequeued_ns, signal.generated_ns);
    const bool dropped = signal.end == End::debugger && body.dequeued_ns != 0;
    signal.ended_ns = std::max<std::uint64_t>(dropped ? body.dequeued_ns : event.time_ns,
                                              signal.generated_ns);
    consumer_(signal);
}

void SignalMatcher::close_death(Pending pending, const Event& event)
{
    SignalInterval& signal = pending.signal;
    signal.end = End::death;
    signal.receiver = event.task;
    signal.ended_ns = std::max(event.time_ns, signal.generated_ns);
    consumer_(signal);
}

/// Where events were lost in its life its end may be among them, unless the kernel
/// has said what it was.
End SignalMatcher::unmatched(const Pending& pending, End reason) const
{
    if (reason == End::discarded) return reason;
    return pending.late || loss_.lost_since(pending.signal.generated_ns) ? End::unseen : reason;
}

void SignalMatcher::abandon(Pending pending, End reason)
{
    pending.signal.end = unmatched(pending, reason);
    consumer_(pending.signal);
}

void SignalMatcher::abandon_all(std::vector<Pending> all, End reason)
{
    for (auto& pending : all) abandon(std::move(pending), reason);
}

/// They have left their queue by now; a debugger's tracee may have taken them, whose
/// record comes when it goes on.
void SignalMatcher::let_go(Process& process, std::vector<Pending> all, End reason,
                           std::uint64_t time_ns)
{
    for (auto& pending : all) {
        pending.signal.end = unmatched(pending, reason);
        process.gone.push_back({std::move(pending), time_ns});
        if (process.gone.size() <= kMostGone) continue;
        consumer_(process.gone.front().pending.signal);
        process.gone.erase(process.gone.begin());
    }
}

void SignalMatcher::orphan(const Event& event, unsigned signal, Orphan::Why why)
{
    consumer_(Orphan{event.time_ns, event.task, signal, why});
}

// --- takings ---

/// The process in whose context a taking was recorded.  It is alive, so a death
/// or exit that was noted earlier belongs to a previous bearer of the number, or,
/// for a leader, to execve().
Process& SignalMatcher::acting(const Event& event)
{
    const auto [tgid, tid] = std::pair(event.task.tgid, event.task.tid);
    Process& process = processes_[tgid];
    if (process.dead_ns && event.time_ns > *process.dead_ns) bury(process);

    const Thread* thread = process.find(tid);
    const bool exited = thread && thread->exited_ns && event.time_ns > *thread->exited_ns;
    if (tid == tgid && (exited || (thread && thread->exec_killed)))
        replace_leader(process, tgid, event.time_ns);
    else if (exited)
        bury_thread(process, tid);
    return process;
}

void SignalMatcher::on(const Event& event, const decode::SignalTake& body)
{
    Process& process = acting(event);
    const auto how = decode::how_of(body);
    if (how == decode::How::group_exit)
        group_exit(process, event, body);
    else if (how == decode::How::discarded)
        discarded(process, event, body);
    else
        taken(process, event, body);
    prune(event.task.tgid, event.task.tid);
}

void SignalMatcher::taken(Process& process, const Event& event,
                          const decode::SignalTake& body)
{
    const bool acts = body.how == IPCSCOPE_TAKE_DEFAULT;
    if (acts && (ends_by_default(body.sig) || dumps_core(body.sig)))
        process.group_exit_ns = event.time_ns;   // by this one, and by no other
    else if (!body.traced)
        process.group_exit_ns.reset();   // of a predecessor whose end was lost
    auto found = find_taken(process, event, body);
    let_go(process, std::move(found.overtaken), End::unseen, body.dequeued_ns);
    if (found.empty()) orphan(event, body.sig, Orphan::Why::unknown);
    for (auto& pending : found.taken) close(std::move(pending), event, body);
}

/// Nothing can be queued between a dequeue and the end of its taking, under the same
/// lock, unless a debugger stops the thread meanwhile.
Taken SignalMatcher::find_taken(Process& process, const Event& event,
                                const decode::SignalTake& body)
{
    if (is_replacement(body)) return {};
    Wanted wanted{body.sig, identity_of(body)};
    wanted.gap_ns = loss_.gap_ns();
    if (body.traced && body.dequeued_ns != 0) wanted.until_ns = body.dequeued_ns;
    const std::uint32_t tid = event.task.tid;
    // A fault's is taken out of the private queue, past dequeue_signal().
    if (body.dequeued_ns == 0)
        if (auto taken = process.thread(tid).queue.take_same(wanted); !taken.empty())
            return taken;
    return take(process, tid, wanted);
}

/// The kernel looks into the private queue first.  Two real-time signals that
/// differ are never taken for each other: after a loss the order alone proves
/// nothing.
Taken SignalMatcher::take(Process& process, std::uint32_t tid, const Wanted& wanted)
{
    struct Place {
        std::uint32_t owner;
        SignalQueue& queue;
    };
    const Place places[] = {{tid, process.thread(tid).queue}, {0, process.shared}};
    for (const auto& [owner, queue] : places)
        for (const Match match : {Match::same, Match::unknown}) {
            if (auto taken = take_gone(process, owner, wanted, match); !taken.empty())
                return taken;
            auto taken = match == Match::same ? queue.take_same(wanted)
                                              : queue.take_unknown(wanted);
            if (!taken.empty()) return taken;
        }
    if (is_real_time(wanted.signal) && wanted.identity.known) return {};
    for (const auto& [owner, queue] : places) {
        if (auto taken = take_gone(process, owner, wanted, Match::any); !taken.empty())
            return taken;
        if (auto taken = take_in_order(queue, wanted); !taken.empty()) return taken;
    }
    return {};
}

/// By number alone; a real-time signal only where nothing can have been lost.
Taken SignalMatcher::take_in_order(SignalQueue& queue, const Wanted& wanted)
{
    if (is_real_time(wanted.signal) && queue.holds_before(wanted.signal, wanted.gap_ns))
        return {};
    return queue.take_next(wanted);
}

/// What left the queue of `owner` no earlier than `since_ns`; end() if there is none.
Process::GoneAt SignalMatcher::find_gone(Process& process, std::uint32_t owner,
                                         const Wanted& wanted, std::uint64_t since_ns,
                                         Match match)
{
    const auto suits = [&](const Pending& pending) {
        switch (match) {
        case Match::same: return pending.identity == wanted.identity;
        case Match::unknown: return !pending.identity.known && may_be(pending, wanted);
        case Match::any: break;
        }
        return true;
    };
    return std::find_if(process.gone.begin(), process.gone.end(), [&](const Gone& gone) {
        const SignalInterval& signal = gone.pending.signal;
        return gone.pending.owner == owner && signal.signal == wanted.signal &&
               signal.generated_ns <= wanted.until_ns && gone.time_ns >= since_ns &&
               suits(gone.pending);
    });
}

/// One that left its queue only after a debugger's tracee had dequeued something is
/// what it dequeued.
Taken SignalMatcher::take_gone(Process& process, std::uint32_t owner, const Wanted& wanted,
                               Match match)
{
    if (wanted.until_ns == UINT64_MAX) return {};
    const auto found = find_gone(process, owner, wanted, wanted.until_ns, match);
    if (found == process.gone.end()) return {};
    Taken taken;
    taken.taken.push_back(std::move(found->pending));
    process.gone.erase(found);
    return taken;
}

/// A thread has found a SIGKILL that was never generated.  Every thread of a process
/// that dies does, and the kernel says which signal ends it: the first answers for
/// the send of that signal.
void SignalMatcher::group_exit(Process& process, const Event& event,
                               const decode::SignalTake& body)
{
    const bool first = !process.group_exit_ns;
    if (body.group == IPCSCOPE_GROUP_EXEC)
        process.thread(event.task.tid).exec_killed = true;
    else if (first)
        process.group_exit_ns = event.time_ns;
    if (first && body.group == IPCSCOPE_GROUP_EXIT && body.group_signal != 0) {
        if (auto fatal = process.take_fatal(body.group_signal))
            return close_death(std::move(*fatal), event);
    }
    orphan(event, body.sig, Orphan::Why::group_exit);
}

/// sigaction() empties every queue of the process of that signal.
void SignalMatcher::discarded(Process& process, const Event& event,
                              const decode::SignalTake& body)
{
    auto all = process.take_signal(body.sig);
    if (all.empty()) return orphan(event, body.sig, Orphan::Why::unknown);
    for (auto& pending : all) pending.signal.receiver = event.task;
    let_go(process, std::move(all), End::discarded, event.time_ns);
}

}  // namespace ipcscope::correlate
