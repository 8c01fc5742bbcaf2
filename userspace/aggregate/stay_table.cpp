// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stay_table.hpp"

#include <algorithm>
#include <map>

#include <ipcscope/policy.h>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

using decode::State;

bool hinders(State state)
{
    return state == State::stopped || state == State::traced || state == State::frozen ||
           state == State::uninterruptible || state == State::killable ||
           state == State::runnable;
}

void add(Hindrance& sums, const Stay& stay, std::uint64_t from_ns, std::uint64_t to_ns)
{
    const std::uint64_t start = std::max(stay.start_ns, from_ns);
    const std::uint64_t end = std::min(stay.end_ns, to_ns);
    if (start >= end) {
        return;
    }
    const std::uint64_t ns = end - start;
    switch (stay.state) {
    case State::stopped: sums.stopped_ns += ns; break;
    case State::traced: sums.traced_ns += ns; break;
    case State::frozen: sums.frozen_ns += ns; break;
    case State::runnable: sums.runnable_ns += ns; break;
    case State::uninterruptible:
    case State::killable:
        (stay.state == State::killable ? sums.killable_ns : sums.uninterruptible_ns) += ns;
        if (ns > sums.sleep_end_ns - sums.sleep_start_ns) {
            sums.sleeper_tid = stay.tid;
            sums.sleep_start_ns = start;
            sums.sleep_end_ns = end;
        }
        break;
    case State::unknown: case State::running: case State::interruptible: case State::idle:
    case State::zombie: case State::dead: case State::other: case State::polling: break;
    }
}

/// Each figure is that of the thread that has most of it.
void keep_largest(Hindrance& all, const Hindrance& one)
{
    all.stopped_ns = std::max(all.stopped_ns, one.stopped_ns);
    all.traced_ns = std::max(all.traced_ns, one.traced_ns);
    all.frozen_ns = std::max(all.frozen_ns, one.frozen_ns);
    all.runnable_ns = std::max(all.runnable_ns, one.runnable_ns);
    if (one.uninterruptible_ns + one.killable_ns > all.uninterruptible_ns + all.killable_ns) {
        all.uninterruptible_ns = one.uninterruptible_ns;
        all.killable_ns = one.killable_ns;
        all.sleeper_tid = one.sleeper_tid;
        all.sleep_start_ns = one.sleep_start_ns;
        all.sleep_end_ns = one.sleep_end_ns;
    }
}

bool took(const decode::SignalGenerate& body)
{
    return decode::outcome_of(body) == decode::Outcome::delivered;
}

}  // namespace

void StayTable::slice(const decode::Event& event, const decode::Slice& slice)
{
    const State state = decode::state_of(slice.state);
    if (!hinders(state) || slice.end_ns <= slice.start_ns) {
        return;
    }
    auto& stays = processes_.use(event.task.tgid).stays;
    stays.push_back({event.task.tid, state, slice.start_ns, slice.end_ns});
    if (stays.size() > kMostStays) {
        stays.pop_front();
    }
}

void StayTable::signal(const decode::Event& event, const decode::SignalGenerate& body)
{
    const bool stop = (IPCSCOPE_SIG_BIT(body.sig) & IPCSCOPE_STOP_SIGNALS) != 0;
    if (!stop && body.sig != IPCSCOPE_SIGCONT) {
        return;
    }
    const decode::Origin origin = decode::origin_of(body);
    if (stop) {
        // A handled SIGTSTP stops nothing.
        if (!took(body) || body.disposition == IPCSCOPE_DISPOSITION_HANDLER) {
            return;
        }
        auto& stops = processes_.use(body.target_tgid).stops;
        stops.push_back({.signal = body.sig,
                         .sender = process_of(event),
                         .origin = origin,
                         .terminal = body.terminal,
                         .at_ns = event.time_ns});
        if (stops.size() > kMostStops) {
            stops.pop_front();
        }
        return;
    }
    Process* process = processes_.find(body.target_tgid);
    if (process == nullptr) {
        return;
    }
    // It continues whatever its disposition is.
    for (Stop& open : process->stops) {
        if (open.continued_ns == 0) {
            open.continued_ns = event.time_ns;
            open.continuer = process_of(event);
            open.continued_by = origin;
        }
    }
}

Hindrance StayTable::between(std::uint32_t tgid, std::uint64_t from_ns, std::uint64_t to_ns,
                             std::uint32_t tid) const
{
    Hindrance all;
    const Process* process = processes_.find(tgid);
    if (process == nullptr) {
        return all;
    }
    std::map<std::uint32_t, Hindrance> threads;
    for (const Stay& stay : process->stays) {
        if (tid == 0 || stay.tid == tid) {
            add(threads[stay.tid], stay, from_ns, to_ns);
        }
    }
    for (const auto& [thread, one] : threads) {
        keep_largest(all, one);
    }
    std::uint64_t longest_ns = 0;
    for (const Stop& stop : process->stops) {
        const std::uint64_t start_ns = std::max(stop.at_ns, from_ns);
        const std::uint64_t end_ns =
            stop.continued_ns == 0 ? to_ns : std::min(stop.continued_ns, to_ns);
        if (start_ns >= end_ns) {
            continue;
        }
        // One that came while it was stopped already goes with the SIGCONT of that.
        const bool again = all.stop && all.stop->continued_ns == stop.continued_ns;
        all.stops += again ? 0 : 1;
        if (end_ns - start_ns > longest_ns) {
            longest_ns = end_ns - start_ns;
            all.stop = stop;
        }
    }
    return all;
}

}  // namespace ipcscope::aggregate
