// SPDX-License-Identifier: GPL-2.0-only
// Values of options that several commands have: times, lists of numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace ipcscope::cli {

/// A check of CLI11: "", or what is wrong with seconds such as 10 or 0.5.
std::string seconds_above_0(const std::string& text);

/// Likewise of a name or a pattern, which an unset variable of a shell leaves empty.
std::string not_empty(const std::string& text);

/// An option whose value is a time with its unit, as 100ms, 1.5s or 2min.
CLI::Option* declare_duration(CLI::App& app, const std::string& name, std::uint64_t& value_ns,
                              const std::string& text);

/// PIDs or TIDs with commas, or with spaces, as pidof prints them, between them.
void declare_numbers(CLI::App& app, const std::string& names, std::vector<std::uint32_t>& into,
                     const std::string& text, const std::string& type);

}  // namespace ipcscope::cli
