// SPDX-License-Identifier: GPL-2.0-only
// How tasks are called: in sentences, in tables, in chains.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decode/event.hpp"
#include "render/layout.hpp"

namespace ipcscope::render {

/// "812 (bash)", for wrap().
std::string who(const decode::Task& task);

/// Who caused a signal: "812 (bash)", "the kernel (in bash/812)", "a timer".
std::string sender(const decode::Task& task, decode::Origin origin);

/// bash/812
Table::Cell cell(const decode::Task& task);

/// bash/812, kernel:bash/812, timer
Table::Cell sender_cell(const decode::Task& task, decode::Origin origin);

/// "bash/812" in at most `width` columns.
std::string fit_task(const decode::Task& task, std::size_t width, const Style& style);

/// Where a task sleeps: the innermost entry that is not the scheduler's own,
/// which every stack has in common.
std::string_view sleeps_in(std::span<const std::string> stack);

}  // namespace ipcscope::render
