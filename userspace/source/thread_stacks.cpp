// SPDX-License-Identifier: GPL-2.0-only
#include "source/thread_stacks.hpp"

#include <array>
#include <csignal>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::source {
namespace {

struct Request {
    std::uint32_t tgid;
    std::uint32_t tid;
    ThreadStacks::File file;
};

constexpr std::size_t kMaxText = 8192;

[[noreturn]] void serve(int socket, const std::string& root)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // Ctrl-C is for the collector, which ends us by closing its side.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
    Request request{};
    std::array<char, kMaxText> text;
    while (recv(socket, &request, sizeof request, 0) == sizeof request) {
        const bool stack = request.file == ThreadStacks::File::stack;
        const auto path = fmt::format("{}/{}/task/{}/{}", root, request.tgid, request.tid,
                                      stack ? "stack" : "syscall");
        const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
        const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : 0;
        // At least one byte: an empty packet would look like the end.
        const std::size_t length = size > 0 ? static_cast<std::size_t>(size) : 1;
        if (size <= 0) text[0] = '\n';
        if (send(socket, text.data(), length, MSG_NOSIGNAL) < 0) break;
    }
    _exit(0);
}

}  // namespace

ThreadStacks::ThreadStacks(const std::string& root)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return;
    Fd ours(ends[0]), theirs(ends[1]);
    child_ = fork();
    if (child_ == 0) {
        ours.reset();
        serve(theirs.get(), root);
    }
    if (child_ < 0) return;
    // A stack that takes longer than this is not worth the trace's delay.
    const timeval limit{2, 0};
    setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    socket_ = std::move(ours);
}

ThreadStacks::~ThreadStacks()
{
    // A close is not enough: a helper that was forked after ours has our end, too.
    if (socket_) shutdown(socket_.get(), SHUT_RDWR);
    socket_.reset();
    if (child_ > 0) waitpid(child_, nullptr, 0);
}

std::string ThreadStacks::read(std::uint32_t tgid, std::uint32_t tid, File file)
{
    const Request request{tgid, tid, file};
    std::array<char, kMaxText> text;
    if (!socket_ || send(socket_.get(), &request, sizeof request, MSG_NOSIGNAL) < 0) return {};
    const ssize_t size = recv(socket_.get(), text.data(), text.size(), 0);
    if (size <= 0) {
        socket_.reset();   // an answer that came later would be another's
        return {};
    }
    return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace ipcscope::source
