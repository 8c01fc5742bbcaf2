// SPDX-License-Identifier: GPL-2.0-only
// Which signals and calls a running trace shows a line of.
#pragma once

#include <cstdint>

#include "correlate/interval.hpp"

namespace ipcscope::diagnose {

/// Both must hold where both are set.  What is neither a signal nor a call always passes.
struct LineFilter {
    /// Only signals that had no effect (refused, ignored, discarded, pending when their
    /// target or the trace ended), and calls that failed.
    bool failed = false;
    /// Only signals that were taken so long after they were generated, or never; and calls
    /// that took as long.
    std::uint64_t least_ns = 0;

    bool passes(const correlate::Interval& interval) const;
    bool passes(const decode::Event& event) const;
};

}  // namespace ipcscope::diagnose
