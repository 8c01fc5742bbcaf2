// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace ipcscope::source {

/// Once attached: gives up, for good, every capability but those that reading
/// a trace to its end needs (the list is in SECURITY.md), the right to gain
/// any by exec, and core dumps.  Does nothing where we have fewer.
void keep_only_reading();

}  // namespace ipcscope::source
