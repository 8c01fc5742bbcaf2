// SPDX-License-Identifier: GPL-2.0-only
// When events were last known to be lost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <unordered_map>

#include "decode/event.hpp"

namespace ipcscope::correlate {

/// A CPU's lost_before grows between two of its records where records between
/// them were lost.  Which ones is unknown: anything that was open at the time
/// of the second may have ended among them.
class LossClock {
public:
    void note(const decode::Event& event)
    {
        auto& known = lost_[event.cpu];
        if (event.lost_before <= known) return;
        known = event.lost_before;
        gap_ns_ = std::max(gap_ns_, event.time_ns);
    }

    bool lost_since(std::uint64_t time_ns) const { return gap_ns_ > time_ns; }
    std::uint64_t gap_ns() const { return gap_ns_; }   ///< 0: nothing was lost

private:
    std::unordered_map<unsigned, std::uint64_t> lost_;   ///< by CPU, cumulative
    std::uint64_t gap_ns_ = 0;
};

}  // namespace ipcscope::correlate
