// SPDX-License-Identifier: GPL-2.0-only
#include "bench/ipc_namespace.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

bool write_line(const char* path, const std::string& line)
{
    std::ofstream file(path);
    file << line << std::flush;
    return file.good();
}

}  // namespace

Result<void> enter_ipc_namespace()
{
    if (unshare(CLONE_NEWIPC) == 0) {
        return {};
    }
    const uid_t user = geteuid();
    const gid_t group = getegid();
    if (unshare(CLONE_NEWUSER | CLONE_NEWIPC) != 0) {
        return fail(Exit::permission,
                    fmt::format("--ipcns: unshare: {}; run as root, or allow user namespaces "
                                "(sysctl kernel.unprivileged_userns_clone=1, "
                                "user.max_user_namespaces=100)", std::strerror(errno)));
    }
    // setgroups must be denied before a group may be mapped without privilege.
    if (!write_line("/proc/self/setgroups", "deny") ||
        !write_line("/proc/self/uid_map", fmt::format("{0} {0} 1", user)) ||
        !write_line("/proc/self/gid_map", fmt::format("{0} {0} 1", group))) {
        return fail(Exit::permission, "--ipcns: cannot map the user; run as root");
    }
    return {};
}

}  // namespace ipcscope::bench
