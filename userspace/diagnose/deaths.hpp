// SPDX-License-Identifier: GPL-2.0-only
// Which signals a finding of find_deaths() speaks of.
#pragma once

#include <cstdint>

#include "aggregate/report.hpp"

namespace ipcscope::diagnose {

/// Whether a signal to a process was one that should end it: its outcome is in the finding
/// on that death, or needs none.
bool has_story(const aggregate::Report& report, std::uint32_t tgid, unsigned signal);

}  // namespace ipcscope::diagnose
