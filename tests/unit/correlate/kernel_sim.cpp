// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_sim.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kKill = 9, kUsr1 = 10, kTerm = 15, kCont = 18, kTstp = 20, kRt = 40;
constexpr unsigned kSignals[] = {kUsr1, kTerm, kCont, kTstp, kRt, kRt + 1};
constexpr std::uint32_t kSender = 7, kDebugger = 8;
constexpr std::size_t kMostQueued = 6;   // RLIMIT_SIGPENDING, per process here

bool real_time(unsigned signal) { return signal >= 32; }

template <typename Map>
auto any_of(Map& map, unsigned random)
{
    return std::next(map.begin(), random % map.size());
}

}  // namespace

KernelSim::KernelSim(std::uint32_t seed) : random_(seed) { spawn(); }

std::uint64_t KernelSim::tick()
{
    now_ += 1 + pick(5000);
    return now_;
}

void KernelSim::spawn()
{
    SimProcess process;
    const auto tgid = next_pid_;
    for (unsigned i = 0; i <= pick(3); ++i) {
        const auto t = tick();
        scenario_.thread(t, task(tgid, next_pid_), decode::ThreadReason::fork, t);
        process.threads[next_pid_++];
    }
    process.handled = {kUsr1, kCont, kTstp, kRt, kRt + 1};
    if (pick(2)) process.handled.insert(kTerm);
    process.debugged = pick(3) == 0;
    processes_[tgid] = std::move(process);
}

void KernelSim::step()
{
    if (processes_.size() < 2 || pick(30) == 0) spawn();
    const auto at = any_of(processes_, random());
    auto& [tgid, process] = *at;
    if (process.dead) {
        if (pick(3)) return send(tgid);
        for (const auto tid : process.unfreed) scenario_.freed(tick(), task(tgid, tid));
        processes_.erase(at);
        return;
    }
    if (pick(2)) return send(tgid);
    act(tgid, any_of(process.threads, random())->first);
}

void KernelSim::act(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    if (process.threads[tid].held) return resume_held(tgid, tid);
    if (process.group_exit) return find_group_exit(tgid, tid);
    switch (pick(20)) {
    case 0: return exit_thread(tgid, tid, 0);
    case 1: return exec(tgid, tid);
    case 2:
    case 3:
    case 4: return mask(tgid, tid);
    case 5:
    case 6: return sigwait(tgid, tid);
    case 7: return scenario_.slice(tick(), task(tgid, tid));
    case 8: return ignore(tgid, tid);
    case 9:
        if (pick(4)) return;
        process.group_exit = true;   // exit_group()
        return exit_thread(tgid, tid, 0x300);
    default: return get_signal(tgid, tid);
    }
}

// --- sending ---

void KernelSim::send(std::uint32_t tgid)
{
    SimProcess& process = processes_[tgid];
    const unsigned signal = pick(25) == 0 ? kKill : kSignals[pick(std::size(kSignals))];
    const bool shared = process.dead || pick(2);
    const auto tid = shared ? tgid : any_of(process.threads, random())->first;
    // Equal ones that debuggers' tracees take cannot be distinguished (docs/matching.md).
    const bool value = real_time(signal) && (process.debugged || pick(4));
    generate(tgid, {task(kSender), tid, signal, shared,
                    {value ? next_value_++ : 0, value ? -1 : 0, kSender}, value});
}

void KernelSim::generate(std::uint32_t tgid, const Send& send)
{
    SimProcess& process = processes_[tgid];
    const auto [sender, tid, signal, shared, info, value, requeued_] = send;
    const auto looked_at = process.threads.find(tid);
    const bool gone = looked_at == process.threads.end();
    const bool blocked = !gone && signal != kKill && looked_at->second.blocked.contains(signal);
    const bool standard = !process.handled.contains(signal);

    const auto t = tick();
    auto g = scenario_.generate(t, sender, task(tgid, tid), signal);
    g.state(gone ? State::zombie : State::interruptible);
    if (shared) g.shared();
    g.value(info.value).given(info.si_code, info.sender_pid);
    if (blocked) g.blocked();
    if (requeued_) g.requeued();
    if (process.group_exit) g.dying();
    g.does(standard ? Disposition::standard : Disposition::handler);
    if (signal == kKill || (standard && !blocked)) g.fatal();
    Truth& truth = truth_[t];
    truth.has_value = value;
    truth.sender = requeued_ ? kSender : sender.tid;

    const auto refuse = [&](Outcome outcome) {
        g.outcome(outcome);
        truth.end = End::not_queued;
        truth.queued = false;
    };
    if (process.group_exit || process.dead) return refuse(Outcome::ignored);
    flush(process, signal);
    Queue& queue = shared ? process.shared : process.threads[tid].queue;
    if (!real_time(signal) && queue.holds(signal)) return refuse(Outcome::already_pending);
    if (signal == kKill || queued(process) < kMostQueued) {
        queue.entries[signal].push_back({t, info});
    } else if (value) {
        return refuse(Outcome::overflow);
    } else {
        g.outcome(Outcome::info_lost);
        queue.bits[signal].push_back(t);
    }
    if (complete(process, shared, tid, signal)) process.fatal = t;
}

std::size_t KernelSim::queued(const SimProcess& process) const
{
    std::size_t sum = 0;
    for (const auto& [number, list] : process.shared.entries) sum += list.size();
    for (const auto& [number, thread] : process.threads)
        for (const auto& [other, list] : thread.queue.entries) sum += list.size();
    return sum;
}

/// complete_signal(): whether it ends the process now.
bool KernelSim::complete(SimProcess& process, bool shared, std::uint32_t tid,
                         unsigned signal)
{
    const auto wants = [&](const SimThread& thread) {
        return signal == kKill || !thread.blocked.contains(signal);
    };
    bool wanted = false;
    for (const auto& [number, thread] : process.threads)
        wanted = wanted || ((shared || number == tid) && wants(thread));
    if (!wanted || process.handled.contains(signal)) return false;
    if (process.debugged && signal != kKill) return false;
    process.group_exit = true;
    process.signal = signal;
    return true;
}

void KernelSim::clear(Queue& queue, unsigned signal, End end)
{
    for (const auto& entry : queue.entries[signal]) truth_[entry.generated_ns].end = end;
    for (const auto t : queue.bits[signal]) truth_[t].end = end;
    queue.entries.erase(signal);
    queue.bits.erase(signal);
}

void KernelSim::flush(SimProcess& process, unsigned signal)
{
    const unsigned other = signal == kCont ? kTstp : signal == kTstp ? kCont : 0;
    if (other == 0) return;
    clear(process.shared, other, End::flushed);
    for (auto& [tid, thread] : process.threads) clear(thread.queue, other, End::flushed);
}

// --- receiving ---

std::optional<KernelSim::Taking> KernelSim::dequeue(SimProcess& process, std::uint32_t tid,
                                                    const std::set<unsigned>& wanted)
{
    for (Queue* queue : {&process.threads[tid].queue, &process.shared}) {
        const auto has = std::find_if(wanted.begin(), wanted.end(),
                                      [&](unsigned s) { return queue->holds(s); });
        if (has == wanted.end()) continue;
        Taking taking;   // its info is what a bit alone amounts to
        taking.signal = *has;
        taking.dequeued_ns = tick();
        if (const auto list = queue->entries.find(*has); list != queue->entries.end()) {
            taking.taken.push_back(list->second.front().generated_ns);
            taking.info = list->second.front().info;
            list->second.pop_front();
            if (list->second.empty()) queue->entries.erase(list);
        }
        if (!queue->entries.contains(*has)) {
            auto& bits = queue->bits[*has];
            taking.taken.insert(taking.taken.end(), bits.begin(), bits.end());
            queue->bits.erase(*has);
        }
        return taking;
    }
    return std::nullopt;
}

/// Its record.
void KernelSim::finish(std::uint32_t tgid, std::uint32_t tid, const Taking& taking, How how,
                       End end, std::uint64_t t)
{
    auto take = scenario_.take(t, task(tgid, tid), taking.signal, how);
    take.dequeued(taking.dequeued_ns).value(taking.info.value)
        .given(taking.info.si_code, taking.info.sender_pid);
    if (taking.traced) take.traced();
    for (const auto generated : taking.taken) {
        Truth& truth = truth_[generated];
        truth.end = end;
        truth.dequeued_ns = taking.dequeued_ns;
        truth.ended_ns = end == End::debugger ? taking.dequeued_ns : t;
        truth.receiver = tid;
    }
}

void KernelSim::get_signal(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    std::set<unsigned> wanted(std::begin(kSignals), std::end(kSignals));
    for (const auto signal : process.threads[tid].blocked) wanted.erase(signal);
    auto taking = dequeue(process, tid, wanted);
    if (!taking) return;
    if (!process.debugged) return deliver(tgid, tid, *taking);
    taking->traced = true;
    process.threads[tid].held = std::move(taking);
}

void KernelSim::deliver(std::uint32_t tgid, std::uint32_t tid, const Taking& taking)
{
    SimProcess& process = processes_[tgid];
    const bool handler = process.handled.contains(taking.signal);
    now_ += 1;
    if (handler) return finish(tgid, tid, taking, How::handler, End::handler, now_);
    finish(tgid, tid, taking, How::standard, End::standard, now_);
    process.group_exit = true;
    process.signal = taking.signal;
    exit_thread(tgid, tid, static_cast<std::int32_t>(taking.signal));
}

/// The debugger lets the thread go on, or SIGKILL does.
void KernelSim::resume_held(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    SimThread& thread = process.threads[tid];
    const Taking taking = *std::exchange(thread.held, {});
    const auto drop = [&] {
        finish(tgid, tid, taking, How::debugger, End::debugger, tick());
    };
    const unsigned choice = process.group_exit ? 0 : pick(4);
    if (choice == 0) return drop();
    if (choice == 1) {   // with another signal in its place
        drop();
        scenario_.handled(now_, task(tgid, tid), kUsr1).dequeued(0).given(0, kDebugger);
        ++replacements_;
        return;
    }
    if (choice == 2 && taking.taken.size() == 1) {   // it is blocked by now
        truth_[taking.taken.front()].has_value = false;   // two have it
        thread.blocked.insert(taking.signal);
        generate(tgid, {task(tgid, tid), tid, taking.signal, pick(2) != 0, taking.info, false,
                        true});
        return drop();
    }
    deliver(tgid, tid, taking);
}

void KernelSim::end()
{
    for (auto& [tgid, process] : processes_)
        for (auto& [tid, thread] : process.threads)
            if (const auto held = std::exchange(thread.held, {}))
                finish(tgid, tid, *held, How::debugger, End::debugger, now_);
}

void KernelSim::find_group_exit(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    const auto t = tick();
    scenario_.group_exit(t, task(tgid, tid), GroupCause::exit, process.signal);
    if (const auto fatal = std::exchange(process.fatal, {})) {
        Truth& truth = truth_[*fatal];
        truth.end = End::death;
        truth.ended_ns = t;
        truth.receiver = tid;
    } else {
        ++group_exits_;
    }
    exit_thread(tgid, tid, static_cast<std::int32_t>(process.signal));
}

void KernelSim::sigwait(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    const bool reads = pick(2);
    const auto wanted = process.threads[tid].blocked;
    if (const auto taking = dequeue(process, tid, wanted))
        finish(tgid, tid, *taking, reads ? How::signalfd : How::sigwait,
               reads ? End::signalfd : End::sigwait, taking->dequeued_ns);
}

/// sigaction(SIG_IGN), and then the old action again.
void KernelSim::ignore(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    const unsigned signal = kSignals[pick(std::size(kSignals))];
    if (!process.shared.holds(signal) && !process.threads[tid].queue.holds(signal)) return;
    clear(process.shared, signal, End::discarded);
    for (auto& [other, thread] : process.threads) clear(thread.queue, signal, End::discarded);
    scenario_.take(tick(), task(tgid, tid), signal, How::discarded).dequeued(0);
}

void KernelSim::mask(std::uint32_t tgid, std::uint32_t tid)
{
    SimThread& thread = processes_[tgid].threads[tid];
    thread.blocked.clear();
    for (const unsigned signal : kSignals)
        if (pick(2)) thread.blocked.insert(signal);
    get_signal(tgid, tid);   // on the way out of sigprocmask()
}

// --- ends ---

void KernelSim::drain(Queue& queue, End end)
{
    for (const auto& [signal, list] : queue.entries)
        for (const auto& entry : list)
            if (truth_[entry.generated_ns].end == End::pending)
                truth_[entry.generated_ns].end = end;
    for (const auto& [signal, list] : queue.bits)
        for (const auto t : list)
            if (truth_[t].end == End::pending) truth_[t].end = end;
    queue = {};
}

/// `exits_as`: the number that it has at its last context switch, if another.
void KernelSim::exit_thread(std::uint32_t tgid, std::uint32_t tid, std::int32_t code,
                            std::uint32_t exits_as)
{
    SimProcess& process = processes_[tgid];
    const bool last = process.threads.size() == 1;
    const auto number = exits_as ? exits_as : tid;
    scenario_.exit(tick(), task(tgid, number), code, last);
    drain(process.threads[tid].queue, End::target_exited);
    process.threads.erase(tid);
    if (tid == tgid) process.leader_gone = true;
    if (tid != tgid && !last && pick(2))
        scenario_.freed(tick(), task(tgid, tid));
    else if (tid != tgid)
        process.unfreed.push_back(tid);
    if (!last) return;
    drain(process.shared, End::target_exited);
    process.unfreed.push_back(tgid);
    process.dead = true;
}

/// de_thread(): all others die, and the caller takes the leader's number.
void KernelSim::exec(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    std::vector<std::uint32_t> others;
    for (const auto& [other, thread] : process.threads)
        if (other != tid) others.push_back(other);
    std::reverse(others.begin(), others.end());   // the leader last, as it exchanges numbers
    for (const auto other : others) {
        if (const auto held = std::exchange(process.threads[other].held, {}))
            finish(tgid, other, *held, How::debugger, End::debugger, tick());
        scenario_.group_exit(tick(), task(tgid, other), GroupCause::exec);
        ++group_exits_;
        exit_thread(tgid, other, 0, other == tgid && pick(2) ? tid : other);
    }
    if (tid != tgid) {
        auto moved = process.threads.extract(tid);
        moved.key() = tgid;
        process.threads.insert(std::move(moved));
        process.leader_gone = false;
        if (pick(2))
            scenario_.freed(tick(), task(tgid, tid));
        else
            process.unfreed.push_back(tid);
    }
    if (pick(2)) scenario_.thread(tick(), task(tgid), decode::ThreadReason::exec, 1);
}

}  // namespace ipcscope::correlate::test
