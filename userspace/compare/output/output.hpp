// SPDX-License-Identifier: GPL-2.0-only
// What changed between two captures, as text and as data.
#pragma once

#include <cstddef>
#include <string>

#include "bench/output/output.hpp"
#include "compare/report_diff.hpp"

namespace ipcscope::compare {

/// `top`: rows in each table; 0: all.
std::string text(const ReportDiff& diff, const bench::TextOptions& options, std::size_t top);

/// Schema "ipcscope.diff/1" (docs/diff.md).
std::string json(const ReportDiff& diff);

}  // namespace ipcscope::compare
