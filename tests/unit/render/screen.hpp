// SPDX-License-Identifier: GPL-2.0-only
// What any output must be, whatever a process is called.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ipcscope::screen {

/// Empty where every line of `text` is valid UTF-8 of at most `width` columns
/// without control characters; else the first line that is not.
std::string bad_line(std::string_view text, std::size_t width);

}  // namespace ipcscope::screen
