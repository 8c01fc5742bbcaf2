// SPDX-License-Identifier: GPL-2.0-only
// Why the kernel sent a signal, by the functions that called its send core.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ipcscope::source {

/// IPCSCOPE_ORIGIN_… of the innermost caller that the table of functions knows; `origin`
/// where it knows none.  `callers`: "isig+0x46", innermost first.
std::uint8_t origin_by_callers(std::span<const std::string> callers, std::uint8_t origin);

}  // namespace ipcscope::source
