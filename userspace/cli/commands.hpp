// SPDX-License-Identifier: GPL-2.0-only
// The subcommands: each declares its options and returns what runs it.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.hpp"

namespace ipcscope::cli {

/// Where record writes and report reads by default.
inline constexpr const char kStandardCapture[] = "ipcscope.ipcs";

/// The exit status of a measurement that Ctrl-C ended.
inline constexpr Exit kInterrupted{128 + SIGINT};

/// Runs a parsed subcommand; returns the process's exit status.
using Run = std::function<int()>;

/// `command`: the words after "--", empty where there is none.
Run declare_record(CLI::App& app, std::vector<std::string> command);
Run declare_stat(CLI::App& app, std::vector<std::string> command);
Run declare_trace(CLI::App& app, std::vector<std::string> command);
Run declare_report(CLI::App& app);
Run declare_dump(CLI::App& app);
Run declare_export(CLI::App& app);
Run declare_kills(CLI::App& app, std::vector<std::string> command);
Run declare_pipes(CLI::App& app, std::vector<std::string> command);
Run declare_top(CLI::App& app, std::vector<std::string> command);
Run declare_inspect(CLI::App& app);
Run declare_doctor(CLI::App& app);
Run declare_bench(CLI::App& app);
Run declare_diff(CLI::App& app);
Run declare_selftest(CLI::App& app);
/// `app`: with all of them.
Run declare_completions(CLI::App& app);

/// The capture that is read, as a word, or by -i as perf has it.
void declare_input(CLI::App& app, std::string& file);

/// Names that --by of stat takes, and IPCSCOPE_STAT_BY_ of one of them; of another: _NONE.
std::vector<std::string> stat_by_names();
unsigned stat_by(const std::string& name);

/// Prints "ipcscope: …" on standard error, nothing where there is no message;
/// returns the exit status.
int print_error(const Error& error);

/// Writes `text` to standard error; errors are ignored.
void print_stderr(std::string_view text);

/// Writes all of `text` to standard output; a full disk or a closed pipe is an error,
/// shown by the exit status.
Result<void> print(std::string_view text);

/// Whether standard output is a terminal that shows colour / UTF-8.
bool colour_wanted();
bool utf8_wanted();

}  // namespace ipcscope::cli
