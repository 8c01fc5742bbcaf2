// SPDX-License-Identifier: GPL-2.0-only
// Names of what `ipcscope stat` aggregates by.
#pragma once

#include <cstdint>
#include <map>

#include <ipcscope/stat.h>

#include "base/safe_text.hpp"

namespace ipcscope::source {

/// A process's name is that which it has when it is first asked for; a cgroup's is its
/// path below the mount point.
class StatNames {
public:
    /// `by`: IPCSCOPE_STAT_BY_…
    explicit StatNames(unsigned by) : by_(by) {}

    /// Empty where there is none: it is gone, or it is an object.
    SafeText of(const ipcscope_stat_key& key);

private:
    SafeText process(std::uint64_t pid);
    SafeText cgroup(std::uint64_t id);
    void find_cgroups();

    unsigned by_;
    std::map<std::uint64_t, SafeText> known_;   ///< by id
};

}  // namespace ipcscope::source
