// SPDX-License-Identifier: GPL-2.0-only
// The end of a program whose reader has gone (`| head`): no message, and the status that a
// shell reports of one that SIGPIPE ended.
#pragma once

#include <csignal>

#include "base/result.hpp"

namespace ipcscope {

inline constexpr Exit kClosedPipe{128 + SIGPIPE};

inline Error closed_pipe() { return {kClosedPipe, {}}; }

}  // namespace ipcscope
