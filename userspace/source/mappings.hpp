// SPDX-License-Identifier: GPL-2.0-only
// What processes have mapped.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipcscope::source {

/// What is mapped there: a path, "memfd NAME", "anonymous shared memory", "System V shared
/// memory, key 0x…"; empty where nothing is, or the process is gone.
std::string find_mapping(std::uint32_t pid, std::uint64_t address);

/// The same from the text of a /proc/PID/maps.
std::string find_mapping(std::string_view maps, std::uint64_t address);

}  // namespace ipcscope::source
