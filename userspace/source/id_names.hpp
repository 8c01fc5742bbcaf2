// SPDX-License-Identifier: GPL-2.0-only
// Names of users and cgroups, each looked up as its number is first seen.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_set>

#include <ipcscope/record.h>

#include "base/fd.hpp"
#include "source/notes.hpp"

namespace ipcscope::source {

class IdNames {
public:
    IdNames();

    /// Of a THREAD or PROCESS record: appends a USER and a CGROUP record, with its time and
    /// thread, where either of its numbers is new and has a name.
    template <typename Record>
    void saw(const Record& record, Notes& notes)
    {
        saw(record.header, record.uid, record.cgroup, notes);
    }

private:
    void saw(const ipcscope_header& header, std::uint32_t uid, std::uint64_t cgroup,
             Notes& notes);
    std::string cgroup_path(std::uint64_t id) const;

    std::string mount_;                         ///< of cgroup v2; empty: none
    Fd cgroups_;
    std::map<std::uint32_t, std::string> users_;   ///< of /etc/passwd, not given yet
    std::unordered_set<std::uint64_t> seen_;    ///< cgroups
};

}  // namespace ipcscope::source
