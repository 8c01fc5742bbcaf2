// SPDX-License-Identifier: GPL-2.0-only
#include "decode/merge.hpp"

#include <algorithm>

namespace ipcscope::decode {
namespace {

/// The standard heap keeps the greatest in front; ours is the earliest.
constexpr auto kLater = [](const auto& a, const auto& b) {
    return a.event.time_ns != b.event.time_ns ? a.event.time_ns > b.event.time_ns
                                              : a.arrival > b.arrival;
};

}  // namespace

void Merger::add(Event event)
{
    if (event.time_ns < released_ns_) {
        ++late_;
        consumer_(event);
        return;
    }
    heap_.push_back({std::move(event), arrivals_++});
    std::push_heap(heap_.begin(), heap_.end(), kLater);
}

void Merger::release_first()
{
    std::pop_heap(heap_.begin(), heap_.end(), kLater);
    const Event event = std::move(heap_.back().event);
    heap_.pop_back();
    released_ns_ = event.time_ns;
    consumer_(event);
}

void Merger::watermark(std::uint64_t time_ns)
{
    while (!heap_.empty() && heap_.front().event.time_ns < time_ns) release_first();
}

void Merger::flush()
{
    while (!heap_.empty()) release_first();
}

}  // namespace ipcscope::decode
