// SPDX-License-Identifier: GPL-2.0-only
// What of the eBPF backend works on this kernel.
#pragma once

#include <vector>

#include "source/hooks.hpp"

namespace ipcscope::source::bpf {

/// Attaches each family by itself, for a moment, and takes it away again.
std::vector<FamilyStatus> examine();

}  // namespace ipcscope::source::bpf
