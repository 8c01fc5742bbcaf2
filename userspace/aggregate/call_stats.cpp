// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <cerrno>

#include "aggregate/call_result.hpp"
#include "aggregate/channel.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {
namespace {

void add_result(CallStats& stats, const decode::Call& call)
{
    const bool output = direction_of(call) == Direction::output;
    if (call.ret >= 0) {
        stats.bytes += moved_bytes(call);
        stats.peeks += (call.flags & IPCSCOPE_CALL_PEEK) != 0 ? 1 : 0;
    } else if (call.ret == -EAGAIN) {
        ++stats.eagain;
    } else if (call.ret == -EPIPE && output) {
        ++stats.epipe;
    } else if (is_interrupted(call.ret)) {
        ++stats.interrupted;
    } else if (call.ret == -ETIMEDOUT) {
        ++stats.timeouts;
    } else {
        ++stats.errors;
    }
}

}  // namespace

void CallStats::add(const decode::Event& event, const decode::Call& call)
{
    blocked_ns += call.blocked_ns;
    uninterruptible_ns += call.uninterruptible_ns;
    blocked_count += call.sleeps > 0 || call.blocked_ns > 0 ? 1 : 0;
    nonblocking += (call.flags & IPCSCOPE_CALL_NONBLOCK) != 0 ? 1 : 0;
    if (event.unfinished) {
        ++unfinished;
        return;
    }
    ++count;
    add_result(*this, call);
    if (is_other_end(event, call)) {
        return;
    }
    latency.add(event.time_ns - std::min<std::uint64_t>(call.enter_ns, event.time_ns));
}

}  // namespace ipcscope::aggregate
