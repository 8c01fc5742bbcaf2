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

/// The kernel names a file for memory that has no path of its own.
std::string named(std::string_view path)
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

/// "7f0000000000-7f0000001000": from the first to before the last.
bool holds(std::string_view range, std::uint64_t address)
{
    const std::size_t dash = range.find('-');
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    return dash != range.npos && proc::parse_number(range.substr(0, dash), from, 16) &&
           proc::parse_number(range.substr(dash + 1), to, 16) && from <= address && address < to;
}

}  // namespace

std::string find_mapping(std::string_view maps, std::uint64_t address)
{
    while (!maps.empty()) {
        std::string_view line = proc::take_line(maps);
        if (!holds(proc::take_word(line), address)) {
            continue;
        }
        for (int word = 0; word < 4; ++word) {   // permissions, offset, device, inode
            proc::take_word(line);
        }
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        return named(line);
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
