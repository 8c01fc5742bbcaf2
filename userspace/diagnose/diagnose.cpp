// SPDX-License-Identifier: GPL-2.0-only
#include "diagnose/diagnose.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "diagnose/kinds.hpp"

namespace ipcscope::diagnose {
namespace {

using Find = void (*)(const aggregate::Report&, Findings&);

constexpr std::array<Find, 4> kFinds{
    find_deaths, find_d_states, find_bad_signals, find_channels,
};

}  // namespace

Findings diagnose(const aggregate::Report& report)
{
    Findings found;
    for (const Find find : kFinds) {
        find(report, found);
    }
    std::ranges::stable_sort(found, [](const Finding& a, const Finding& b) {
        return std::tuple(a.severity, b.duration_ns) < std::tuple(b.severity, a.duration_ns);
    });
    return found;
}

std::optional<std::uint32_t> slow_stage_of(const aggregate::Pipeline& pipeline,
                                           const Findings& findings)
{
    for (const Finding& finding : findings) {
        if (finding.code != Code::slow_stage || finding.subjects.empty()) {
            continue;
        }
        const std::uint32_t slow = finding.subjects.front().task.tgid;
        const bool here = std::ranges::any_of(pipeline.stages, [&](const auto& stage) {
            return stage.task.tgid == slow;
        });
        if (here) {
            return slow;
        }
    }
    return std::nullopt;
}

}  // namespace ipcscope::diagnose
