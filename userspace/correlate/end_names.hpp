// SPDX-License-Identifier: GPL-2.0-only
// How signals end, in words for all output.
#pragma once

#include <string_view>

#include "correlate/interval.hpp"

namespace ipcscope::correlate {

/// "handler", "default", …, "pending", "not_queued"
std::string_view end_name(End end);

}  // namespace ipcscope::correlate
