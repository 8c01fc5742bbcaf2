// SPDX-License-Identifier: GPL-2.0-only
// Help in 80 columns, and what was meant by a word that is none of ours.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace ipcscope::cli {

/// Wraps the descriptions of options and subcommands.
std::shared_ptr<CLI::FormatterBase> help_formatter();

/// The exit statuses, a line each.
std::string exit_statuses();

/// The candidate that differs least from `word`, by two letters at most; "": none.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

/// One line about a command line that was not understood: what of it, and what was meant,
/// where it looks like something that there is.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words);

}  // namespace ipcscope::cli
