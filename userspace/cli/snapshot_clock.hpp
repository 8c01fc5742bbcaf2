// SPDX-License-Identifier: GPL-2.0-only
// How often a running trace is looked at as a whole.
#pragma once

#include <algorithm>
#include <chrono>

namespace ipcscope::cli {

/// Once a second, or as seldom as keeps it below 1/20 of the time.
class SnapshotClock {
public:
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
        next_ = end + std::max<Clock::duration>(std::chrono::seconds(1), 20 * (end - begin));
    }

private:
    using Clock = std::chrono::steady_clock;
    Clock::time_point next_{};
};

}  // namespace ipcscope::cli
