// SPDX-License-Identifier: GPL-2.0-only
#include "base/safe_text.hpp"

#include <algorithm>

#include <utf8proc.h>

namespace ipcscope {
namespace {

/// Marks on one base character that we print: enough for any script, too few to
/// paint over the lines above and below.
constexpr unsigned kMarksPerBase = 4;

struct CodePoint {
    utf8proc_int32_t value = -1;  ///< negative: not valid UTF-8
    std::size_t bytes = 1;
};

CodePoint first_code_point(std::string_view bytes)
{
    CodePoint point;
    const auto used =
        utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                         static_cast<utf8proc_ssize_t>(bytes.size()), &point.value);
    if (used > 0 && point.value >= 0) return {point.value, static_cast<std::size_t>(used)};
    return {};
}

bool is_mark(utf8proc_int32_t point)
{
    const auto category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_MC ||
           category == UTF8PROC_CATEGORY_ME;
}

/// A character that shows as itself.  Default-ignorable ones (fillers,
/// variation selectors) are letters or marks by category, but invisible.
bool is_printable(utf8proc_int32_t point)
{
    if (point == ' ') return true;
    if (utf8proc_get_property(point)->ignorable) return false;
    switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZS:  // other spaces look like a space
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP: return false;
    default: return true;
    }
}

void append_escaped(std::string& out, std::string_view bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "\\x";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
}

}  // namespace

SafeText SafeText::escape(std::string_view bytes)
{
    std::string out;
    out.reserve(bytes.size());
    // A mark joins what is printed before it, so one without a base of its own
    // would change our text.
    unsigned marks_left = 0;
    while (!bytes.empty()) {
        const CodePoint point = first_code_point(bytes);
        const std::string_view character = bytes.substr(0, point.bytes);
        bytes.remove_prefix(point.bytes);

        const bool mark = point.value >= 0 && is_mark(point.value);
        if (point.value < 0 || !is_printable(point.value) || (mark && marks_left == 0)) {
            append_escaped(out, character);
            marks_left = 0;
        } else if (character == "\\") {
            out += "\\\\";
            marks_left = 0;
        } else {
            out += character;
            marks_left = mark ? marks_left - 1 : kMarksPerBase;
        }
    }
    return SafeText(std::move(out));
}

SafeText SafeText::name(std::span<const char> bytes)
{
    const auto end = std::find(bytes.begin(), bytes.end(), '\0');
    return escape({bytes.data(), static_cast<std::size_t>(end - bytes.begin())});
}

std::size_t SafeText::width() const
{
    std::size_t columns = 0;
    std::string_view rest = text_;
    while (!rest.empty()) {
        const CodePoint point = first_code_point(rest);
        rest.remove_prefix(point.bytes);
        columns += static_cast<std::size_t>(utf8proc_charwidth(point.value));
    }
    return columns;
}

}  // namespace ipcscope
