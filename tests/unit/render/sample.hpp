// SPDX-License-Identifier: GPL-2.0-only
// Small reports made by hand, each for one question that users ask.
#pragma once

#include "aggregate/report.hpp"
#include "render/render.hpp"

namespace ipcscope::sample {

decode::Task task(std::uint32_t tgid, std::string_view comm);

/// A complete trace of 20 s in which nothing happened, with an even ledger.
aggregate::Report empty();

aggregate::Report stuck_kills();      ///< why did kill -9 take so long
aggregate::Report container_stop();   ///< why does docker stop wait
aggregate::Report slow_pipeline();    ///< which stage stalls
aggregate::Report poll_stage();       ///< a stage that waits in poll() is not slow
aggregate::Report filtered();         ///< what other processes did is not in the trace
aggregate::Report bad_signals();      ///< overflow, merged, late, pending
aggregate::Report lossy();            ///< events lost, capture cut
aggregate::Report everything();       ///< all of them at once
aggregate::Report quiet();            ///< events, and no finding

/// Names of wide characters, 7-digit pids, every counter at its maximum, and
/// more rows than a table shows.
aggregate::Report extreme();

/// The report as text, as JSON, with what diagnose() finds in it.
std::string text(const aggregate::Report& report, const render::TextOptions& options = {});
std::string json(const aggregate::Report& report);

}  // namespace ipcscope::sample
