// SPDX-License-Identifier: GPL-2.0-only
#include "source/selection.hpp"

#include <cerrno>

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::source {
namespace {

Result<void> check_tasks(const Filters& filters)
{
    for (std::uint32_t pid : filters.pids) {
        if (kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) {
            return fail(Exit::input, fmt::format("--pid {}: no such process", pid));
        }
    }
    for (std::uint32_t tid : filters.tids) {
        if (access(fmt::format("/proc/{}", tid).c_str(), F_OK) != 0) {
            return fail(Exit::input, fmt::format("--tid {}: no such thread", tid));
        }
    }
    return {};
}

Result<std::uint64_t> cgroup_id(const std::string& directory)
{
    struct stat info {};
    if (stat(directory.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
        return fail(Exit::usage,
                    fmt::format("--cgroup {}: no such directory; give a cgroup v2 directory "
                                "such as /sys/fs/cgroup/system.slice",
                                directory));
    }
    return info.st_ino;
}

}  // namespace

Result<Selection> select(const Options& options)
{
    const Filters& filters = options.filters;
    Selection selection;
    selection.signal_mask = filters.signals.empty() ? ~0ull : 0;
    for (unsigned signal : filters.signals) {
        selection.signal_mask |= 1ull << (signal - 1);
    }
    if (auto checked = check_tasks(filters); !checked) {
        return tl::unexpected<Error>(checked.error());
    }
    selection.tgids = filters.pids;
    selection.tids = filters.tids;
    selection.comms = filters.comms;
    for (const std::string& directory : filters.cgroups) {
        const auto id = cgroup_id(directory);
        if (!id) {
            return tl::unexpected<Error>(id.error());
        }
        selection.cgroups.push_back(*id);
    }
    selection.command = options.command_pid;
    const bool command = options.command_pid != 0;
    const bool only_command = command && filters.pids.empty() && filters.tids.empty();
    const bool named = !filters.comms.empty() || !filters.cgroups.empty();
    const auto must = [&](unsigned filter, bool match) {
        selection.must_match |= match ? 1u << filter : 0;
    };
    must(IPCSCOPE_FILTER_TGID, !filters.pids.empty() || only_command);
    must(IPCSCOPE_FILTER_TID, !filters.tids.empty());
    must(IPCSCOPE_FILTER_COMM, !filters.comms.empty());
    must(IPCSCOPE_FILTER_CGROUP, !filters.cgroups.empty());
    // All children of the command are its own already: --follow has no more to add.
    selection.follow = command && (named || !filters.follow) ? IPCSCOPE_FOLLOW_COMMAND
                       : filters.follow                      ? IPCSCOPE_FOLLOW_ALL
                                                             : IPCSCOPE_FOLLOW_NONE;
    return selection;
}

}  // namespace ipcscope::source
