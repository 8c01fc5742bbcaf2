// SPDX-License-Identifier: GPL-2.0-only
#include "bench/model.hpp"

#include <fmt/format.h>

#include "bench/enum_names.hpp"

namespace ipcscope::bench {

std::string key(const Case& one)
{
    std::string key = fmt::format("{}/{}", one.mechanism, name_of(one.metric));
    const auto add = [&](std::string_view part) { key.append("/").append(part); };
    if (one.message_bytes != 0) add(format_size(one.message_bytes));
    // A call has one thread, so its placement needs no word unless it differs.
    if (one.metric != Metric::call || one.placement.distance != Distance::same_cpu)
        add(name_of(one.placement.distance));
    if (one.waiting != WaitMode::block) add(name_of(one.waiting));
    if (one.threads) add("threads");
    if (one.awake) add("awake");
    if (one.producers != 1 || one.consumers != 1)
        add(fmt::format("{}x{}", one.producers, one.consumers));
    if (one.rate_hz != 0) add(fmt::format("{}Hz", one.rate_hz));
    return key;
}

}  // namespace ipcscope::bench
