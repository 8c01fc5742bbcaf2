// SPDX-License-Identifier: GPL-2.0-only
// What to say of a command line that was not understood.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

namespace ipcscope::cli {

/// One line about `words`, which `app` refused with `error`: which of them is wrong, and what
/// was meant where it looks like something that exists. Its names are escaped.
std::string usage_message(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<std::string>& words);

/// "did you mean report?", of the candidate that looks like `word`; empty: none does.
std::string meant(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace ipcscope::cli
