// SPDX-License-Identifier: GPL-2.0-only
// The Unix-domain sockets of a network namespace, and with which each is connected:
// the kernel's socket diagnostics (sock_diag(7)).
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "inspect/process.hpp"

namespace ipcscope::inspect {

struct UnixEntry {
    Kind kind = Kind::unix_stream;
    std::string address;   ///< bytes: a path; abstract: it begins with a NUL; empty: none
    UnixSocket state;
};
/// By inode.
using UnixEntries = std::unordered_map<std::uint64_t, UnixEntry>;

/// Those of the network namespace of `process`, a /proc/PID.  Where the kernel has no
/// diagnostics (unix_diag), or its namespace may not be entered, `why` says so and what
/// /proc/PID/net/unix has is given: their kinds and addresses, no peers.
UnixEntries unix_sockets(const Fd& process, std::string& why);

}  // namespace ipcscope::inspect
