// SPDX-License-Identifier: GPL-2.0-only
#include "decode/merge.hpp"

#include <utility>

#include "base/collector.hpp"

namespace ipcscope::decode {

bool Merger::First::before(const First& other) const
{
    return item.time_ns != other.item.time_ns ? item.time_ns < other.item.time_ns
                                              : item.arrival < other.item.arrival;
}

Event& Merger::blank()
{
    if (free_.empty()) {
        free_.push_back(slots_.size());
        slots_.emplace_back();
    }
    return slots_[free_.back()];
}

void Merger::add(Event event)
{
    blank() = std::move(event);
    add_blank();
}

void Merger::add_blank()
{
    const std::size_t slot = free_.back();
    free_.pop_back();
    if (slots_[slot].time_ns >= released_ns_) {
        hold(slot);
        return;
    }
    ++late_;
    consumer_(slots_[slot]);
    free_.push_back(slot);
}

void Merger::hold(std::size_t slot)
{
    const Event& event = slots_[slot];
    const Item item{event.time_ns, arrivals_++, slot};
    ++held_;
    const std::size_t place = place_of_cpu(event.cpu);
    if (runs_.size() <= place) {
        runs_.resize(place + 1);
    }
    Run& run = runs_[place];
    if (run.items.empty()) {
        run.items.push_back(item);
        run.next = 1;
        push({item, place});
    } else if (run.items.back().time_ns <= item.time_ns) {
        run.items.push_back(item);
    } else {
        push({item, kNoRun});
    }
}

void Merger::push(const First& first)
{
    std::size_t at = first_.size();
    first_.push_back(first);
    for (; at > 0 && first.before(first_[(at - 1) / 2]); at = (at - 1) / 2) {
        first_[at] = first_[(at - 1) / 2];
    }
    first_[at] = first;
}

/// Brings the first one to its place.
void Merger::sift_down()
{
    const First moved = first_.front();
    std::size_t at = 0;
    for (std::size_t child = 1; child < first_.size(); child = 2 * at + 1) {
        if (child + 1 < first_.size() && first_[child + 1].before(first_[child])) {
            ++child;
        }
        if (!first_[child].before(moved)) {
            break;
        }
        first_[at] = first_[child];
        at = child;
    }
    first_[at] = moved;
}

/// By the next one of its run; where there is none, by the last of the heap.
void Merger::replace_first()
{
    constexpr std::size_t kFewUsed = 4096;
    First& first = first_.front();
    Run* run = first.run == kNoRun ? nullptr : &runs_[first.run];
    if (run != nullptr && run->next < run->items.size()) {
        first.item = run->items[run->next++];
        if (run->next > kFewUsed && run->next * 2 > run->items.size()) {
            run->items.erase(run->items.begin(),
                             run->items.begin() + static_cast<std::ptrdiff_t>(run->next - 1));
            run->next = 1;
        }
    } else {
        if (run != nullptr) {
            run->items.clear();
            run->next = 0;
        }
        first = first_.back();
        first_.pop_back();
    }
    if (!first_.empty()) {
        sift_down();
    }
}

void Merger::release_first()
{
    const Item item = first_.front().item;
    replace_first();
    --held_;
    released_ns_ = item.time_ns;
    consumer_(slots_[item.slot]);
    free_.push_back(item.slot);
}

void Merger::watermark(std::uint64_t time_ns)
{
    while (!first_.empty() && first_.front().item.time_ns < time_ns) release_first();
}

void Merger::flush()
{
    while (!first_.empty()) release_first();
}

}  // namespace ipcscope::decode
