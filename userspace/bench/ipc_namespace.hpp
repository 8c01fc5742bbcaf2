// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include "base/result.hpp"

namespace ipcscope::bench {

/// Moves this process, for good, into a new IPC namespace: queues, semaphores
/// and System V objects of its own.  Without privilege by a user namespace in
/// which the user and group ids are unchanged.  Exit::permission where neither is allowed.
Result<void> enter_ipc_namespace();

}  // namespace ipcscope::bench
