// SPDX-License-Identifier: GPL-2.0-only
// Processes that data goes around in, as request and answer: they take turns, and none of them
// is slow for the others.
#pragma once

#include <cstdint>
#include <map>

#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

class Turns {
public:
    explicit Turns(const aggregate::Report& report);

    /// On that channel: where data flows through it, what goes around must be data, too; a lock
    /// that two stages share makes no answer of what one sends to the other.
    bool taken_by(Pid a, Pid b, const aggregate::ChannelRow& channel) const;

private:
    std::map<std::uint64_t, std::uint64_t> by_data_, by_all_;   ///< groups, by process
};

}  // namespace ipcscope::diagnose
