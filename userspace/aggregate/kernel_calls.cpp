// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/kernel_calls.hpp"

#include <algorithm>

namespace ipcscope::aggregate {

void KernelCalls::add(CallRow& row, std::uint64_t from_ns, std::uint64_t to_ns)
{
    ++row.count;
    row.latency.add(to_ns - std::min(from_ns, to_ns));
}

/// A POSIX timer's signal does not pass the send core.
void KernelCalls::generate(const decode::Event& event, const decode::SignalGenerate& body)
{
    const bool timer = decode::origin_of(body) == decode::Origin::timer &&
                       body.enter_ns == event.time_ns;
    if (!timer) add(send_, body.enter_ns, event.time_ns);
}

/// Where a debugger stopped the thread meanwhile, the time is the debugger's.
void KernelCalls::take(const decode::Event& event, const decode::SignalTake& body)
{
    if (body.enter_ns == 0 || body.traced || event.unfinished ||
        decode::how_of(body) == decode::How::debugger)
        return;
    add(get_signal_, body.enter_ns, event.time_ns);
}

std::vector<CallRow> KernelCalls::rows() const
{
    std::vector<CallRow> out;
    for (const CallRow* row : {&send_, &get_signal_})
        if (row->count > 0) out.push_back(*row);
    return out;
}

}  // namespace ipcscope::aggregate
