// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/stops.hpp"

#include <algorithm>

#include <ipcscope/policy.h>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

bool stops(decode::State state)
{
    return state == decode::State::stopped || state == decode::State::traced ||
           state == decode::State::frozen;
}

std::uint64_t length_ns(const StopRow& stop) { return stop.end_ns - stop.start_ns; }

}  // namespace

/// Threads of one process stop one after the other, and go on so: one stop.
void StopTable::add(Process& process, StopRow stop)
{
    for (StopRow& known : process.stops) {
        if (known.state == stop.state && known.start_ns <= stop.end_ns &&
            stop.start_ns <= known.end_ns) {
            known.start_ns = std::min(known.start_ns, stop.start_ns);
            known.waker_tid = stop.end_ns >= known.end_ns ? stop.waker_tid : known.waker_tid;
            known.end_ns = std::max(known.end_ns, stop.end_ns);
            known.unfinished |= stop.unfinished;
            return;
        }
    }
    process.stops.push_back(std::move(stop));
    if (process.stops.size() <= kMostOfProcess) {
        return;
    }
    process.stops.erase(std::ranges::min_element(process.stops, {}, length_ns));
    ++process.evicted;
}

void StopTable::slice(const decode::Event& event, const decode::Slice& slice)
{
    const decode::State state = decode::state_of(slice.state);
    if (!stops(state) || slice.end_ns < slice.start_ns) {
        return;
    }
    StopRow stop;
    stop.process = process_of(event);
    stop.state = state;
    stop.start_ns = slice.start_ns;
    stop.end_ns = slice.end_ns;
    stop.unfinished = event.unfinished;
    if (state == decode::State::traced && !event.unfinished) {
        stop.waker_tid = slice.waker_tid;
    }
    add(processes_.use(event.task.tgid), std::move(stop));
}

void StopTable::generate(const decode::Event& event, const decode::SignalGenerate& signal)
{
    const bool stopping = signal.sig <= 64 && signal.sig > 0 &&
                          (IPCSCOPE_STOP_SIGNALS & IPCSCOPE_SIG_BIT(signal.sig)) != 0;
    if (!stopping && signal.sig != IPCSCOPE_SIGCONT) {
        return;
    }
    Process& process = processes_.use(signal.target_tgid);
    auto& sent = stopping ? process.stopping : process.continuing;
    sent.push_back({signal.enter_ns, event.time_ns, signal.sig, process_of(event),
                    decode::origin_of(signal), signal.terminal});
    if (sent.size() > kMostSignals) {
        sent.pop_front();
    }
}

StopRow StopTable::with_signals(const Process& process, StopRow stop)
{
    if (stop.state != decode::State::stopped) {
        return stop;   // no signal does that
    }
    const auto by = [](const Sent& sent) {
        return StopRow::By{sent.signal, sent.sender, sent.origin, sent.terminal,
                           sent.enter_ns};
    };
    for (const Sent& sent : process.stopping) {
        if (sent.enter_ns <= stop.start_ns) {
            stop.stopped_by = by(sent);
        }
    }
    for (const Sent& sent : process.continuing) {
        // The wake-up is a part of the send.
        if (sent.exit_ns >= stop.start_ns && sent.enter_ns <= stop.end_ns && !stop.unfinished) {
            stop.continued_by = by(sent);
        }
    }
    return stop;
}

std::vector<StopRow> StopTable::rows() const
{
    std::vector<StopRow> out;
    for (const auto& [tgid, process] : processes_) {
        for (const StopRow& stop : process.stops) {
            out.push_back(with_signals(process, stop));
        }
    }
    std::ranges::sort(out, [](const StopRow& a, const StopRow& b) {
        return std::pair(a.process.tgid, a.start_ns) < std::pair(b.process.tgid, b.start_ns);
    });
    return out;
}

std::uint64_t StopTable::evicted() const
{
    std::uint64_t sum = processes_.evicted();
    for (const auto& [tgid, process] : processes_) {
        sum += process.evicted;
    }
    return sum;
}

}  // namespace ipcscope::aggregate
