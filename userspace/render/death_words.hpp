// SPDX-License-Identifier: GPL-2.0-only
// How processes that a signal should end are shown while a trace runs.
#pragma once

#include <string>

#include "diagnose/live_deaths.hpp"
#include "render/layout.hpp"

namespace ipcscope::render {

/// "TERM", "TERM ×3", "TERM, KILL": that should end it.
std::string death_signals(const aggregate::Death& death, const Style& style);
/// "SIGKILL", "status 1": how it ended; else what keeps it from ending, as far as a word says.
std::string death_outcome(const diagnose::LiveDeath& death);
/// "1.20 s"; ">1.20 s" where it is still there.
std::string death_time(const diagnose::LiveDeath& death, const Style& style);

}  // namespace ipcscope::render
