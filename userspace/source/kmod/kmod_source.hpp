// SPDX-License-Identifier: GPL-2.0-only
// The kernel module as a source of records.
#pragma once

#include <memory>

#include "source/options.hpp"
#include "source/source.hpp"

namespace ipcscope::source::kmod {

/// Attached on return; see Device::attach for the errors.
Result<std::unique_ptr<Source>> open_source(const Options& options);

/// Whether the module is loaded.
bool loaded();

}  // namespace ipcscope::source::kmod
