// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/call_sleeps.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace ipcscope::aggregate {

std::vector<Sleep> call_sleeps(const std::vector<Sleep>& slices, const decode::Event& event,
                               const decode::Call& call)
{
    std::vector<Sleep> all;
    std::uint64_t rest_ns = call.blocked_ns;
    for (const Sleep& slice : slices) {
        const std::uint64_t ns = slice.end_ns - slice.start_ns;
        if (slice.start_ns >= call.enter_ns && slice.end_ns <= event.time_ns && ns <= rest_ns) {
            all.push_back(slice);
            rest_ns -= ns;
        }
    }
    if (rest_ns == 0) {
        return all;
    }
    const std::uint64_t woken_ns = event.time_ns - std::min<std::uint64_t>(
        event.unfinished ? 0 : call.woken_before_ns, event.time_ns);
    const bool covered = !all.empty() && all.back().end_ns >= woken_ns;
    const std::uint64_t end_ns = covered ? all.front().start_ns : woken_ns;
    const Sleep rest{since(end_ns, rest_ns), end_ns, call.waker_tid, call.sleeps > all.size() + 1};
    all.insert(covered ? all.begin() : all.end(), rest);
    return all;
}

}  // namespace ipcscope::aggregate
