// SPDX-License-Identifier: GPL-2.0-only
// The matcher's producers: what a generation adds to the queues, and removes.
#include <iterator>
#include <utility>

#include "correlate/numbers.hpp"
#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {
namespace {

constexpr std::int32_t kTrapped = 4;   // CLD_TRAPPED
bool gone(State state) { return state == State::zombie || state == State::dead; }

SignalInterval interval_of(const decode::Event& event, const decode::SignalGenerate& body)
{
    SignalInterval signal;
    signal.generated_ns = event.time_ns;
    signal.sender = event.task;
    signal.target = body.target;
    signal.signal = body.signal;
    signal.si_code = body.si_code;
    signal.origin = body.origin;
    signal.outcome = body.outcome;
    signal.target_state = body.target_state;
    signal.shared = body.shared;
    signal.fatal = body.fatal;
    signal.unkillable = body.unkillable;
    signal.disposition = body.disposition;
    signal.blocked = body.blocked;
    return signal;
}

/// A signal that nobody ignores is ignored by a process that is dying.
bool refused_by_dying(const decode::SignalGenerate& body)
{
    if (body.outcome != Outcome::ignored || body.unkillable) return false;
    return body.disposition == decode::Disposition::handler ||
           (body.disposition == decode::Disposition::standard && body.signal != kSigCont);
}

}  // namespace

void SignalMatcher::on(const Event& event, const decode::SignalGenerate& body)
{
    note_trace_stop(event, body);
    discard_opposites(body);
    Pending pending{interval_of(event, body), identity_of(event, body)};
    if (!pending.signal.queued()) {
        pending.signal.end = End::not_queued;
        consumer_(pending.signal);
        return;
    }
    if (meets_stray(pending)) return;
    Process& process = target_of(pending.signal);
    enqueue(process, std::move(pending));
    prune(body.target.tgid, body.target.tid);
}

/// A debugger stops its tracee between dequeue and delivery, for as long as it
/// likes, and the tracee tells it so.
void SignalMatcher::note_trace_stop(const Event& event, const decode::SignalGenerate& body)
{
    if (body.signal != kSigChld || body.si_code != kTrapped) return;
    const auto at = processes_.find(event.task.tgid);
    Thread* thread = at == processes_.end() ? nullptr : at->second.find(event.task.tid);
    if (thread && thread->held) thread->held->traced = true;
}

/// prepare_signal(): SIGCONT and the stop signals remove each other from every
/// queue of the process, before the kernel even looks whether the new one is
/// ignored; not while the process is dying.
void SignalMatcher::discard_opposites(const decode::SignalGenerate& body)
{
    if (body.signal != kSigCont && !is_stop(body.signal)) return;
    if (refused_by_dying(body)) return;
    const auto at = processes_.find(body.target.tgid);
    if (at == processes_.end() || at->second.ended_by != 0) return;
    if (body.signal != kSigCont) {
        abandon_all(at->second.take_signal(kSigCont), End::flushed);
        return;
    }
    for (const unsigned stop : kStopSignals)
        abandon_all(at->second.take_signal(stop), End::flushed);
}

/// A record that comes late may find that its consumption was there already.
bool SignalMatcher::meets_stray(Pending& pending)
{
    const SignalInterval& signal = pending.signal;
    const auto fits = [&](const Task& receiver, unsigned number, std::uint64_t time_ns,
                          const Identity& identity) {
        return receiver.tgid == signal.target.tgid && time_ns >= signal.generated_ns &&
               (number == signal.signal || (number == kSigKill && ends_group(signal))) &&
               (signal.shared || number == kSigKill || receiver.tid == signal.target.tid) &&
               (!identity.known || !pending.identity.known || identity == pending.identity);
    };
    if (!holds_.empty() && holds_.back().time_ns >= signal.generated_ns) {
        if (const auto at = processes_.find(signal.target.tgid); at != processes_.end())
            for (auto& [tid, thread] : at->second.threads()) {
                auto& held = thread.held;
                if (!held || !held->signals.empty() ||
                    !fits(held->receiver, held->signal, held->time_ns, held->identity))
                    continue;
                held->signals.push_back(std::move(pending));
                return true;
            }
    }
    for (auto stray = strays_.rbegin(); stray != strays_.rend(); ++stray) {
        const Orphan& orphan = stray->orphan;
        if (orphan.time_ns < signal.generated_ns) break;
        if (!fits(orphan.receiver, orphan.signal, orphan.time_ns, stray->identity)) continue;
        close(std::move(pending), stray->end, orphan.receiver, orphan.time_ns);
        strays_.erase(std::next(stray).base());
        return true;
    }
    return false;
}

/// The process a signal goes to.  One that has died and takes a signal while
/// it runs is another one, whose predecessor's end was lost.
Process& SignalMatcher::target_of(const SignalInterval& signal)
{
    const auto [tgid, tid] = std::pair(signal.target.tgid, signal.target.tid);
    Process& process = processes_[tgid];
    if (process.dead_ns && loss_.lost_since(*process.dead_ns) && !gone(signal.target_state)) {
        bury(process);
        return process = Process{};
    }
    const Thread* leader = tid == tgid ? process.find(tid) : nullptr;
    if (leader && leader->exited_ns && !process.dead_ns && !gone(signal.target_state)) {
        settle_all(process);
        process.leader_is_back(tgid);
    }
    return process;
}

void SignalMatcher::enqueue(Process& process, Pending pending)
{
    const SignalInterval& signal = pending.signal;
    if (process.dead_ns) return abandon(std::move(pending), End::target_exited);
    bool shared = signal.shared;
    if (!shared) {
        const Thread* thread = process.find(signal.target.tid);
        if (thread && thread->exited_ns) {
            if (!ends_group(signal)) return abandon(std::move(pending), End::target_exited);
            shared = true;   // even a thread that is gone dies with its process
        }
    }
    if (ends_group(signal)) process.ended_by = signal.signal;
    SignalQueue& queue = shared ? process.shared : process.thread(signal.target.tid).queue;
    discard_older(queue, pending);
    unseen(queue.push(std::move(pending)));
}

/// The kernel took the new one, so an equal one that was pending is not any
/// more: of a standard signal one is pending at most, of a timer too.
void SignalMatcher::discard_older(SignalQueue& queue, const Pending& pending)
{
    const unsigned number = pending.signal.signal;
    if (pending.signal.origin == Origin::timer) {
        if (!pending.identity.known) return;
        abandon_all(queue.take_if([&](const Pending& p) {
            return p.signal.signal == number && p.signal.origin == Origin::timer &&
                   p.identity == pending.identity;
        }), End::flushed);
    } else if (!is_real_time(number)) {
        unseen(queue.take_signal(number));
    }
}

}  // namespace ipcscope::correlate
