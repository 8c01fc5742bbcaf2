// SPDX-License-Identifier: GPL-2.0-only
// Per-CPU streams → one stream in the order of time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

#include "decode/event.hpp"

namespace ipcscope::decode {

/// Holds events back until a watermark says that nothing older can come, then
/// releases them by (time, arrival).  An event older than what was already
/// released is passed on at once and counted as late.
///
/// A CPU writes its records in the order of time: what it has written is a run, and only
/// the runs' first events are compared.  One that is out of order in its run is compared
/// by itself.
class Merger {
public:
    /// The event is the consumer's to change, until it returns.
    using Consumer = std::function<void(Event&)>;

    explicit Merger(Consumer consumer) : consumer_(std::move(consumer)) {}

    void add(Event event);
    /// To fill an event in its place: blank() until it is filled, then add_blank().
    /// It holds what was in it last.
    Event& blank();
    void add_blank();

    /// Releases everything before `time_ns`.
    void watermark(std::uint64_t time_ns);
    /// Releases the rest.
    void flush();

    std::uint64_t late() const { return late_; }
    std::size_t held() const { return held_; }

private:
    static constexpr std::size_t kNoRun = SIZE_MAX;

    struct Item {
        std::uint64_t time_ns;
        std::uint64_t arrival;
        std::size_t slot;
    };
    struct Run {
        std::vector<Item> items;   ///< in order; before `next` they are in first_, or gone
        std::size_t next = 0;
    };
    /// The first of a run, or one by itself.
    struct First {
        Item item;
        std::size_t run;   ///< kNoRun: by itself
        bool before(const First& other) const;
    };

    void hold(std::size_t slot);
    void push(const First& first);
    void sift_down();
    void replace_first();
    void release_first();

    Consumer consumer_;
    std::vector<First> first_;       ///< min-heap by (time, arrival)
    std::vector<Run> runs_;          ///< by CPU
    std::deque<Event> slots_;        ///< never moved: a consumer may add
    std::vector<std::size_t> free_;  ///< of slots_; the last one is blank()
    std::size_t held_ = 0;
    std::uint64_t arrivals_ = 0;
    std::uint64_t released_ns_ = 0;  ///< time of the newest event released in order
    std::uint64_t late_ = 0;
};

}  // namespace ipcscope::decode
