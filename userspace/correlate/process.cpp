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

}  // namespace

bool ends_group(const SignalInterval& signal)
{
    if (signal.signal == kSigKill) return true;
    return signal.fatal && !signal.blocked && !dumps_core(signal.signal);
}

bool may_end_group(const SignalInterval& signal)
{
    return signal.shared && signal.blocked &&
           signal.disposition == decode::Disposition::standard &&
           ends_by_default(signal.signal);
}

Thread* Process::find(std::uint32_t tid)
{
    const auto at = threads_.find(tid);
    return at == threads_.end() ? nullptr : &at->second;
}

std::vector<Pending> Process::take_if(const std::function<bool(const Pending&)>& wanted)
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

void Process::become_leader(std::uint32_t tgid, std::uint32_t tid)
{
    auto node = threads_.extract(tid);
    Thread& leader = threads_[tgid];
    leader.exited_ns.reset();
    group_exit.reset();
    if (node) leader.queue.append(std::move(node.mapped().queue));
}

void Process::leader_is_back(std::uint32_t tgid)
{
    std::vector<std::uint32_t> alive;
    for (const auto& [tid, thread] : threads_)
        if (!thread.exited_ns) alive.push_back(tid);
    threads_[tgid].exited_ns.reset();
    for (const auto tid : alive) become_leader(tgid, tid);
}

bool Process::idle() const
{
    return !dead_ns && shared.empty() &&
           std::all_of(threads_.begin(), threads_.end(),
                       [](auto& t) { return t.second.idle(); });
}

}  // namespace ipcscope::correlate
