// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/live_deaths.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace ipcscope::diagnose {
namespace {

/// Records of what followed, such as its exit code, come a little later.
constexpr std::uint64_t kSettled_ns = 500'000'000;
constexpr std::uint64_t kStill_ns = 1'000'000'000;

}  // namespace

std::vector<LiveDeath> NewDeaths::of(const std::vector<aggregate::Death>& deaths,
                                     std::uint64_t now_ns, bool last)
{
    std::vector<LiveDeath> fresh;
    for (const aggregate::Death& death : deaths) {
        if (death.sends.empty()) {
            continue;
        }
        const std::uint64_t age_ns = since(death.gone_ns.value_or(now_ns), death.first_ns());
        const bool ended = death.gone_ns && (last || plus(*death.gone_ns, kSettled_ns) <= now_ns);
        const bool still = !death.gone_ns && (last || age_ns >= std::max(slow_ns_, kStill_ns));
        if (age_ns < slow_ns_ || (!ended && !still)) {
            continue;
        }
        Shown& shown = shown_[{death.target.tgid, death.first_ns()}];
        const Shown now = ended ? Shown::end : Shown::still;
        if (shown < now) {
            shown = now;
            fresh.push_back({death, ended ? 0 : age_ns});
        }
        if (shown_.size() > kMost) {
            shown_.erase(shown_.begin());
        }
    }
    return fresh;
}

}  // namespace ipcscope::diagnose
