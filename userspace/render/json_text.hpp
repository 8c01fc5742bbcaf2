// SPDX-License-Identifier: GPL-2.0-only
// Words that several outputs have in common.
#pragma once

#include <cstdint>
#include <string>

#include "aggregate/report.hpp"

namespace ipcscope::render {

/// "0:13": major and minor of the kernel's internal dev_t, whose minor has 20
/// bits (unlike the one that stat(2) returns).
std::string device(std::uint32_t dev);

/// "send", "get_signal"
const char* function_name(aggregate::KernelFunction function);

}  // namespace ipcscope::render
