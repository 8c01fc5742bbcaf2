// SPDX-License-Identifier: GPL-2.0-only
// Who writes to whom by one channel.  A pipe that commands inherit one after the other, as a
// shell's output, joins only those that were there together.
#pragma once

#include <cstdint>
#include <vector>

#include "aggregate/report.hpp"

namespace ipcscope::aggregate {

/// All of `from` to all of `to`, by one channel.
struct Flow {
    ObjectId channel;
    std::vector<std::uint32_t> from;   ///< processes
    std::vector<std::uint32_t> to;
    /// One of several flows by the pipe, which join no pipeline with each other.
    bool part = false;
    /// Of a part: when both sides were there.
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = UINT64_MAX;

    bool meets(const Flow& other) const
    {
        return start_ns < other.end_ns && other.start_ns < end_ns;
    }
    bool same_channel(const Flow& other) const { return channel == other.channel; }
};

/// `lives`: by process number.
std::vector<Flow> find_flows(const std::vector<ChannelRow>& channels,
                             const std::vector<LifeRow>& lives);

}  // namespace ipcscope::aggregate
