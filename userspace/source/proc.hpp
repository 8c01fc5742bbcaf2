// SPDX-License-Identifier: GPL-2.0-only
// What /proc says of processes and threads, which may vanish at any moment.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ipcscope/record.h>

#include "base/fd.hpp"

namespace ipcscope::source::proc {

/// `path` relative to `directory`; an Fd that is false where it is gone.
Fd open_directory(int directory, const char* path);

/// The names of a directory's entries, but for "." and "..".
std::vector<std::string> names(const Fd& directory);

/// The entries of a directory whose names are numbers: PIDs, TIDs, descriptors.
std::vector<std::uint32_t> numbers(const Fd& directory);

/// What fits of a small file, in `buffer`; empty where it is gone or refused.
std::string_view read_file(const Fd& directory, const std::string& path, std::span<char> buffer);

/// PIDs of all processes.
std::vector<std::uint32_t> processes();

/// The path in the line of version 2 of a /proc/PID/cgroup; nullopt: there is none.
std::optional<std::string_view> unified_path(std::string_view text);

/// The mount point of cgroup v2, or "".
std::string cgroup_mount();

/// Calls `visit` for each cgroup below `mount`, and for itself, by its path ("/": the root);
/// where it says false, not for those below that one.
void for_each_cgroup(const std::string& mount,
                     const std::function<bool(const std::string& path)>& visit);

/// Cgroups of version 2: the inodes of their directories, by path.
class Cgroups {
public:
    Cgroups();
    /// `mount`: where the hierarchy is mounted.
    explicit Cgroups(std::string mount) : mount_(std::move(mount)) {}
    /// From the text of a /proc/PID/cgroup; 0: not known.
    std::uint64_t id_of(std::string_view text);
    /// Whether it is frozen, or to be; nullopt: not known.
    std::optional<bool> is_frozen(std::string_view text) const;

    /// Whether it is that of a directory, or below it.
    bool is_below(std::string_view text, const std::string& directory);

private:
    std::string mount_;                                      ///< empty: none
    std::map<std::string, std::uint64_t, std::less<>> ids_;  ///< by path
};

/// A THREAD record of a thread, but for its time and reason, from
/// `tasks`/TID; `tasks`: a /proc/PID/task.  nullopt: it is gone.
///
/// start_ns is 0: /proc gives it in ticks of CLOCK_BOOTTIME, the kernel's records
/// in nanoseconds of CLOCK_MONOTONIC, and the two cannot be made equal.
std::optional<ipcscope_thread> thread(const Fd& tasks, std::uint32_t tid, Cgroups& cgroups);

/// Whether a process has begun after a time (CLOCK_MONOTONIC): its number has been used
/// again.  `start_ticks`: of /proc/PID/stat.
bool began_after(std::uint64_t start_ticks, std::uint64_t time_ns);

/// Words of a /proc/PID/cmdline as a shell takes them, cut behind kMostCommand bytes.
std::string command_line(std::string_view text);
inline constexpr std::size_t kMostCommand = 512;

/// Its fields, from the text of a /proc/PID/task/TID/status.
std::optional<ipcscope_thread> parse_status(std::string_view text);

}  // namespace ipcscope::source::proc
