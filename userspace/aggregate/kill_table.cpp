// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/kill_table.hpp"

#include <algorithm>

namespace ipcscope::aggregate {
namespace {

using correlate::KillInterval;

/// What never died took longest.
bool longer(const KillInterval& a, const KillInterval& b)
{
    return a.time_to_die_ns().value_or(UINT64_MAX) > b.time_to_die_ns().value_or(UINT64_MAX);
}

}  // namespace

void KillTable::add(const KillInterval& kill)
{
    if (kills_.size() < kMostKills) {
        kills_.push_back(kill);
        if (kills_.size() == kMostKills) std::make_heap(kills_.begin(), kills_.end(), longer);
        return;
    }
    ++evicted_;
    if (!longer(kill, kills_.front())) return;
    std::pop_heap(kills_.begin(), kills_.end(), longer);
    kills_.back() = kill;
    std::push_heap(kills_.begin(), kills_.end(), longer);
}

std::vector<KillInterval> KillTable::rows() const
{
    std::vector<KillInterval> out = kills_;
    std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) {
        return a.sent_ns < b.sent_ns;
    });
    return out;
}

}  // namespace ipcscope::aggregate
