// SPDX-License-Identifier: GPL-2.0-only
// Handlers that keep signals waiting.
#pragma once

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// The long wait of a row for a handler that blocked the signal; nullptr: there is none.
const aggregate::SignalWait* handler_wait(const aggregate::Report& report,
                                          const aggregate::SignalRow& row);

/// One finding for each process and signal.
void find_slow_handlers(const aggregate::Report& report, Findings& findings);

}  // namespace ipcscope::diagnose
