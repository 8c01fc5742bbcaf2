// SPDX-License-Identifier: GPL-2.0-only
// When events were last known to be lost.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/collector.hpp"
#include "decode/event.hpp"

namespace ipcscope::correlate {

/// A CPU's lost_before grows between two of its records where records between
/// them were lost.  Which ones is unknown: anything that was open at the time
/// of the second may have ended among them.
class LossClock {
public:
    void note(const decode::Event& event)
    {
        const std::size_t place = place_of_cpu(event.cpu);
        if (cpus_.size() <= place) cpus_.resize(place + 1);
        Cpu& cpu = cpus_[place];
        if (event.lost_before <= cpu.lost) return;
        cpu = {event.lost_before, std::max(cpu.gap_ns, event.time_ns)};
        gap_ns_ = std::max(gap_ns_, cpu.gap_ns);
    }

    bool lost_since(std::uint64_t time_ns) const { return gap_ns_ > time_ns; }
    bool lost_since(std::uint64_t time_ns, unsigned cpu) const
    {
        const std::size_t place = place_of_cpu(cpu);
        return place < cpus_.size() && cpus_[place].gap_ns > time_ns;
    }
    std::uint64_t gap_ns() const { return gap_ns_; }   ///< 0: nothing was lost

private:
    struct Cpu {
        std::uint64_t lost = 0;     ///< cumulative
        std::uint64_t gap_ns = 0;
    };
    std::vector<Cpu> cpus_;   ///< by place_of_cpu()
    std::uint64_t gap_ns_ = 0;
};

}  // namespace ipcscope::correlate
