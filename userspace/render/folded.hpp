// SPDX-License-Identifier: GPL-2.0-only
// Rows for people: those of processes of one name are one line, "true ×150".
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

}  // namespace ipcscope::render
