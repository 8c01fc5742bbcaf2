// SPDX-License-Identifier: GPL-2.0-only
// The cgroups of containers and of systemd units, by what people call these.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "source/proc.hpp"

namespace ipcscope::source {

/// Directories of the cgroups that exist now, of each container and unit the outermost.
/// Exit::usage where there is none of one of them.
Result<std::vector<std::string>> find_places(const std::vector<std::string>& containers,
                                             const std::vector<std::string>& units,
                                             const std::string& mount = proc::cgroup_mount());

}  // namespace ipcscope::source
