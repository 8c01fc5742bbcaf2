// SPDX-License-Identifier: GPL-2.0-only
// Who holds the ends of a pipe, and which sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include <ipcscope/record.h>

#include "source/notes.hpp"
#include "source/proc.hpp"
#include "source/thread_sweep.hpp"
#include "source/unix_table.hpp"

namespace ipcscope::source {

/// An open end of a pipe or FIFO.
struct PipeEnd {
    std::uint32_t dev = 0;     ///< as the kernel's own dev_t, and records, have it
    std::uint64_t inode = 0;
    bool reads = false;
    bool writes = false;
    bool fifo = false;
    std::string target;        ///< "pipe:[12]", or the path of a FIFO
};

/// By the link `number` of a /proc/PID/fd; nullopt where it is something else, or closed.
std::optional<PipeEnd> find_pipe(const Fd& descriptors, const std::string& number);

/// The link of a /proc/PID/fd to an inode: its text, which is the name of a POSIX message
/// queue; empty where there is none.
std::string find_name(const Fd& descriptors, std::uint32_t dev, std::uint64_t inode);

/// The inode of the socket that the link is of; nullopt: it is of something else.
std::optional<std::uint64_t> find_socket(const Fd& descriptors, const std::string& number);

/// Finds the holders of pipes and of Unix-domain sockets, and the names of queues, by the
/// links in /proc/PID/fd.  Never opens one: an open end would keep the pipe alive and could
/// hang its users.
class Holders {
public:
    using Deadline = ThreadSweep::Deadline;

    /// `self`: processes that are never listed.  `sockets`: of them, too, and not of
    /// pipes alone.
    Holders(std::vector<std::uint32_t> self, proc::Cgroups& cgroups, ProcessNames& names,
            bool sockets = false);

    /// Appends a HOLDER record, of `time_ns`, for each holder of each object of the
    /// machine, until `deadline`.  @return whether all processes were looked at
    bool append_all(Notes& notes, std::uint64_t time_ns, Deadline deadline);

    /// A call was seen.  The holders of its object, and of the object at its other end,
    /// are looked up where this is the first one of it, or where it has not returned.
    void saw(const ipcscope_call& call);

    /// A process was made, or has ended.  One that lives on is looked at a little later: it
    /// may hang in its first call, of which there is no record before it returns.
    void born(std::uint32_t pid);
    void ended(std::uint32_t pid) { young_.erase(pid); }

    /// Appends a HOLDER record for each holder of each object to be looked up, and
    /// a THREAD record for one whose name the stream has not.  Walks all of /proc,
    /// so at most once a period; `now` regardless.  No time is later than `last_ns`.
    void append_seen(Notes& notes, bool now, std::uint64_t last_ns);

private:
    using Key = std::pair<std::uint32_t, std::uint64_t>;   ///< device (of sockets 0), inode
    struct Ends {
        bool reads = false;
        bool writes = false;
        std::uint8_t type = 0;   ///< IPCSCOPE_OBJECT_…
        std::string path;        ///< of a FIFO; a socket's address
    };

    bool is_self(std::uint32_t pid) const;
    /// No call on it was seen before.
    bool is_new(const Key& key, std::uint8_t type);
    void want(const Key& key, std::uint8_t type, bool unfinished);
    void hold(std::map<Key, Ends>& held, const Fd& process, const Fd& descriptors,
              const std::string& number);
    void append_young(Notes& notes, std::uint64_t last_ns);
    std::string name_of(const ipcscope_call& call);
    void append_named(Notes& notes, std::uint64_t last_ns);
    void scan_process(std::uint32_t pid, std::uint64_t time_ns,
                      const std::function<bool(const Key&)>& wanted, Notes& notes);

    std::vector<std::uint32_t> self_;
    proc::Cgroups& cgroups_;
    ProcessNames& names_;
    std::vector<std::uint32_t> processes_;   ///< of append_all(), to come
    bool listed_ = false;
    bool sockets_;
    UnixTables tables_;
    std::map<Key, std::uint8_t> known_;   ///< of which a call was seen: their types
    std::set<Key> wanted_;   ///< to be looked up
    std::vector<ipcscope_call> unnamed_;   ///< the first call on each queue, or futex
    std::map<std::uint64_t, std::string> memories_;   ///< that futexes are in: their names
    std::chrono::steady_clock::time_point next_{};
    std::unordered_set<std::uint32_t> young_;   ///< processes to be looked at
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::uint32_t>> births_;
};

}  // namespace ipcscope::source
