// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/line_filter.hpp"

#include "base/units.hpp"

namespace ipcscope::diagnose {
namespace {

using correlate::End;
using correlate::SignalInterval;

bool had_effect(const SignalInterval& signal)
{
    switch (signal.end) {
    case End::handler:
    case End::standard:
    case End::sigwait:
    case End::signalfd:
    case End::debugger:
    case End::kernel_thread:
    case End::death:
    case End::unseen:      // what became of it is not known
    case End::outside: return true;
    case End::ignored:
    case End::not_queued:
    case End::pending:
    case End::target_exited:
    case End::flushed:
    case End::discarded: break;
    }
    return false;
}

}  // namespace

bool LineFilter::passes(const correlate::Interval& interval) const
{
    const auto* signal = std::get_if<SignalInterval>(&interval);
    if (signal == nullptr) {
        return true;
    }
    return (!failed || !had_effect(*signal)) &&
           (least_ns == 0 || !signal->matched() || signal->latency_ns() >= least_ns);
}

bool LineFilter::passes(const decode::Event& event) const
{
    if (const auto* handler = std::get_if<decode::SignalHandler>(&event.body)) {
        return !failed && since(event.time_ns, handler->enter_ns) >= least_ns;
    }
    if (std::holds_alternative<decode::SignalMask>(event.body) ||
        std::holds_alternative<decode::FdReceived>(event.body)) {
        return !failed && least_ns == 0;   // it takes no time
    }
    const auto* call = std::get_if<decode::Call>(&event.body);
    if (call == nullptr) {
        return true;
    }
    return (!failed || call->ret < 0) && since(event.time_ns, call->enter_ns) >= least_ns;
}

}  // namespace ipcscope::diagnose
