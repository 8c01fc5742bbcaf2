// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/signal_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ipcscope::correlate {
namespace {

/// si_pid shares its place with a fault's address where si_code is positive.
Identity normalised(std::int32_t si_code, std::uint32_t sender_pid, std::uint64_t value,
                    bool known)
{
    return {si_code, si_code <= 0 ? sender_pid : 0, value, known};
}

void move_to(std::vector<Pending>& out, std::deque<Pending>& list)
{
    out.insert(out.end(), std::move_iterator(list.begin()), std::move_iterator(list.end()));
}

}  // namespace

Identity identity_of(const decode::Event& event, const decode::SignalGenerate& body)
{
    const bool known = body.has_info && !event.copy_fault &&
                       body.outcome == Outcome::delivered;
    return normalised(body.si_code, body.sender_pid, body.value, known);
}

Identity identity_of(const decode::Event& event, const decode::SignalDequeue& body)
{
    return normalised(body.si_code, body.sender_pid, body.value, !event.copy_fault);
}

std::vector<Pending> SignalQueue::push(Pending pending)
{
    List& list = signals_[pending.signal.signal];
    auto& queue = pending.bit_only() ? list.bits : list.entries;
    queue.push_back(std::move(pending));
    std::vector<Pending> excess;
    if (queue.size() > kMost) {
        excess.push_back(std::move(queue.front()));
        queue.pop_front();
    }
    return excess;
}

/// Takes the one at `index`.  The queue is first in, first out, so the older
/// ones have gone; the bit falls with the last entry.
Taken SignalQueue::take_entry(Lists::iterator list, std::size_t index)
{
    Taken result;
    auto& entries = list->second.entries;
    for (; index > 0; --index) {
        result.overtaken.push_back(std::move(entries.front()));
        entries.pop_front();
    }
    result.taken.push_back(std::move(entries.front()));
    entries.pop_front();
    if (entries.empty()) {
        move_to(result.taken, list->second.bits);
        signals_.erase(list);
    }
    return result;
}

Taken SignalQueue::take_bits(Lists::iterator list)
{
    Taken result;
    move_to(result.taken, list->second.bits);
    list->second.bits.clear();
    if (list->second.empty()) signals_.erase(list);
    return result;
}

Taken SignalQueue::take_same(unsigned signal, const Identity& identity, std::uint64_t gap_ns)
{
    const auto list = signals_.find(signal);
    if (list == signals_.end() || !identity.known) return {};
    const auto& entries = list->second.entries;
    const auto same = [&](const Pending& p) { return p.identity == identity; };
    const auto old = [&](const Pending& p) { return p.signal.generated_ns < gap_ns; };

    auto found = std::find_if(entries.begin(), entries.end(), same);
    if (found == entries.end()) return {};
    if (old(*found) && !found->signal.blocked) {
        const auto recent = std::partition_point(found, entries.end(), old);
        const auto later = std::find_if(recent, entries.end(), same);
        if (later != entries.end()) found = later;
    }
    return take_entry(list, static_cast<std::size_t>(found - entries.begin()));
}

Taken SignalQueue::take_next(unsigned signal)
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return {};
    return list->second.entries.empty() ? take_bits(list) : take_entry(list, 0);
}

Taken SignalQueue::take_unknown(unsigned signal, const Identity& identity)
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return {};
    const auto& entries = list->second.entries;
    const auto first = std::find_if(entries.begin(), entries.end(),
                                    [](const auto& p) { return !p.identity.known; });
    if (first != entries.end())
        return take_entry(list, static_cast<std::size_t>(first - entries.begin()));
    const bool blank = identity == Identity{.known = identity.known};
    return blank ? take_bits(list) : Taken{};
}

std::vector<Pending> SignalQueue::take_if(const std::function<bool(const Pending&)>& wanted)
{
    std::vector<Pending> out;
    const auto take = [&](std::deque<Pending>& from) {
        const auto kept = std::stable_partition(from.begin(), from.end(), std::not_fn(wanted));
        out.insert(out.end(), std::move_iterator(kept), std::move_iterator(from.end()));
        from.erase(kept, from.end());
    };
    for (auto list = signals_.begin(); list != signals_.end();) {
        take(list->second.entries);
        take(list->second.bits);
        list = list->second.empty() ? signals_.erase(list) : std::next(list);
    }
    return out;
}

std::vector<Pending> SignalQueue::take_signal(unsigned signal)
{
    std::vector<Pending> out;
    if (const auto list = signals_.find(signal); list != signals_.end()) {
        move_to(out, list->second.entries);
        move_to(out, list->second.bits);
        signals_.erase(list);
    }
    return out;
}

std::vector<Pending> SignalQueue::take_all()
{
    std::vector<Pending> out;
    for (auto& [signal, list] : signals_) {
        move_to(out, list.entries);
        move_to(out, list.bits);
    }
    signals_.clear();
    return out;
}

void SignalQueue::append(SignalQueue&& other)
{
    for (auto& pending : other.take_all()) push(std::move(pending));
}

bool SignalQueue::holds_before(unsigned signal, std::uint64_t time_ns) const
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return false;
    const auto old = [&](const std::deque<Pending>& queue) {
        return !queue.empty() && queue.front().signal.generated_ns < time_ns;
    };
    return old(list->second.entries) || old(list->second.bits);
}

std::size_t SignalQueue::size() const
{
    std::size_t sum = 0;
    for (const auto& [signal, list] : signals_)
        sum += list.entries.size() + list.bits.size();
    return sum;
}

}  // namespace ipcscope::correlate
