// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/in_namespace.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <fmt/format.h>

namespace ipcscope::inspect {

Result<void> in_namespace(const Fd& process, const char* name, const std::function<void()>& look)
{
    const std::string path = fmt::format("ns/{}", name);
    const Fd own(open(("/proc/self/" + path).c_str(), O_RDONLY | O_CLOEXEC));
    const Fd other(openat(process.get(), path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat ours {}, theirs {};
    if (!other || fstat(own.get(), &ours) != 0 || fstat(other.get(), &theirs) != 0) {
        return fail(Exit::permission,
                    fmt::format("its {} namespace: {}", name, std::strerror(errno)));
    }
    const bool same = ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
    if (!same && setns(other.get(), 0) != 0) {
        return fail(Exit::permission, fmt::format("its {} namespace cannot be entered: {}", name,
                                                  std::strerror(errno)));
    }
    look();
    if (!same && setns(own.get(), 0) != 0) {
        std::abort();   // what would be looked at next would be another machine's
    }
    return {};
}

}  // namespace ipcscope::inspect
