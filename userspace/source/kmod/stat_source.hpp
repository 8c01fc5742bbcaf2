// SPDX-License-Identifier: GPL-2.0-only
// The kernel module's sums.
#pragma once

#include <memory>

#include "source/options.hpp"
#include "source/stat.hpp"

namespace ipcscope::source::kmod {

/// Attached on return; `options` have a `stat`.  See Device::attach for the errors.
Result<std::unique_ptr<StatSource>> open_stat(const Options& options);

}  // namespace ipcscope::source::kmod
