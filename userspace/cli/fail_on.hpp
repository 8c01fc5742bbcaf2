// SPDX-License-Identifier: GPL-2.0-only
// --fail-on of report and trace.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "diagnose/fail_on.hpp"

namespace ipcscope::cli {

void declare_fail_on(CLI::App& app, std::string& text);

/// Of that option's text; of a code that does not exist the error proposes one that does.
Result<diagnose::FailOn> parse_fail_on(const std::string& text);

}  // namespace ipcscope::cli
