// SPDX-License-Identifier: GPL-2.0-only
// Report → findings.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/report.hpp"
#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// What the report proves: errors first, then warnings, then notes; of equals what cost
/// most time first.
Findings diagnose(const aggregate::Report& report);

/// The process that a finding calls the slow stage of the pipeline.
std::optional<std::uint32_t> slow_stage_of(const aggregate::Pipeline& pipeline,
                                           const Findings& findings);

/// A report with no signal, no call and no kill in it.
bool saw_nothing(const aggregate::Report& report);

/// Of such a report: what may be the reason, a sentence each.
std::vector<std::string> what_to_check(const aggregate::Report& report);

/// Of a report without findings: what was looked at.
std::string all_quiet(const aggregate::Report& report);

/// What to do about a cause of loss, by IPCSCOPE_LOST_.
std::string_view loss_advice(unsigned cause);

/// Events lost, all causes.
std::uint64_t total_lost(const aggregate::LossLedger& loss);

}  // namespace ipcscope::diagnose
