// SPDX-License-Identifier: GPL-2.0-only
// Standard output as it is: a terminal of some width, or a file.
#pragma once

#include <string_view>

#include <CLI/CLI.hpp>

#include "base/result.hpp"
#include "bench/output/output.hpp"
#include "render/render.hpp"

namespace ipcscope::cli {

/// Text as wide as the terminal, and in its colours; 80 columns elsewhere.
render::TextOptions text_options();

/// The same for tables of bench; in a file or a pipe none of their cells is cut.
bench::TextOptions table_options();

/// Of commands that print lines while they trace.
struct LineArguments {
    bool wide = false;
    bool wall_clock = false;
};
void declare_lines(CLI::App& app, LineArguments& arguments);

/// Lines of 80 columns, or of 120 where they shall be wide or where the terminal has as many.
render::LiveOptions live_options(const LineArguments& arguments);

/// print(), through a pager where standard output is a terminal that the text does not fit
/// on: the command in PAGER, else less, as git does.  "cat", or an empty one, is none.
Result<void> print_paged(std::string_view text);

}  // namespace ipcscope::cli
