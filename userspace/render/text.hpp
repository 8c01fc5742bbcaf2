// SPDX-License-Identifier: GPL-2.0-only
// The parts of the text report.  Each returns whole lines, or nothing where
// the report has nothing for it.
#pragma once

#include <string>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"
#include "render/layout.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// What every part needs.
struct Page {
    const aggregate::Report& report;
    const diagnose::Findings& findings;
    const TextOptions& options;
    Style style;
    std::size_t width;

    std::uint64_t duration_ns() const;
    /// Rows to show of `size`.
    std::size_t top(std::size_t size) const;
    /// "… 12 more" where top() left some out.
    std::string more(std::size_t size) const;
    /// "… 12 other pipes" that have no row, and how to see them; "" where there are none.
    std::string others(std::size_t number, const char* what) const;
    std::string title(const std::string& text) const { return style.bold(text) + '\n'; }
};

std::string kill_table(const Page& page);
std::string signal_table(const Page& page);
std::string handler_table(const Page& page);
std::string latency_histograms(const Page& page);
std::string call_table(const Page& page);
std::string wait_table(const Page& page);
std::string pipe_table(const Page& page);
std::string object_table(const Page& page);
std::string socket_table(const Page& page);
/// "nginx/12, php/14" of those that hold it; "" where none is known.
std::string holders(const aggregate::SocketEnd& end);
std::string pipeline_tables(const Page& page);
std::string process_table(const Page& page);
std::string loss_section(const Page& page);

/// Columns RUNNING … OTHER, and their cells: shares of the span.
std::vector<Table::Column> time_columns();
std::vector<Table::Cell> time_cells(const aggregate::Time& time);

}  // namespace ipcscope::render
