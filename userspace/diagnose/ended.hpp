// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <algorithm>
#include <cstdint>

#include "aggregate/report.hpp"

namespace ipcscope::diagnose {

/// The process is known to have ended.
inline bool has_ended(const aggregate::Report& report, std::uint32_t tgid)
{
    const auto life = std::ranges::lower_bound(
        report.lives, tgid, {}, [](const aggregate::LifeRow& row) { return row.process.tgid; });
    return life != report.lives.end() && life->process.tgid == tgid && life->exit_ns != 0;
}

}  // namespace ipcscope::diagnose
