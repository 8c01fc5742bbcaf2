// SPDX-License-Identifier: GPL-2.0-only
// Looking at what belongs to another namespace.
#pragma once

#include <functional>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace ipcscope::inspect {

/// Calls `look` in the namespace `name` ("net", "ipc") of `process`, a /proc/PID, and comes
/// back; at once where it is our own.  Fails where it may not be entered.
Result<void> in_namespace(const Fd& process, const char* name, const std::function<void()>& look);

}  // namespace ipcscope::inspect
