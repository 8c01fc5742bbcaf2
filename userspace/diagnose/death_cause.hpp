// SPDX-License-Identifier: GPL-2.0-only
// Processes that ended at once, and who ended them: the kernel of its own accord, or another
// process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "diagnose/death_story.hpp"

namespace ipcscope::diagnose {

/// It ended at once, and no process asked for it by a kill().  @return whether it is worth a finding
bool tell_cause(Story& story);

/// It ended at once, by a signal of another process.  @return likewise
bool tell_sender(Story& story);

/// What it is where the OOM killer, a fault or its seccomp filter ended it, however long that took.
std::optional<Code> accident(const Story& story);
/// Adds to the last sentence, where it is the OOM killer's story, which memory had run out.
void add_memory(Story& story, std::string_view joint);

/// A pid namespace, a cgroup, a terminal or a process ends many at once: the first ones have
/// findings of their own, the rest one for all of a kind.
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
        std::vector<Subject> subjects;
    };
    /// By the code, the origin, and what is said of the rest: "ended by SIGTERM from 5 (a)".
    std::map<std::tuple<Code, decode::Origin, std::string>, Group> groups_;
};

}  // namespace ipcscope::diagnose
