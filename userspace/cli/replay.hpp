// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>

#include "base/result.hpp"
#include "source/source.hpp"

namespace ipcscope::cli {

/// Passes a whole capture file to `sink`.
/// @return why it is incomplete; empty where it ended in order
Result<std::string> replay(const std::string& file, source::Sink& sink);

}  // namespace ipcscope::cli
