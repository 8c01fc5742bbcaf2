// SPDX-License-Identifier: GPL-2.0-only
// The filters in the kernel's terms: what a backend gets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ipcscope/transport.h>

#include "base/result.hpp"
#include "source/options.hpp"

namespace ipcscope::source {

struct Selection {
    std::uint64_t signal_mask = 0;         ///< bit (n - 1): signal n is wanted
    std::vector<std::uint32_t> tgids;
    std::vector<std::uint32_t> tids;
    std::vector<std::string> comms;
    std::vector<std::uint64_t> cgroups;    ///< inodes of the directories
    std::uint32_t command = 0;             ///< wanted whatever else; 0: none
    /// Bits of IPCSCOPE_FILTER_*: of which kinds one must match.  A kind may have
    /// no members: then only the command and its children match.
    std::uint32_t must_match = 0;
    std::uint32_t follow = 0;              ///< IPCSCOPE_FOLLOW_*

    bool must(unsigned filter) const { return (must_match >> filter) & 1; }
};

/// Exit::usage for a filter that names nothing.
Result<Selection> select(const Options& options);

}  // namespace ipcscope::source
