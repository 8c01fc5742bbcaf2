// SPDX-License-Identifier: GPL-2.0-only
#include "cli/losses.hpp"

#include <array>

#include <fmt/format.h>

#include "decode/decode.hpp"
#include "base/units.hpp"

namespace ipcscope::cli {

std::uint64_t LossTracker::lost() const
{
    std::uint64_t lost = 0;
    for (const ipcscope_ledger& cpu : ledger_) {
        lost += cpu.lost;
    }
    return lost;
}

std::string LossTracker::summary() const
{
    if (lost() == 0) {
        return "nothing lost";
    }
    std::array<std::uint64_t, IPCSCOPE_LOST_COUNT> causes{};
    for (const ipcscope_ledger& cpu : ledger_) {
        for (const ipcscope_tally& tally : cpu.kind) {
            for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++) {
                causes[cause] += tally.lost[cause];
            }
        }
    }
    std::string parts;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++) {
        if (causes[cause] > 0) {
            parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ",
                                 grouped(causes[cause]), decode::loss_name(cause));
        }
    }
    return fmt::format("{} LOST ({})", grouped(lost()), parts);
}

int LossTracker::exit_status(int status, const std::string& on_loss) const
{
    return on_loss == "exit" && lost() > 0 ? static_cast<int>(Exit::lost) : status;
}

}  // namespace ipcscope::cli
