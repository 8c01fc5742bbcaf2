// SPDX-License-Identifier: GPL-2.0-only
// Until when what a running trace has shown is not changed by records that follow.
#pragma once

#include <cstdint>

#include "base/units.hpp"

namespace ipcscope::diagnose {

/// Records of what followed, such as an exit code, or who reaped a process, come a little later.
constexpr std::uint64_t known_until_ns(std::uint64_t now_ns) { return since(now_ns, 500'000'000); }

}  // namespace ipcscope::diagnose
