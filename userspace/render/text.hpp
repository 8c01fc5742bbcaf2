// SPDX-License-Identifier: GPL-2.0-only
// The parts of the text report.  Each returns whole lines, or nothing where
// the report has nothing for it.
#pragma once

#include <string>
#include <vector>

#include "aggregate/report.hpp"
#include "render/layout.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// What every part needs.
struct Page {
    const aggregate::Report& report;
    const TextOptions& options;
    Style style;
    std::size_t width;

    std::uint64_t duration_ns() const;
    /// Rows to show of `size`.
    std::size_t top(std::size_t size) const;
    /// "… 12 more" where top() left some out.
    std::string more(std::size_t size) const;
    std::string title(const std::string& text) const { return style.bold(text) + '\n'; }
};

/// A sentence that answers a question, and the stack that belongs to it.
struct Finding {
    std::string text;                 ///< for wrap()
    std::vector<std::string> stack{};
    bool alarming = false;
};
using Findings = std::vector<Finding>;

/// Each appends, the worst first.
void find_kills(const Page& page, Findings& findings);
void find_ignored(const Page& page, Findings& findings);
void find_hangs(const Page& page, Findings& findings);
void find_slow_stages(const Page& page, Findings& findings);
void find_bad_signals(const Page& page, Findings& findings);
void find_small_rings(const Page& page, Findings& findings);

/// "yes(101) → head(102) → wc(103)", for wrap().
std::string chain(const Page& page, const aggregate::Pipeline& pipeline);

std::string kill_table(const Page& page);
std::string signal_table(const Page& page);
std::string latency_histograms(const Page& page);
std::string call_table(const Page& page);
std::string pipe_table(const Page& page);
std::string pipeline_tables(const Page& page);
std::string loss_section(const Page& page);

/// Signals of a row, whatever became of them.
std::uint64_t sent(const aggregate::SignalRow& row);

/// Events lost, all causes.
std::uint64_t total_lost(const aggregate::LossLedger& loss);

}  // namespace ipcscope::render
