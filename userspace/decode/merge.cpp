// SPDX-License-Identifier: GPL-2.0-only
#include "decode/merge.hpp"

#include <algorithm>

namespace ipcscope::decode {
namespace {

/// The standard heap keeps the greatest in front; ours is the earliest.
constexpr auto kLater = [](const auto& a, const auto& b) {
    return a.time_ns != b.time_ns ? a.time_ns > b.time_ns : a.arrival > b.arrival;
};

}  // namespace

void Merger::add(Event event)
{
    if (event.time_ns < released_ns_) {
        ++late_;
        consumer_(event);
        return;
    }
    if (free_.empty()) {
        free_.push_back(slots_.size());
        slots_.emplace_back();
    }
    const std::size_t slot = free_.back();
    free_.pop_back();
    heap_.push_back({event.time_ns, arrivals_++, slot});
    slots_[slot] = std::move(event);
    std::push_heap(heap_.begin(), heap_.end(), kLater);
}

void Merger::release_first()
{
    std::pop_heap(heap_.begin(), heap_.end(), kLater);
    const Held first = heap_.back();
    heap_.pop_back();
    const Event event = std::move(slots_[first.slot]);
    free_.push_back(first.slot);
    released_ns_ = first.time_ns;
    consumer_(event);
}

void Merger::watermark(std::uint64_t time_ns)
{
    while (!heap_.empty() && heap_.front().time_ns < time_ns) release_first();
}

void Merger::flush()
{
    while (!heap_.empty()) release_first();
}

}  // namespace ipcscope::decode
