// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/correlator.hpp"

#include <utility>

#include "correlate/kill_tracker.hpp"
#include "correlate/signal_matcher.hpp"

namespace ipcscope::correlate {

struct Correlator::State {
    explicit State(const Consumer& consumer) : signals(consumer), kills(consumer) {}

    SignalMatcher signals;
    KillTracker kills;
};

Correlator::Correlator(Consumer consumer) : state_(std::make_unique<State>(consumer)) {}
Correlator::~Correlator() = default;

void Correlator::event(const decode::Event& event)
{
    state_->signals.event(event);
    state_->kills.event(event);
}

void Correlator::finish(std::uint64_t end_ns)
{
    state_->signals.finish();
    state_->kills.finish(end_ns);
}

}  // namespace ipcscope::correlate
