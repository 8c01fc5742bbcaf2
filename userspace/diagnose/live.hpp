// SPDX-License-Identifier: GPL-2.0-only
// Which findings a running trace may show.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "diagnose/finding.hpp"

namespace ipcscope::diagnose {

/// Of the findings of one snapshot after the other those that are new: each as it begins
/// to stand, and once more as what it is about has ended.
class NewFindings {
public:
    /// `findings`: of a report as of `now_ns`.
    Findings of(const Findings& findings, std::uint64_t now_ns);

    static constexpr std::size_t kMost = 65536;

private:
    using Key = std::tuple<Code, std::uint32_t, std::uint64_t>;   ///< process, its begin
    std::map<Key, bool> shown_;   ///< whether it had ended
};

}  // namespace ipcscope::diagnose
