// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/mappings.hpp"

#include <algorithm>
#include <optional>

#include "source/proc_text.hpp"

namespace ipcscope::inspect {
namespace {

namespace proc = source::proc;

/// "7f00-7f10 rw-s 00000000 00:01 1025 /path"
std::optional<Mapping> parse(std::string_view line)
{
    const std::string_view range = proc::take_word(line);
    const std::string_view mode = proc::take_word(line);
    if (mode.size() != 4 || mode[1] != 'w' || mode[3] != 's') {
        return std::nullopt;
    }
    proc::take_word(line);   // offset
    const std::string_view device = proc::take_word(line);
    const std::string_view inode = proc::take_word(line);
    const auto dash = range.find('-'), colon = device.find(':');
    Mapping mapping;
    mapping.object.kind = Kind::shared_memory;
    std::uint64_t major = 0, minor = 0;
    if (dash == range.npos || colon == device.npos ||
        !proc::parse_number(range.substr(0, dash), mapping.begin, 16) ||
        !proc::parse_number(range.substr(dash + 1), mapping.end, 16) ||
        !proc::parse_number(device.substr(0, colon), major, 16) ||
        !proc::parse_number(device.substr(colon + 1), minor, 16) ||
        !proc::parse_number(inode, mapping.object.id) || mapping.object.id == 0) {
        return std::nullopt;
    }
    mapping.object.dev = major << 20 | minor;
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    mapping.name = line;
    return mapping;
}

}  // namespace

std::vector<Mapping> parse_mappings(std::string_view text)
{
    std::vector<Mapping> mappings;
    while (!text.empty()) {
        if (auto mapping = parse(proc::take_line(text))) {
            mappings.push_back(std::move(*mapping));
        }
    }
    return mappings;
}

}  // namespace ipcscope::inspect
