// SPDX-License-Identifier: GPL-2.0-only
// bench --trace: the same round trips once more, with the kernel looking on.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "bench/model.hpp"
#include "bench/runner.hpp"

namespace ipcscope::cli {

/// The mechanisms on whose way the kernel has hooks.
std::vector<std::string> names_with_kernel_view();

/// Runs those cases of `run` again, traced, and sets their `kernel`.
/// Exit::permission, Exit::kernel: nothing can be traced here.
Result<void> add_kernel_views(bench::Run& run, const bench::Options& options,
                              bench::Progress& progress);

}  // namespace ipcscope::cli
