// SPDX-License-Identifier: GPL-2.0-only
// Who a process was as it sent or got a signal that ends or stops a process.
#pragma once

#include <cstdint>
#include <vector>

#include "base/safe_text.hpp"
#include "decode/event.hpp"

namespace ipcscope::aggregate {

struct Ancestor {
    decode::Task task;             ///< tid = 0
    bool ended = false;            ///< before that moment: its children had another parent then
    friend bool operator==(const Ancestor&, const Ancestor&) = default;
};

struct Lineage {
    std::uint32_t tgid = 0;
    std::uint64_t at_ns = 0;       ///< from then on, until the next one of the same process
    bool known = false;            ///< uid, ns_pid, cgroup are
    std::uint32_t uid = 0;
    std::uint32_t ns_pid = 0;      ///< in its own pid namespace
    std::uint64_t cgroup = 0;
    SafeText user;                 ///< empty: not known, as the next two
    SafeText cgroup_path;
    SafeText command;              ///< its command line
    std::vector<Ancestor> ancestors;   ///< its parent first
    bool whole = false;            ///< up to init, or kthreadd
    friend bool operator==(const Lineage&, const Lineage&) = default;
};

}  // namespace ipcscope::aggregate
