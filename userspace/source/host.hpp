// SPDX-License-Identifier: GPL-2.0-only
// The machine we run on, and the filters, as a capture remembers them.
#pragma once

#include "source/options.hpp"
#include "source/source.hpp"

namespace ipcscope::source {

/// Everything in Host that does not depend on the backend.
Host this_host(const Options& options);

}  // namespace ipcscope::source
