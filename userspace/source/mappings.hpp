// SPDX-License-Identifier: GPL-2.0-only
// What processes have mapped: /proc/PID/maps.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcscope::source {

/// A line of it.
struct Mapping {
    std::uint64_t begin = 0, end = 0;   ///< addresses: from the first to before the last
    bool writable = false;
    bool shared = false;
    std::uint32_t dev = 0;              ///< as the kernel's own dev_t
    std::uint64_t inode = 0;            ///< 0: of no file
    std::string name;                   ///< as memory_name() has it; empty: none

    bool holds(std::uint64_t address) const { return begin <= address && address < end; }
};

/// nullopt: it is no such line.
std::optional<Mapping> parse_mapping(std::string_view line);

/// Memory that has no path has a file's name all the same: "memfd NAME", "anonymous shared
/// memory", "System V shared memory, key 0x…"; other paths stay.
std::string memory_name(std::string_view path);

/// What is mapped there by its name; empty where nothing is, or the process is gone.
std::string find_mapping(std::uint32_t pid, std::uint64_t address);

/// The same from the text of the file.
std::string find_mapping(std::string_view maps, std::uint64_t address);

}  // namespace ipcscope::source
