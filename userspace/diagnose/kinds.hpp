// SPDX-License-Identifier: GPL-2.0-only
// One function for each kind of finding, or close family of kinds.  Each appends.
#pragma once

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

void find_deaths(const aggregate::Report& report, Findings& findings);
void find_bad_signals(const aggregate::Report& report, Findings& findings);
void find_d_states(const aggregate::Report& report, Findings& findings);   ///< after deaths
void find_channels(const aggregate::Report& report, Findings& findings);   ///< channel_kinds.hpp

}  // namespace ipcscope::diagnose
