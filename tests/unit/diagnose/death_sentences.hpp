// SPDX-License-Identifier: GPL-2.0-only
// Lives of processes from events, and what is said of them.
#pragma once

#include "../aggregate/deaths.hpp"
#include "base/units.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/words.hpp"

namespace ipcscope::diagnose::test {

using aggregate::test::kChld;
using aggregate::test::kCont;
using aggregate::test::kHup;
using aggregate::test::kInt;
using aggregate::test::kKill;
using aggregate::test::kMs;
using aggregate::test::kStop;
using aggregate::test::kTerm;
using aggregate::test::Life;

inline constexpr std::uint32_t kShell = 5, kApp = 6, kOther = 7;

inline constexpr Life::Send kHandled{.disposition = IPCSCOPE_DISPOSITION_HANDLER};
inline constexpr Life::Send kBlocked{.blocked = true};
inline constexpr Life::Send kIgnored{.result = IPCSCOPE_RESULT_IGNORED,
                              .disposition = IPCSCOPE_DISPOSITION_IGNORE};

struct DeathStory : Life {
    explicit DeathStory(std::vector<std::string> filters = {}) : Life(std::move(filters))
    {
        process(kShell, "bash");
        process(kApp, "app", kShell);
        process(kOther, "other");
    }
    Findings found(std::uint64_t end_ms) { return diagnose(report(end_ms)); }
    /// The one finding's text; of several all, of none nothing.
    std::string text(std::uint64_t end_ms)
    {
        std::string all;
        for (const Finding& finding : found(end_ms)) {
            all += all.empty() ? "" : "\n";
            all += std::string(info(finding.code).name) + ": " + finding.text;
        }
        std::ranges::replace(all, kGlue, ' ');
        return all;
    }
};

}  // namespace ipcscope::diagnose::test
