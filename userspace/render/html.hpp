// SPDX-License-Identifier: GPL-2.0-only
// Report → one HTML file that loads nothing.
#pragma once

#include <string>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::render {

/// The whole page: findings, a timeline, who waits for whom, histograms, tables.  Its policy
/// lets nothing be loaded and nothing run but its own style and script, by their hashes.
std::string html(const aggregate::Report& report, const diagnose::Findings& findings);

/// The most rows of a table, lanes of the timeline, and processes of the graph.
inline constexpr std::size_t kMostHtmlRows = 500, kMostHtmlLanes = 40, kMostHtmlNodes = 14;

}  // namespace ipcscope::render
