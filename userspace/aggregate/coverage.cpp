// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/coverage.hpp"

#include <algorithm>
#include <string_view>

namespace ipcscope::aggregate {
namespace {

/// PID_MAX_LIMIT of 64-bit kernels; what a damaged capture has beyond it is not kept.
constexpr std::uint32_t kPids = 1u << 22;

using decode::ThreadReason;

/// Whether the record's thread is a traced one: records about other threads exist,
/// too (senders and targets of signals, threads that a signal killed, the sweep).
bool proves(const decode::Event&, const decode::SignalGenerate&) { return false; }
bool proves(const decode::Event&, const decode::SignalTake&) { return true; }
bool proves(const decode::Event&, const decode::SignalHandler&) { return true; }
bool proves(const decode::Event&, const decode::SignalMask&) { return true; }
bool proves(const decode::Event&, const decode::Command&) { return false; }
bool proves(const decode::Event&, const decode::FdReceived&) { return true; }
bool proves(const decode::Event&, const decode::Kill&) { return false; }
bool proves(const decode::Event&, const decode::Thread& body)
{
    return static_cast<ThreadReason>(body.reason) == ThreadReason::fork;
}
bool proves(const decode::Event& event, const decode::ThreadTime& body)
{
    return body.since_ns < event.time_ns;
}
bool proves(const decode::Event&, const decode::ThreadFree&) { return false; }
bool proves(const decode::Event&, const decode::Slice&) { return true; }
bool proves(const decode::Event&, const decode::Call&) { return true; }
bool proves(const decode::Event&, const decode::Symbol&) { return false; }
bool proves(const decode::Event&, const decode::Holder&) { return false; }
bool proves(const decode::Event&, const decode::Observed&) { return false; }
bool proves(const decode::Event&, const decode::Process&) { return false; }
bool proves(const decode::Event&, const decode::User&) { return false; }
bool proves(const decode::Event&, const decode::Cgroup&) { return false; }

bool begins(const std::string& filter, std::string_view with)
{
    return filter.compare(0, with.size(), with) == 0;
}

}  // namespace

void Coverage::host(const source::Host& host)
{
    const auto any = [&](std::string_view with) {
        return std::any_of(host.filters.begin(), host.filters.end(),
                           [&](const std::string& filter) { return begins(filter, with); });
    };
    by_thread_ = any("--tid=") || any("--comm=");
    restricted_ = by_thread_ || any("--pid=") || any("--cgroup=") || !host.command.empty();
}

void Coverage::note(const decode::Event& event)
{
    const std::uint32_t tgid = event.task.tgid;
    if (tgid >= kPids) return;
    if (!std::visit([&](const auto& body) { return proves(event, body); }, event.body)) return;
    if (traced_.size() <= tgid) traced_.resize(tgid + 1);
    traced_[tgid] = true;
}

bool Coverage::covers(std::uint32_t tgid) const
{
    if (!restricted_) return true;
    return !by_thread_ && tgid < traced_.size() && traced_[tgid];
}

}  // namespace ipcscope::aggregate
