// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/waiting_signals.hpp"

#include <utility>

#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {

WaitingSignals::Key WaitingSignals::key_of(const SignalInterval& signal)
{
    return {signal.generated_ns, signal.target.tgid, signal.target.tid, signal.signal};
}

/// One that a debugger's tracee puts back was sent by another, whom the matcher knows.
void WaitingSignals::event(const decode::Event& event)
{
    until(event.time_ns);
    const auto* body = std::get_if<decode::SignalGenerate>(&event.body);
    if (body == nullptr || body->requeued != 0) {
        return;
    }
    SignalInterval signal = interval_of(event, *body);
    if (signal.queued()) {
        signal.end = End::pending;
        waiting_.insert_or_assign(key_of(signal), std::move(signal));
    }
}

void WaitingSignals::interval(const Interval& interval)
{
    if (const auto* signal = std::get_if<SignalInterval>(&interval)) {
        waiting_.erase(key_of(*signal));
    }
}

void WaitingSignals::until(std::uint64_t time_ns)
{
    while (!waiting_.empty()) {
        const auto first = waiting_.begin();
        const std::uint64_t generated_ns = first->second.generated_ns;
        if (generated_ns > time_ns || time_ns - generated_ns < after_ns_) {
            return;
        }
        consumer_(first->second, generated_ns + after_ns_);
        waiting_.erase(first);
    }
}

}  // namespace ipcscope::correlate
