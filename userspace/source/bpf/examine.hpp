// SPDX-License-Identifier: GPL-2.0-only
// What of the eBPF backend works on this kernel.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "source/bpf/tracer.hpp"

namespace ipcscope::source::bpf {

struct FamilyStatus {
    Family family{};
    bool works = false;
    std::string why;   ///< where it does not
    Exit code = Exit::ok;
    std::vector<HookStatus> hooks;   ///< empty where it does not load
};

/// Attaches each family by itself, for a moment, and takes it away again.
std::vector<FamilyStatus> examine();

}  // namespace ipcscope::source::bpf
