// SPDX-License-Identifier: GPL-2.0-only
// The matcher's generations: what one adds to the queues, and removes.
#include <iterator>
#include <utility>

#include "correlate/numbers.hpp"
#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {
namespace {

/// Seen to be alive when it was looked at.
bool alive(State state)
{
    return state != State::zombie && state != State::dead && state != State::unknown;
}

}  // namespace

SignalInterval interval_of(const decode::Event& event, const decode::SignalGenerate& body)
{
    SignalInterval signal;
    signal.generated_ns = event.time_ns;
    signal.sender = event.task;
    signal.target = event.target;
    signal.sender_process = event.process;
    signal.target_process = event.target_process;
    signal.signal = body.sig;
    signal.si_code = body.si_code;
    signal.origin = decode::origin_of(body);
    signal.outcome = decode::outcome_of(body);
    signal.target_state = decode::state_of(body.target_state);
    signal.shared = body.shared != 0;
    signal.fatal = body.fatal != 0;
    signal.unkillable = body.unkillable != 0;
    signal.disposition = decode::disposition_of(body.disposition);
    signal.blocked = body.blocked != 0;
    signal.dying = body.dying != 0;
    signal.requeued = body.requeued != 0;
    signal.send_enter_ns = body.enter_ns;
    return signal;
}

void SignalMatcher::on(const Event& event, const decode::SignalGenerate& body)
{
    Pending pending{interval_of(event, body), identity_of(body),
                    body.shared ? 0 : body.target_tid, event.time_ns < newest_ns_};
    if (pending.signal.requeued) link_requeued(event, pending.signal, pending.identity);
    Process& process = target_of(pending.signal);
    discard_opposites(process, pending.signal);
    if (pending.signal.queued()) {
        enqueue(process, std::move(pending));
    } else {
        pending.signal.end = End::not_queued;
        consumer_(pending.signal);
    }
    prune(event.target.tgid, event.target.tid);
}

/// The thread that puts a signal back has not sent it: it was sent by the sender of
/// the one that it has taken, whose taking ends after this.
void SignalMatcher::link_requeued(const Event& event, SignalInterval& signal,
                                  Identity identity)
{
    identity.known = true;   // to the thread that has it in its hands
    Process& process = acting(event);
    const Pending* oldest = nullptr;
    const auto look = [&](const Pending* here) {
        if (here && (!oldest || here->signal.generated_ns < oldest->signal.generated_ns))
            oldest = here;
    };
    if (const Thread* thread = process.find(signal.target.tid))
        look(thread->queue.find(signal.signal, identity));
    look(process.shared.find(signal.signal, identity));
    for (const std::uint32_t owner : {signal.target.tid, 0u})
        for (const Match match : {Match::same, Match::unknown}) {
            const auto gone = find_gone(process, owner, {signal.signal, identity}, 0, match);
            if (gone != process.gone.end()) look(&gone->pending);
        }
    if (oldest) {
        signal.sender = oldest->signal.sender;
        signal.origin = oldest->signal.origin;
    }
    prune(event.task.tgid, event.task.tid);
}

/// prepare_signal(): SIGCONT and the stop signals remove each other from every
/// queue of the process, before the kernel even looks whether the new one is
/// ignored; not while the process is dying.
void SignalMatcher::discard_opposites(Process& process, const SignalInterval& signal)
{
    if (signal.dying || (signal.signal != kSigCont && !is_stop(signal.signal))) return;
    auto opposites = signal.signal != kSigCont
                         ? process.take_signal(kSigCont)
                         : process.take_if([](auto& p) { return is_stop(p.signal.signal); });
    let_go(process, std::move(opposites), End::flushed, signal.generated_ns);
}

/// The process a signal goes to.  One that has died and is alive when the send looks
/// at it is another one, whose predecessor's end was lost.
Process& SignalMatcher::target_of(const SignalInterval& signal)
{
    const auto [tgid, tid] = std::pair(signal.target.tgid, signal.target.tid);
    Process& process = processes_[tgid];
    if (!alive(signal.target_state)) return process;
    if (process.dead_ns && signal.send_enter_ns > *process.dead_ns) bury(process);
    const Thread* leader = tid == tgid ? process.find(tid) : nullptr;
    if (leader && leader->exited_ns && signal.send_enter_ns > *leader->exited_ns)
        process.leader_is_back(tgid);
    return process;
}

void SignalMatcher::enqueue(Process& process, Pending pending)
{
    const SignalInterval& signal = pending.signal;
    if (process.dead_ns) return abandon(std::move(pending), End::target_exited);
    const Thread* thread = signal.shared ? nullptr : process.find(signal.target.tid);
    if (thread && thread->exited_ns) return leave(process, std::move(pending));
    SignalQueue& queue =
        signal.shared ? process.shared : process.thread(signal.target.tid).queue;
    discard_older(process, queue, pending);
    abandon_all(queue.push(std::move(pending)), End::unseen);
}

/// The kernel took the new one, so an equal one that was pending is not any
/// more: of a standard signal one is pending at most, of a timer too.
void SignalMatcher::discard_older(Process& process, SignalQueue& queue, const Pending& pending)
{
    const unsigned number = pending.signal.signal;
    const std::uint64_t now = pending.signal.generated_ns;
    if (pending.signal.origin == Origin::timer) {
        if (!pending.identity.known) return;
        let_go(process, queue.take_if([&](const Pending& p) {
            return p.signal.signal == number && p.signal.origin == Origin::timer &&
                   p.identity == pending.identity;
        }), End::flushed, now);
    } else if (!is_real_time(number)) {
        let_go(process, queue.take_signal(number), End::unseen, now);
    }
}

}  // namespace ipcscope::correlate
