// SPDX-License-Identifier: GPL-2.0-only
// Rows for people: those of processes of one name are one line, "true ×150"; rows that no
// finding is about and that cost next to nothing are a number.
#pragma once

#include <set>
#include <vector>

#include "render/text.hpp"

namespace ipcscope::render {

/// A row of the signal table, or the sum of several.
struct SignalLine {
    aggregate::SignalRow row;         ///< of a sum, its processes are those of the first
    std::set<std::uint32_t> senders;  ///< processes
    std::set<std::uint32_t> targets;
    bool one_name = true;             ///< all senders have the same
};

/// A process that a finding names keeps its own rows, but for SIGCHLD, whose senders are
/// its children; they come first, but for SIGCHLD of which none merged.  Then by number,
/// descending; or all by the figure that is asked for.  Nothing is folded, and the order is the
/// report's, where all rows are shown.
std::vector<SignalLine> folded(const Page& page);

/// Of a row of the process table, likewise; in the order of `rows`.
struct ProcessLine {
    aggregate::ProcessRow row;
    std::size_t processes = 1;
};
std::vector<ProcessLine> folded(const Page& page,
                                const std::vector<const aggregate::ProcessRow*>& rows);

/// Rows that have a place in their table, and the number of others.  Where all rows are shown, or
/// sorted by a figure that is asked for, there are no others.
template <typename Row>
struct Notable {
    std::vector<const Row*> rows;
    std::size_t others = 0;
};

/// Others: pipelines of processes that no finding names, all over in less than 1 % of the trace.
Notable<aggregate::Pipeline> notable_pipelines(const Page& page);

/// Pipes and FIFOs.  Others: with at most one write, no call under way at the end, and no finding
/// that names them.
Notable<aggregate::ChannelRow> notable_pipes(const Page& page);

}  // namespace ipcscope::render
