// SPDX-License-Identifier: GPL-2.0-only
// Help in 80 columns.
#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

namespace ipcscope::cli {

/// Wraps the descriptions of options and subcommands.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// The exit statuses, a line each.
std::string exit_statuses();

}  // namespace ipcscope::cli
