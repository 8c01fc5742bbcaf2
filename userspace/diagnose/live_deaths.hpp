// SPDX-License-Identifier: GPL-2.0-only
// Which deaths a running trace shows, and when.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "aggregate/death.hpp"

namespace ipcscope::diagnose {

/// A process that got a signal which should end it, as it is to be shown.
struct LiveDeath {
    aggregate::Death death;
    /// It is still there so long after the first of its signals; 0: it has ended.
    std::uint64_t still_ns = 0;
    std::uint64_t at_ns = 0;   ///< it ended, or is still there
};

/// Of the deaths of one snapshot after the other those that are new: each as it ends, and
/// before that once, where the process is still there after a second.
class NewDeaths {
public:
    /// `slow_ns`: only those that take as long; 0: all.
    explicit NewDeaths(std::uint64_t slow_ns) : slow_ns_(slow_ns) {}

    /// `deaths`: of a report as of `now_ns`.  `last`: the trace has ended.
    /// @return in the order of at_ns, none later than known_until_ns(now_ns) before the end
    std::vector<LiveDeath> of(const std::vector<aggregate::Death>& deaths, std::uint64_t now_ns,
                              bool last);

    static constexpr std::size_t kMost = 65536;

private:
    /// As of `until_ns`.
    void add(const aggregate::Death& death, std::uint64_t until_ns, bool last,
             std::vector<LiveDeath>& fresh);

    enum class Shown : std::uint8_t { nothing, still, end };
    using Key = std::pair<std::uint32_t, std::uint64_t>;   ///< process, its first signal

    std::uint64_t slow_ns_;
    std::map<Key, Shown> shown_;
};

}  // namespace ipcscope::diagnose
