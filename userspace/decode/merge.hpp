// SPDX-License-Identifier: GPL-2.0-only
// Per-CPU streams → one stream in the order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "decode/event.hpp"

namespace ipcscope::decode {

/// Holds events back until a watermark says that nothing older can come, then
/// releases them by (time, arrival).  An event older than what was already
/// released is passed on at once and counted as late.
class Merger {
public:
    using Consumer = std::function<void(const Event&)>;

    explicit Merger(Consumer consumer) : consumer_(std::move(consumer)) {}

    void add(Event event);
    /// Releases everything before `time_ns`.
    void watermark(std::uint64_t time_ns);
    /// Releases the rest.
    void flush();

    std::uint64_t late() const { return late_; }
    std::size_t held() const { return heap_.size(); }

private:
    /// Events are large: the heap is of their places.
    struct Held {
        std::uint64_t time_ns;
        std::uint64_t arrival;
        std::size_t slot;
    };
    void release_first();

    Consumer consumer_;
    std::vector<Held> heap_;         ///< min-heap by (time, arrival)
    std::vector<Event> slots_;
    std::vector<std::size_t> free_;  ///< of slots_
    std::uint64_t arrivals_ = 0;
    std::uint64_t released_ns_ = 0;  ///< time of the newest event released in order
    std::uint64_t late_ = 0;
};

}  // namespace ipcscope::decode
