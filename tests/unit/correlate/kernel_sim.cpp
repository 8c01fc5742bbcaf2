// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_sim.hpp"

#include <algorithm>
#include <iterator>

namespace ipcscope::correlate::test {
namespace {

constexpr unsigned kKill = 9, kUsr1 = 10, kTerm = 15, kCont = 18, kTstp = 20, kRt = 40;
constexpr unsigned kSignals[] = {kUsr1, kTerm, kCont, kTstp, kRt, kRt + 1};
constexpr std::uint32_t kSender = 7;
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
    now_ += 1 + (pick(40) == 0 ? 150 * kMs : pick(5000));
    return now_;
}

void KernelSim::spawn()
{
    SimProcess process;
    const auto tgid = next_pid_;
    for (unsigned i = 0; i <= pick(3); ++i) process.threads[next_pid_++];
    process.handled = {kUsr1, kCont, kTstp, kRt, kRt + 1};
    if (pick(2)) process.handled.insert(kTerm);
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
    if (process.group_exit) return get_signal(tgid, tid);
    switch (pick(16)) {
    case 0: return exit_thread(tgid, tid, 0);
    case 1: return exec(tgid, tid);
    case 2:
    case 3:
    case 4: return mask(tgid, tid);
    case 5:
    case 6: return sigwait(tgid, tid);
    case 7: return scenario_.pipe(tick(), task(tgid, tid));
    default: return get_signal(tgid, tid);
    }
}

// --- sending ---

void KernelSim::send(std::uint32_t tgid)
{
    SimProcess& process = processes_[tgid];
    const unsigned signal = pick(25) == 0 ? kKill : kSignals[pick(std::size(kSignals))];
    // What a leader that has exited blocks says nothing about the others: the
    // record's `fatal` is a guess then (docs/matching.md, limits).
    const bool shared = process.dead || (!process.leader_gone && pick(2));
    const auto tid = shared ? tgid : any_of(process.threads, random())->first;
    const bool value = real_time(signal) && pick(4);
    const auto leader = process.threads.find(tid);
    const bool blocked = leader != process.threads.end() &&
                         leader->second.blocked.contains(signal);
    const bool standard = !process.handled.contains(signal);

    const auto t = tick();
    auto g = scenario_.generate(t, task(kSender), task(tgid, tid), signal);
    g.state(process.dead || leader == process.threads.end() ? State::zombie
                                                            : State::interruptible);
    decode::SignalDequeue info{value ? next_value_++ : 0, value ? -1 : 0, kSender, signal};
    if (shared) g.shared();
    if (value) g.value(info.value);
    g.pid(kSender).given();
    if (blocked && signal != kKill) g.blocked();
    g.does(standard ? decode::Disposition::standard : decode::Disposition::handler);
    if (signal == kKill || (standard && !blocked)) g.fatal();
    Truth& truth = truth_[t];
    truth.has_value = value;

    const auto refuse = [&](Outcome outcome) {
        g.outcome(outcome);
        truth = {End::not_queued, 0, 0, 0, value, false};
    };
    if (process.group_exit || process.dead) return refuse(Outcome::ignored);
    flush(process, signal);
    Queue& queue = shared ? process.shared : process.threads[tid].queue;
    if (!real_time(signal) && queue.holds(signal)) return refuse(Outcome::already_pending);
    std::size_t queued = 0;
    for (const auto& [number, list] : process.shared.entries) queued += list.size();
    for (const auto& [number, thread] : process.threads)
        for (const auto& [other, list] : thread.queue.entries) queued += list.size();
    if (signal == kKill || queued < kMostQueued) {
        queue.entries[signal].push_back({t, info});
    } else if (value) {
        return refuse(Outcome::overflow);
    } else {
        g.outcome(Outcome::info_lost);
        queue.bits[signal].push_back(t);
    }
    if (!complete(process, shared, tid, signal)) return;
    process.fatal.push_back(t);
    process.unclear = blocked && signal != kKill;
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
    process.group_exit = true;
    process.code = signal;
    return true;
}

void KernelSim::flush(SimProcess& process, unsigned signal)
{
    const unsigned other = signal == kCont ? kTstp : signal == kTstp ? kCont : 0;
    const auto clear = [&](Queue& queue) {
        for (const auto& entry : queue.entries[other]) truth_[entry.generated_ns].end = End::flushed;
        for (const auto t : queue.bits[other]) truth_[t].end = End::flushed;
        queue.entries.erase(other);
        queue.bits.erase(other);
    };
    if (other == 0) return;
    clear(process.shared);
    for (auto& [tid, thread] : process.threads) clear(thread.queue);
}

// --- receiving ---

bool KernelSim::dequeue(SimProcess& process, std::uint32_t tgid, std::uint32_t tid,
                        const std::set<unsigned>& wanted, unsigned& signal,
                        std::vector<std::uint64_t>& taken)
{
    for (Queue* queue : {&process.threads[tid].queue, &process.shared}) {
        const auto has = std::find_if(wanted.begin(), wanted.end(),
                                      [&](unsigned s) { return queue->holds(s); });
        if (has == wanted.end()) continue;
        signal = *has;
        decode::SignalDequeue info{0, 0, 0, signal};   // what a bit alone amounts to
        if (const auto list = queue->entries.find(signal); list != queue->entries.end()) {
            taken.push_back(list->second.front().generated_ns);
            info = list->second.front().info;
            list->second.pop_front();
            if (list->second.empty()) queue->entries.erase(list);
        }
        if (!queue->entries.contains(signal)) {
            auto& bits = queue->bits[signal];
            taken.insert(taken.end(), bits.begin(), bits.end());
            queue->bits.erase(signal);
        }
        const auto t = tick();
        scenario_.dequeue(t, task(tgid, tid), signal, info.value, info.si_code, info.sender_pid);
        for (const auto generated : taken) {
            Truth& truth = truth_[generated];
            truth.end = End::accepted;
            truth.dequeued_ns = truth.ended_ns = t;
            truth.receiver = tid;
        }
        return true;
    }
    return false;
}

void KernelSim::get_signal(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    if (process.group_exit) {
        const auto t = tick();
        scenario_.deliver(t, task(tgid, tid), kKill, decode::Disposition::standard);
        if (process.kill_seen || process.fatal.empty()) ++orphans_;
        else if (process.unclear) ++unclear_;
        if (!process.kill_seen)
            for (const auto generated : process.fatal)
                truth_[generated] = {End::death, 0, t, tid, truth_[generated].has_value, true};
        process.kill_seen = true;
        return exit_thread(tgid, tid, static_cast<std::int32_t>(process.code));
    }
    std::set<unsigned> wanted(std::begin(kSignals), std::end(kSignals));
    for (const auto signal : process.threads[tid].blocked) wanted.erase(signal);
    unsigned signal = 0;
    std::vector<std::uint64_t> taken;
    if (!dequeue(process, tgid, tid, wanted, signal, taken)) return;
    const bool handler = process.handled.contains(signal);
    now_ += 1;
    scenario_.deliver(now_, task(tgid, tid), signal,
                      handler ? decode::Disposition::handler : decode::Disposition::standard);
    for (const auto generated : taken) {
        truth_[generated].end = handler ? End::handler : End::standard;
        truth_[generated].ended_ns = now_;
    }
    if (handler) return scenario_.got(tick(), task(tgid, tid), signal);
    process.group_exit = true;
    process.code = signal;
    exit_thread(tgid, tid, static_cast<std::int32_t>(signal));
}

void KernelSim::sigwait(std::uint32_t tgid, std::uint32_t tid)
{
    SimProcess& process = processes_[tgid];
    unsigned signal = 0;
    std::vector<std::uint64_t> taken;
    const auto wanted = process.threads[tid].blocked;
    dequeue(process, tgid, tid, wanted, signal, taken);
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

void KernelSim::exit_thread(std::uint32_t tgid, std::uint32_t tid, std::int32_t code)
{
    SimProcess& process = processes_[tgid];
    const bool last = process.threads.size() == 1;
    scenario_.exit(tick(), task(tgid, tid), code, last);
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
    if (process.leader_gone && tid != tgid && pick(2)) return;
    std::vector<std::uint32_t> others;
    for (const auto& [other, thread] : process.threads)
        if (other != tid) others.push_back(other);
    for (const auto other : others) {
        scenario_.deliver(tick(), task(tgid, other), kKill, decode::Disposition::standard);
        ++orphans_;
        exit_thread(tgid, other, 0);
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
    if (pick(2)) scenario_.pipe(tick(), task(tgid));
}

}  // namespace ipcscope::correlate::test
