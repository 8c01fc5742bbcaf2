// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/slow_files.hpp"

#include <algorithm>
#include <array>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ipcscope::inspect {
namespace {

struct Request {
    std::array<char, 64> path;   ///< ends with a NUL
    std::uint64_t offset;
    std::uint64_t size;
};

std::string contents(const Request& request)
{
    const Fd file(open(request.path.data(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 65536> part;
    while (file && text.size() < request.size) {
        const std::size_t wanted = std::min<std::size_t>(part.size(), request.size - text.size());
        const ssize_t size = pread(file.get(), part.data(), wanted,
                                   static_cast<off_t>(request.offset + text.size()));
        if (size <= 0) {
            break;
        }
        text.append(part.data(), static_cast<std::size_t>(size));
    }
    return text;
}

bool send_all(int socket, const char* data, std::size_t size)
{
    while (size > 0) {
        const ssize_t sent = send(socket, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        data += sent;
        size -= static_cast<std::size_t>(sent);
    }
    return true;
}

[[noreturn]] void serve(int socket)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Request request{};
    while (recv(socket, &request, sizeof request, MSG_WAITALL) == sizeof request) {
        const std::string text = contents(request);
        const std::uint64_t size = text.size();
        if (!send_all(socket, reinterpret_cast<const char*>(&size), sizeof size) ||
            !send_all(socket, text.data(), text.size())) {
            break;
        }
    }
    _exit(0);
}

}  // namespace

SlowFiles::~SlowFiles() { stop(); }

bool SlowFiles::start()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }
    Fd ours(ends[0]), theirs(ends[1]);
    child_ = fork();
    if (child_ == 0) {
        ours.reset();
        serve(theirs.get());
    }
    const timeval limit{1, 0};
    setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    socket_ = std::move(ours);
    return child_ > 0;
}

/// Its waits can be interrupted by SIGKILL.
void SlowFiles::stop()
{
    socket_.reset();
    if (child_ > 0) {
        kill(child_, SIGKILL);
        waitpid(child_, nullptr, 0);
    }
    child_ = -1;
}

bool SlowFiles::receive(void* to, std::size_t size)
{
    auto* at = static_cast<char*>(to);
    while (size > 0) {
        const ssize_t got = recv(socket_.get(), at, size, 0);
        if (got <= 0) {
            return false;
        }
        at += got;
        size -= static_cast<std::size_t>(got);
    }
    return true;
}

std::optional<std::string> SlowFiles::read(const std::string& path, std::uint64_t offset,
                                           std::uint64_t size)
{
    Request request{{}, offset, size};
    if (path.size() >= request.path.size() || (!socket_ && !start())) {
        return std::string();
    }
    std::ranges::copy(path, request.path.begin());
    std::uint64_t length = 0;
    std::string text;
    if (send_all(socket_.get(), reinterpret_cast<const char*>(&request), sizeof request) &&
        receive(&length, sizeof length)) {
        text.resize(std::min(length, kMost));
        if (receive(text.data(), text.size())) {
            return text;
        }
    }
    stop();
    return std::nullopt;
}

}  // namespace ipcscope::inspect
