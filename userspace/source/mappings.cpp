// SPDX-License-Identifier: GPL-2.0-only
#include "source/mappings.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::string_view kMemfd = "/memfd:";
constexpr std::string_view kSysv = "/SYSV";   ///< the key follows, 8 digits

/// "7f0000000000-7f0000001000"
bool parse_range(std::string_view range, Mapping& to)
{
    const std::size_t dash = range.find('-');
    return dash != range.npos && proc::parse_number(range.substr(0, dash), to.begin, 16) &&
           proc::parse_number(range.substr(dash + 1), to.end, 16);
}

/// "fd:01"
bool parse_device(std::string_view device, Mapping& to)
{
    const std::size_t colon = device.find(':');
    std::uint32_t major = 0, minor = 0;
    if (colon == device.npos || !proc::parse_number(device.substr(0, colon), major, 16) ||
        !proc::parse_number(device.substr(colon + 1), minor, 16)) {
        return false;
    }
    to.dev = major << 20 | minor;
    return true;
}

}  // namespace

std::string memory_name(std::string_view path)
{
    const bool deleted = path.ends_with(kDeleted);
    const std::string_view bare = path.substr(0, path.size() - (deleted ? kDeleted.size() : 0));
    if (!deleted) {
        return std::string(path);
    }
    if (bare == "/dev/zero") {
        return "anonymous shared memory";
    }
    if (bare.starts_with(kMemfd)) {
        return fmt::format("memfd {}", bare.substr(kMemfd.size()));
    }
    if (bare.starts_with(kSysv) && bare.size() == kSysv.size() + 8) {
        return fmt::format("System V shared memory, key 0x{}", bare.substr(kSysv.size()));
    }
    return std::string(path);
}

/// "7f00-7f10 rw-s 00000000 00:01 1025       /path"
std::optional<Mapping> parse_mapping(std::string_view line)
{
    Mapping mapping;
    const bool ranged = parse_range(proc::take_word(line), mapping);
    const std::string_view mode = proc::take_word(line);
    proc::take_word(line);   // offset
    if (!ranged || mode.size() != 4 || !parse_device(proc::take_word(line), mapping) ||
        !proc::parse_number(proc::take_word(line), mapping.inode)) {
        return std::nullopt;
    }
    mapping.writable = mode[1] == 'w';
    mapping.shared = mode[3] == 's';
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    mapping.name = memory_name(line);
    return mapping;
}

std::string find_mapping(std::string_view maps, std::uint64_t address)
{
    while (!maps.empty()) {
        const auto mapping = parse_mapping(proc::take_line(maps));
        if (mapping && mapping->holds(address)) {
            return mapping->name;
        }
    }
    return {};
}

std::string find_mapping(std::uint32_t pid, std::uint64_t address)
{
    std::ifstream file(fmt::format("/proc/{}/maps", pid));
    const std::string maps{std::istreambuf_iterator<char>(file), {}};
    return find_mapping(maps, address);
}

}  // namespace ipcscope::source
