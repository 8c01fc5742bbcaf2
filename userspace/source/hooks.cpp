// SPDX-License-Identifier: GPL-2.0-only
#include "source/hooks.hpp"

#include <fmt/format.h>

namespace ipcscope::source {

std::string describe(const HookStatus& hook)
{
    return hook.attached ? fmt::format("{}: {} ({})", hook.name, hook.target, hook.mechanism)
                         : fmt::format("{}: not hooked, {}", hook.name, hook.why);
}

std::vector<FamilyStatus> examine_families(
    const std::function<Result<std::vector<HookStatus>>(const Options&)>& attach)
{
    const auto try_families = [&](FamilyMask wanted) {
        Options options;
        options.families = wanted;
        options.ring_bytes = 4096;
        return attach(options);
    };
    const auto together = try_families(IPCSCOPE_FAMILY_HOOKED);
    std::vector<FamilyStatus> families;
    for (const Family& family : kFamilies) {
        if (!family.hooked()) {
            continue;
        }
        auto hooks = together ? together : try_families(family.mask());
        FamilyStatus status{family, hooks.has_value(), {}, Exit::ok, {}};
        if (hooks) {
            status.hooks = std::move(*hooks);
        } else {
            status.why = hooks.error().message;
            status.code = hooks.error().code;
        }
        families.push_back(std::move(status));
    }
    return families;
}

}  // namespace ipcscope::source
