// SPDX-License-Identifier: GPL-2.0-only
// Processes that the kernel ended of its own accord.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "diagnose/death_story.hpp"

namespace ipcscope::diagnose {

/// It ended at once, and no process asked for it by a kill().  @return whether it is worth a finding
bool tell_cause(Story& story);

/// A pid namespace, a cgroup or a terminal ends many at once: the first ones have findings of
/// their own, the rest one for all of a kind.
class ManyAtOnce {
public:
    /// False: it is one of the rest.
    bool has_own_finding(const Story& story);
    void add_rest(Findings& findings) const;

private:
    static constexpr std::size_t kMostEach = 3;
    struct Group {
        std::size_t count = 0;
        std::uint64_t first_ns = 0;
        std::string sender;   ///< of the first of the rest
        std::vector<Subject> subjects;
    };
    std::map<std::pair<decode::Origin, unsigned>, Group> groups_;
};

}  // namespace ipcscope::diagnose
