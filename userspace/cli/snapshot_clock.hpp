// SPDX-License-Identifier: GPL-2.0-only
// How often a running trace is looked at as a whole.
#pragma once

#include <algorithm>
#include <chrono>

namespace ipcscope::cli {

/// Once in each interval, or as seldom as keeps it below 1/20 of the time.
class SnapshotClock {
public:
    explicit SnapshotClock(std::chrono::nanoseconds interval = std::chrono::seconds(1))
        : interval_(interval)
    {
    }

    /// Calls `look` if it is time.
    template <typename Look>
    void run(Look look)
    {
        const auto begin = Clock::now();
        if (begin < next_) {
            return;
        }
        look();
        const auto end = Clock::now();
        next_ = end + std::max<Clock::duration>(interval_, 20 * (end - begin));
    }

private:
    using Clock = std::chrono::steady_clock;
    std::chrono::nanoseconds interval_;
    Clock::time_point next_{};
};

}  // namespace ipcscope::cli
