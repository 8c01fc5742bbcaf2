// SPDX-License-Identifier: GPL-2.0-only
#include "cli/descendants.hpp"

#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcscope::cli {
namespace {

constexpr std::size_t kMost = 4096;

std::vector<int> children_of(int pid)
{
    std::vector<int> children;
    std::error_code error;
    for (const auto& task : std::filesystem::directory_iterator(
             fmt::format("/proc/{}/task", pid), error)) {
        std::ifstream file(task.path() / "children");
        for (int child = 0; file >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

bool has_ended(const Fd& pidfd)
{
    pollfd waits{pidfd.get(), POLLIN, 0};
    return poll(&waits, 1, 0) == 1;
}

}  // namespace

void Descendants::find(int pid)
{
    std::vector<int> queue{pid};
    for (std::size_t at = 0; at < queue.size() && queue.size() < kMost; ++at) {
        for (const int child : children_of(queue[at])) {
            if (Fd pidfd(static_cast<int>(syscall(SYS_pidfd_open, child, 0))); pidfd) {
                pidfds_.push_back(std::move(pidfd));
                queue.push_back(child);
            }
        }
    }
}

void Descendants::send(int signal) const
{
    for (const Fd& pidfd : pidfds_) {
        syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
    }
}

bool Descendants::any_left()
{
    std::erase_if(pidfds_, has_ended);
    return !pidfds_.empty();
}

}  // namespace ipcscope::cli
