// SPDX-License-Identifier: GPL-2.0-only
// StatReport → text or JSON.
#pragma once

#include <string>

#include "aggregate/stat_report.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// "comm", "cgroup", "pid", "object", "none" for IPCSCOPE_STAT_BY_…
std::string_view stat_by_name(unsigned by);

/// Of an interval: a line of its times, and the table.  Of the whole trace: what was
/// traced, the table, the pairings of signals, and the ledger.
std::string stat_text(const aggregate::StatReport& report, const TextOptions& options);

/// One object on one line; the schema is "ipcscope.stat/1" (docs/stat.schema.json).
std::string stat_json(const aggregate::StatReport& report);

/// Of all that was counted, aggregated by nothing, comm or cgroup: Prometheus's text format.
std::string stat_prom(const aggregate::StatReport& report);

/// "pipe", "SIGUSR1": what an event is about.
std::string stat_about(const aggregate::StatLine& line);
/// "read", "sent", "taken"
std::string_view stat_operation(const aggregate::StatLine& line);
/// "ok", "again", "delivered", "handler", …
std::string_view stat_outcome(const aggregate::StatLine& line);
/// "flushed", … for IPCSCOPE_UNPAIRED_…
std::string_view unpaired_name(unsigned cause);

}  // namespace ipcscope::render
