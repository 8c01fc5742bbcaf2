// SPDX-License-Identifier: GPL-2.0-only
// Memory that a process may share with others: /proc/PID/maps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inspect/process.hpp"

namespace ipcscope::inspect {

/// A mapping that is shared, and may be written.
struct Mapping {
    std::uint64_t begin = 0, end = 0;   ///< addresses
    Object object;
    std::string name;   ///< bytes: "/dev/shm/ring", "/memfd:x (deleted)", …
};

std::vector<Mapping> parse_mappings(std::string_view text);

}  // namespace ipcscope::inspect
