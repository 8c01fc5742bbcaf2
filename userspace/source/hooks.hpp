// SPDX-License-Identifier: GPL-2.0-only
// What of a backend works on this kernel, for doctor and the capture.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "source/options.hpp"

namespace ipcscope::source {

/// A hook as it is now.
struct HookStatus {
    std::string name;
    std::string mechanism;
    std::string target;    ///< function or tracepoint; empty: not hooked
    std::string why;       ///< where not hooked
    bool required = false;
    bool attached = false;
    FamilyMask families = 0;   ///< that need it
};

/// A hook's line for people: "signal generated: signal_generate (tp_btf)".
std::string describe(const HookStatus& hook);

struct FamilyStatus {
    Family family;
    bool works = false;
    std::string why;   ///< where it does not
    Exit code = Exit::ok;
    std::vector<HookStatus> hooks;   ///< maybe of other families, too; empty where it does not load
};

/// `attach` attaches what the options ask for, takes it away again, and returns the hooks
/// that it had. This takes seconds by eBPF: each family is tried by itself only where all
/// together do not work.
std::vector<FamilyStatus> examine_families(
    const std::function<Result<std::vector<HookStatus>>(const Options&)>& attach);

}  // namespace ipcscope::source
