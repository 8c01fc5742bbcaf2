// SPDX-License-Identifier: GPL-2.0-only
// The ledger of blame: all time that was waited on pipes, handed on to those who could
// have ended the wait, or is unattributed.
#pragma once

#include <cstdint>
#include <vector>

#include "diagnose/wait_graph.hpp"

namespace ipcscope::diagnose {

struct Blame {
    /// A process waited for another.
    struct Edge {
        Pid waiter = 0;
        Pid holder = 0;
        const aggregate::ChannelRow* channel = nullptr;
        bool output = false;
        std::uint64_t ns = 0;
        std::uint64_t polled_ns = 0;   ///< of it
    };
    std::vector<Edge> edges;
    // waited = handed on + shared + unattributed, exactly
    std::uint64_t waited_ns = 0;
    std::uint64_t handed_on_ns = 0;
    std::uint64_t shared_ns = 0;         ///< not over at the end, and several hold the end
    std::uint64_t unattributed_ns = 0;
};

/// A finished wait is handed on to its waker, if that holds the other end; one that the
/// trace's end found to the only holder.
Blame book_waits(const WaitGraph& graph);

}  // namespace ipcscope::diagnose
