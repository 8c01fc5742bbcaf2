// SPDX-License-Identifier: GPL-2.0-only
// What of the kernel module works on this kernel.
#pragma once

#include <vector>

#include "source/hooks.hpp"

namespace ipcscope::source::kmod {

/// Attaches each family by itself, for a moment, and takes it away again.  The module is
/// not loaded for it.
std::vector<FamilyStatus> examine();

}  // namespace ipcscope::source::kmod
