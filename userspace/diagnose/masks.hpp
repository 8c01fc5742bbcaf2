// SPDX-License-Identifier: GPL-2.0-only
// Why a signal was blocked, in words.
#pragma once

#include <string>

#include "aggregate/report.hpp"

namespace ipcscope::diagnose {

/// What follows "the receiver blocked it": ", by its own sigprocmask() at 1.20 s".
std::string blocked_by(const aggregate::Report& report, const aggregate::Blocking& blocking);

}  // namespace ipcscope::diagnose
