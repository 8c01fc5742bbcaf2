// SPDX-License-Identifier: GPL-2.0-only
// Who holds the ends of a pipe.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include <ipcscope/record.h>

namespace ipcscope::source {

/// Finds the holders of pipes by reading the links in /proc/PID/fd.  Never
/// opens one: an open end would keep the pipe alive and could hang its users.
class PipeEnds {
public:
    explicit PipeEnds(std::uint32_t self_tgid) : self_tgid_(self_tgid) {}

    /// A call on a pipe was seen.
    void saw(const ipcscope_pipe_op& call);

    /// Appends an IPCSCOPE_PIPE_END record for each holder of each pipe that
    /// was seen for the first time.  Looks at most once a period, since it
    /// walks all of /proc; `now` regardless.
    void append_notes(std::vector<std::byte>& notes, bool now);

private:
    using Key = std::pair<std::uint32_t, std::uint64_t>;   ///< device, inode

    void scan_process(std::uint32_t pid, std::vector<std::byte>& notes) const;

    std::uint32_t self_tgid_;
    std::set<Key> known_;
    std::set<Key> wanted_;
    std::chrono::steady_clock::time_point next_{};
};

}  // namespace ipcscope::source
