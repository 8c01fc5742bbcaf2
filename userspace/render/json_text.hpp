// SPDX-License-Identifier: GPL-2.0-only
// Words that the JSON of reports and of events have in common.
#pragma once

#include <cstdint>
#include <string>

#include "decode/event.hpp"

namespace ipcscope::render {

/// "task", "kernel", "timer"
const char* origin_name(decode::Origin origin);

/// "0:13": major and minor of the kernel's internal dev_t, whose minor has 20
/// bits (unlike the one that stat(2) returns).
std::string device(std::uint32_t dev);

}  // namespace ipcscope::render
