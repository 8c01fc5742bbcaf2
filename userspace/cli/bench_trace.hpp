// SPDX-License-Identifier: GPL-2.0-only
// bench --trace: measures the same round trips again, traced.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "bench/model.hpp"
#include "bench/runner.hpp"

namespace ipcscope::cli {

/// The mechanisms that a family of hooks sees.
std::vector<std::string> traceable_mechanisms();

/// Runs those cases of `run` again, traced, and sets their `kernel`.
/// Exit::permission, Exit::kernel: nothing can be traced here.
Result<void> add_kernel_views(bench::Run& run, const bench::Options& options,
                              bench::Progress& progress);

}  // namespace ipcscope::cli
