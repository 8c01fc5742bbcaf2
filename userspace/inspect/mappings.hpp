// SPDX-License-Identifier: GPL-2.0-only
// Memory that a process may share with others.
#pragma once

#include <string_view>
#include <vector>

#include "inspect/process.hpp"
#include "source/mappings.hpp"

namespace ipcscope::inspect {

using source::Mapping;

/// Of the text of a /proc/PID/maps those that are shared, and may be written.
std::vector<Mapping> shared_mappings(std::string_view maps);

inline Object object_of(const Mapping& mapping)
{
    return {Kind::shared_memory, mapping.dev, mapping.inode};
}

}  // namespace ipcscope::inspect
