// SPDX-License-Identifier: GPL-2.0-only
// What the HTML page is put together from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::render::html_parts {

/// Text for an element or an attribute; what it is given is safe text.
std::string escaped(std::string_view text);
/// "cat/812", escaped.
std::string task(const decode::Task& task);

/// The page's own; the policy has their hashes.
extern const std::string_view kStyle, kScript, kStyleHash, kScriptHash;

// Each is "" where there is nothing to show.
std::string timeline(const aggregate::Report& report, const diagnose::Findings& findings);
std::string wait_graph(const aggregate::Report& report);
std::string histograms(const aggregate::Report& report);
std::string tables(const aggregate::Report& report);

}  // namespace ipcscope::render::html_parts
