// SPDX-License-Identifier: GPL-2.0-only
#include "exports/call_waits.hpp"

#include <algorithm>
#include <utility>

#include "aggregate/channel.hpp"

namespace ipcscope::exports {

using decode::State;

bool CallWaits::note(const decode::Event& event, const decode::Slice& slice)
{
    if (slice.call == 0 || slice.end_ns < slice.start_ns) {
        return false;
    }
    Thread& thread = threads_[event.task.tid];
    const State state = decode::state_of(slice.state);
    if (state == State::interruptible || state == State::polling) {
        thread.sleeps.push_back({slice.start_ns, slice.end_ns, slice.waker_tid});
    } else {
        thread.others.push_back({state, slice.start_ns, slice.end_ns, slice.waker_tid});
    }
    return true;
}

CallWaits::Thread CallWaits::take(std::uint32_t tid)
{
    auto found = threads_.extract(tid);
    return found ? std::move(found.mapped()) : Thread{};
}

std::vector<Wait> CallWaits::of(const decode::Event& event, const decode::Call& call)
{
    const Thread thread = take(event.task.tid);
    std::vector<Wait> waits;
    const auto is_in = [&](const auto& one) {
        return one.start_ns >= call.enter_ns && one.end_ns <= event.time_ns;
    };
    for (Wait wait : thread.others) {
        wait.in_call = is_in(wait);
        waits.push_back(wait);
    }
    for (const aggregate::Sleep& sleep : thread.sleeps) {
        if (!is_in(sleep)) {
            waits.push_back({State::interruptible, sleep.start_ns, sleep.end_ns,
                             sleep.waker_tid, false});
        }
    }
    for (const aggregate::Sleep& sleep : aggregate::call_sleeps(thread.sleeps, event, call)) {
        const std::uint64_t start_ns = std::max<std::uint64_t>(sleep.start_ns, call.enter_ns);
        if (start_ns < sleep.end_ns) {
            waits.push_back({State::interruptible, start_ns, sleep.end_ns, sleep.waker_tid, true});
        }
    }
    std::ranges::stable_sort(waits, {}, [](const Wait& wait) {
        return std::pair(wait.in_call, wait.start_ns);
    });
    return waits;
}

std::vector<Wait> CallWaits::rest(std::uint32_t tid)
{
    Thread thread = take(tid);
    std::vector<Wait> waits = std::move(thread.others);
    for (const aggregate::Sleep& sleep : thread.sleeps) {
        waits.push_back({State::interruptible, sleep.start_ns, sleep.end_ns, sleep.waker_tid});
    }
    std::ranges::stable_sort(waits, {}, &Wait::start_ns);
    return waits;
}

std::string_view waits_for(const decode::Call& call)
{
    if (const auto open = aggregate::channel_open(call)) {
        return open->output ? "a reader" : "a writer";
    }
    const auto use = aggregate::channel_use(call);
    if (!use || !aggregate::channel_kind(decode::type_of(call)).flows) {
        return "";
    }
    return use->output ? "room" : "data";
}

}  // namespace ipcscope::exports
