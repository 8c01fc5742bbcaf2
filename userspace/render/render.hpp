// SPDX-License-Identifier: GPL-2.0-only
// Report → text or JSON; live events → one line each.
#pragma once

#include <optional>
#include <string>

#include "aggregate/report.hpp"

namespace ipcscope::render {

struct TextOptions {
    bool colour = false;
    bool histograms = true;
    std::size_t top = 20;       ///< rows per table; 0: all
    std::size_t width = 80;
};

/// The report for people.
std::string text(const aggregate::Report& report, const TextOptions& options = {});

/// The report as JSON, schema "ipcscope.report/1" (docs/json-schema.md).
std::string json(const aggregate::Report& report);

/// One event as a JSON object on one line (`ipcscope dump`): every field of
/// the contract by its name.
std::string json_line(const decode::Event& event);

/// Live output: lines under options.width columns.
struct LiveOptions {
    bool colour = false;
    bool wide = false;          ///< more columns than fit in 80
    bool signals = true;
    bool pipes = true;
    bool kills = true;
};

std::string live_header(const LiveOptions& options);
/// nullopt: not shown (of a family that was not asked for, or a part of
/// something else that is shown).
std::optional<std::string> live_line(const correlate::Interval& interval,
                                     std::uint64_t start_ns, const LiveOptions& options);
std::optional<std::string> live_line(const decode::Event& event,
                                     std::uint64_t start_ns, const LiveOptions& options);

/// "1.23 ms": three significant digits, SI units.
std::string duration(std::uint64_t ns);
/// "1.50 MiB"
std::string bytes(std::uint64_t bytes);

}  // namespace ipcscope::render
