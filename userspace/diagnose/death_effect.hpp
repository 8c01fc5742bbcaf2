// SPDX-License-Identifier: GPL-2.0-only
// What signals that should end a process did to it, where it is still there.
#pragma once

#include "aggregate/death.hpp"

namespace ipcscope::diagnose {

/// They had no effect on it, all of them.
bool is_ignored(const aggregate::Death& death);
/// It took one of them by a handler of its own.
bool was_handled(const aggregate::Death& death);

}  // namespace ipcscope::diagnose
