// SPDX-License-Identifier: GPL-2.0-only
#include "screen.hpp"

#include <utf8proc.h>

namespace ipcscope::screen {
namespace {

/// Columns, or -1: not by the code under test.
long columns(std::string_view line)
{
    long sum = 0;
    while (!line.empty()) {
        utf8proc_int32_t point = 0;
        const auto size = utf8proc_iterate(
            reinterpret_cast<const utf8proc_uint8_t*>(line.data()),
            static_cast<utf8proc_ssize_t>(line.size()), &point);
        if (size <= 0 || point < ' ' || (point >= 0x7f && point < 0xa0)) return -1;
        sum += utf8proc_charwidth(point);
        line.remove_prefix(static_cast<std::size_t>(size));
    }
    return sum;
}

}  // namespace

std::string bad_line(std::string_view text, std::size_t width)
{
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const long used = columns(line);
        if (used < 0 || static_cast<std::size_t>(used) > width) return std::string(line);
    }
    return {};
}

}  // namespace ipcscope::screen
