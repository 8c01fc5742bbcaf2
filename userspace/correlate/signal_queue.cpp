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

void move_to(std::vector<Pending>& out, Fifo<Pending>& list)
{
    out.insert(out.end(), std::move_iterator(list.begin()), std::move_iterator(list.end()));
}

/// The newest that meets the condition; end() if none does.
template <typename List>
auto newest_of(List& list, const SignalQueue::Condition& wanted)
{
    const auto found = std::find_if(list.rbegin(), list.rend(), wanted);
    return found == list.rend() ? list.end() : std::prev(found.base());
}

}  // namespace

Identity identity_of(const decode::SignalGenerate& body)
{
    const bool known = body.has_info != 0 && decode::outcome_of(body) == Outcome::delivered;
    return normalised(body.si_code, body.sender_pid, body.value, known);
}

Identity identity_of(const decode::SignalTake& body)
{
    return normalised(body.si_code, body.sender_pid, body.value, body.has_info != 0);
}

bool may_be(const Pending& pending, const Wanted& wanted)
{
    return !pending.bit_only() || wanted.identity == Identity{.known = wanted.identity.known};
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
/// ones have gone; the bit falls with the last entry that was there.
Taken SignalQueue::take_entry(Lists::iterator list, std::size_t index, std::uint64_t until_ns)
{
    auto& entries = list->second.entries;
    if (entries[index].signal.generated_ns > until_ns) return {};
    Taken result;
    for (; index > 0; --index) {
        result.overtaken.push_back(std::move(entries.front()));
        entries.pop_front();
    }
    result.taken.push_back(std::move(entries.front()));
    entries.pop_front();
    if (entries.empty() || entries.front().signal.generated_ns > until_ns) {
        auto bits = take_bits(list, until_ns);
        std::move(bits.taken.begin(), bits.taken.end(), std::back_inserter(result.taken));
    }
    return result;
}

Taken SignalQueue::take_bits(Lists::iterator list, std::uint64_t until_ns)
{
    Taken result;
    auto& bits = list->second.bits;
    while (!bits.empty() && bits.front().signal.generated_ns <= until_ns) {
        result.taken.push_back(std::move(bits.front()));
        bits.pop_front();
    }
    if (list->second.empty()) signals_.erase(list);
    return result;
}

Taken SignalQueue::take_same(const Wanted& wanted)
{
    const auto list = signals_.find(wanted.signal);
    if (list == signals_.end() || !wanted.identity.known) return {};
    const auto& entries = list->second.entries;
    const auto same = [&](const Pending& p) { return p.identity == wanted.identity; };
    const auto old = [&](const Pending& p) { return p.signal.generated_ns < wanted.gap_ns; };

    auto found = std::find_if(entries.begin(), entries.end(), same);
    if (found == entries.end()) return {};
    if (old(*found) && !found->signal.blocked) {
        const auto recent = std::find_if_not(found, entries.end(), old);
        const auto later = std::find_if(recent, entries.end(), same);
        if (later != entries.end() && later->signal.generated_ns <= wanted.until_ns)
            found = later;
    }
    return take_entry(list, static_cast<std::size_t>(found - entries.begin()),
                      wanted.until_ns);
}

Taken SignalQueue::take_next(const Wanted& wanted)
{
    const auto list = signals_.find(wanted.signal);
    if (list == signals_.end()) return {};
    return list->second.entries.empty() ? take_bits(list, wanted.until_ns)
                                        : take_entry(list, 0, wanted.until_ns);
}

Taken SignalQueue::take_unknown(const Wanted& wanted)
{
    const auto list = signals_.find(wanted.signal);
    if (list == signals_.end()) return {};
    const auto& entries = list->second.entries;
    const auto first = std::find_if(entries.begin(), entries.end(),
                                    [](const auto& p) { return !p.identity.known; });
    if (first != entries.end())
        return take_entry(list, static_cast<std::size_t>(first - entries.begin()),
                          wanted.until_ns);
    const auto& bits = list->second.bits;
    return !bits.empty() && may_be(bits.front(), wanted) ? take_bits(list, wanted.until_ns)
                                                         : Taken{};
}

std::optional<std::uint64_t> SignalQueue::newest_ns(unsigned signal,
                                                    const Condition& wanted) const
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return std::nullopt;
    std::optional<std::uint64_t> newest;
    for (const auto* queue : {&list->second.entries, &list->second.bits})
        if (const auto at = newest_of(*queue, wanted); at != queue->end())
            newest = std::max(newest.value_or(0), at->signal.generated_ns);
    return newest;
}

Pending SignalQueue::take_newest(unsigned signal, const Condition& wanted)
{
    const auto list = signals_.find(signal);
    auto& [entries, bits] = list->second;
    const auto entry = newest_of(entries, wanted);
    const auto bit = newest_of(bits, wanted);
    const bool is_bit = entry == entries.end() ||
                        (bit != bits.end() &&
                         bit->signal.generated_ns > entry->signal.generated_ns);
    Pending out = std::move(is_bit ? *bit : *entry);
    if (is_bit)
        bits.erase(bit);
    else
        entries.erase(entry);
    if (list->second.empty()) signals_.erase(list);
    return out;
}

std::vector<Pending> SignalQueue::take_if(const Condition& wanted)
{
    std::vector<Pending> out;
    const auto take = [&](Fifo<Pending>& from) {
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

const Pending* SignalQueue::find(unsigned signal, const Identity& identity) const
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return nullptr;
    const auto& [entries, bits] = list->second;
    const auto suits = [&](const Pending& p) {
        return !p.identity.known || p.identity == identity;
    };
    const auto at = std::find_if(entries.begin(), entries.end(), suits);
    if (at != entries.end()) return &*at;
    return bits.empty() ? nullptr : &bits.front();
}

bool SignalQueue::holds_before(unsigned signal, std::uint64_t time_ns) const
{
    const auto list = signals_.find(signal);
    if (list == signals_.end()) return false;
    const auto old = [&](const Fifo<Pending>& queue) {
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
