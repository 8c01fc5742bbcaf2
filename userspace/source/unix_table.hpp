// SPDX-License-Identifier: GPL-2.0-only
// Addresses of Unix-domain sockets: /proc/PID/net/unix.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/fd.hpp"

namespace ipcscope::source {

struct UnixSocket {
    std::uint8_t type = 0;   ///< IPCSCOPE_OBJECT_UNIX_…
    /// A path; or abstract, with '@' for its first byte and for each NUL.  Empty: it has
    /// none, or which one is not known.
    std::string address;
};

/// By inode.
using UnixTable = std::unordered_map<std::uint64_t, UnixSocket>;

/// The kernel writes an address as it is, newlines too: what follows one can look like
/// another socket's line.  Of sockets with two lines none is believed.
UnixTable parse_unix_table(std::string_view text);

/// The sockets of the network namespace of `process`, a /proc/PID.
UnixTable read_unix_table(const Fd& process);

/// The sockets of each network namespace, of one look at /proc.
class UnixTables {
public:
    /// A socket that is of the network namespace of `process`, a /proc/PID; nullptr: it
    /// is another's, or no Unix-domain socket.
    const UnixSocket* find(const Fd& process, std::uint64_t inode);
    /// The next look reads them anew.
    void forget() { tables_.clear(); }

private:
    std::map<std::uint64_t, UnixTable> tables_;   ///< by the namespace's inode
};

}  // namespace ipcscope::source
