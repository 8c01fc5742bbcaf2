// SPDX-License-Identifier: GPL-2.0-only
// Reading the text of files in /proc.
#pragma once

#include <algorithm>
#include <charconv>
#include <string_view>
#include <system_error>

namespace ipcscope::source::proc {

/// The first line of `text`, which is taken off it.
inline std::string_view take_line(std::string_view& text)
{
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

/// The next word of `text`, which is taken off it; empty: there is none.
inline std::string_view take_word(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of(" \t\n"), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \t\n"));
    text.remove_prefix(word.size());
    return word;
}

/// False where `word` is no number as a whole.  In base 16 it may begin with 0x.
template <typename Number>
bool parse_number(std::string_view word, Number& to, int base = 10)
{
    if (base == 16 && word.starts_with("0x")) {
        word.remove_prefix(2);
    }
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), to, base);
    return error == std::errc{} && end == word.data() + word.size();
}

}  // namespace ipcscope::source::proc
