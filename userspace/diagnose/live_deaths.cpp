// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/live_deaths.hpp"

#include <algorithm>

#include "base/units.hpp"
#include "diagnose/death_effect.hpp"
#include "diagnose/known_until.hpp"

namespace ipcscope::diagnose {
namespace {

constexpr std::uint64_t kStill_ns = 1'000'000'000;

}  // namespace

bool is_ignored(const aggregate::Death& death)
{
    return std::ranges::all_of(death.sends, [](const aggregate::DeathSend& send) {
        return send.at(decode::Outcome::ignored) == send.count;
    });
}

bool was_handled(const aggregate::Death& death)
{
    return std::ranges::any_of(death.takings, [](const aggregate::DeathTaking& taking) {
        return taking.how == decode::How::handler;
    });
}

void NewDeaths::add(const aggregate::Death& death, std::uint64_t until_ns, bool last,
                    std::vector<LiveDeath>& fresh)
{
    const bool ended = death.gone_ns.has_value();
    const std::uint64_t at_ns = death.gone_ns.value_or(until_ns);
    const std::uint64_t age_ns = since(at_ns, death.first_ns());
    const bool shows = ended || last || age_ns >= kStill_ns;
    if (death.sends.empty() || at_ns > until_ns || age_ns < slow_ns_ || !shows) {
        return;
    }
    Shown& shown = shown_[{death.target.tgid, death.first_ns()}];
    const Shown now = ended ? Shown::end : Shown::still;
    if (shown < now) {
        shown = now;
        fresh.push_back({death, ended ? 0 : age_ns, at_ns});
    }
    if (shown_.size() > kMost) {
        shown_.erase(shown_.begin());
    }
}

std::vector<LiveDeath> NewDeaths::of(const std::vector<aggregate::Death>& deaths,
                                     std::uint64_t now_ns, bool last)
{
    std::vector<LiveDeath> fresh;
    for (const aggregate::Death& death : deaths) {
        add(death, last ? now_ns : known_until_ns(now_ns), last, fresh);
    }
    std::ranges::stable_sort(fresh, {}, &LiveDeath::at_ns);
    return fresh;
}

}  // namespace ipcscope::diagnose
