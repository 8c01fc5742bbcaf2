// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/process.hpp"

#include <algorithm>
#include <iterator>

#include "correlate/numbers.hpp"

namespace ipcscope::correlate {
namespace {

void move_to(std::vector<Pending>& out, std::vector<Pending>&& more)
{
    out.insert(out.end(), std::move_iterator(more.begin()), std::move_iterator(more.end()));
}

/// Or one to the process that the thread that was looked at blocks, and another
/// does not.
bool may_end_group(const Pending& pending)
{
    const SignalInterval& signal = pending.signal;
    return ends_group(signal) ||
           (signal.shared && !signal.unkillable &&
            signal.disposition == decode::Disposition::standard &&
            ends_by_default(signal.signal));
}

}  // namespace

bool ends_group(const SignalInterval& signal)
{
    if (signal.signal == kSigKill) return true;
    return signal.fatal && !signal.blocked && !dumps_core(signal.signal);
}

Thread* Process::find(std::uint32_t tid)
{
    const auto at = threads_.find(tid);
    return at == threads_.end() ? nullptr : &at->second;
}

std::vector<Pending> Process::take_if(const SignalQueue::Condition& wanted)
{
    auto out = shared.take_if(wanted);
    for (auto& [tid, thread] : threads_) move_to(out, thread.queue.take_if(wanted));
    return out;
}

std::vector<Pending> Process::take_signal(unsigned signal)
{
    auto out = shared.take_signal(signal);
    for (auto& [tid, thread] : threads_) move_to(out, thread.queue.take_signal(signal));
    return out;
}

std::vector<Pending> Process::take_all()
{
    auto out = shared.take_all();
    for (auto& [tid, thread] : threads_) move_to(out, thread.queue.take_all());
    return out;
}

/// The kernel refuses all that is sent after it, so it is the newest.
std::optional<Pending> Process::take_fatal(unsigned signal)
{
    SignalQueue* queue = nullptr;
    std::uint64_t newest_ns = 0;
    const auto look = [&](SignalQueue& here) {
        const auto at_ns = here.newest_ns(signal, may_end_group);
        if (!at_ns || (queue && *at_ns <= newest_ns)) return;
        newest_ns = *at_ns;
        queue = &here;
    };
    look(shared);
    look(left);
    for (auto& [tid, thread] : threads_) look(thread.queue);
    if (!queue) return std::nullopt;
    return queue->take_newest(signal, may_end_group);
}

void Process::become_leader(std::uint32_t tgid, std::uint32_t tid)
{
    auto node = tid != tgid ? threads_.extract(tid) : decltype(threads_)::node_type{};
    Thread& leader = threads_[tgid];
    leader.exited_ns.reset();
    leader.exec_killed = false;
    if (!node) return;
    for (auto& pending : node.mapped().queue.take_all()) {
        pending.owner = tgid;
        leader.queue.push(std::move(pending));
    }
}

void Process::leader_is_back(std::uint32_t tgid)
{
    std::vector<std::uint32_t> alive;
    for (const auto& [tid, thread] : threads_)
        if (tid != tgid && !thread.exited_ns && !thread.exec_killed) alive.push_back(tid);
    become_leader(tgid, tgid);
    for (const auto tid : alive) become_leader(tgid, tid);
}

bool Process::idle() const
{
    return !dead_ns && !group_exit_ns && shared.empty() && left.empty() && gone.empty() &&
           std::all_of(threads_.begin(), threads_.end(),
                       [](auto& t) { return t.second.idle(); });
}

}  // namespace ipcscope::correlate
