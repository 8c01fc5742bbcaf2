// SPDX-License-Identifier: GPL-2.0-only
#include "bench/mechanisms/pipe_pair.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::bench {

std::size_t Pipe::capacity() const
{
    const int bytes = fcntl(writer.get(), F_GETPIPE_SZ);
    return bytes > 0 ? static_cast<std::size_t>(bytes) : PIPE_BUF;
}

Result<Pipe> make_pipe(int flags)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | flags) != 0) {
        return fail(Exit::kernel, fmt::format("pipe2: {}; raise ulimit -n",
                                              std::strerror(errno)));
    }
    return Pipe{Fd(fds[0]), Fd(fds[1])};
}

Result<void> check_not_mixed(const Setup& setup)
{
    if (setup.producers + setup.consumers > 2 && setup.message_bytes > PIPE_BUF) {
        return fail(Exit::usage, fmt::format("a pipe with several producers or consumers "
                                             "takes messages of up to {} bytes", PIPE_BUF));
    }
    return {};
}

int PipePair::drained()
{
    for (const Pipe& pipe : pipes_) {
        char byte = 0;
        fcntl(pipe.reader.get(), F_SETFL, O_NONBLOCK);
        if (read(pipe.reader.get(), &byte, 1) > 0) {
            return EBADMSG;
        }
    }
    return 0;
}

}  // namespace ipcscope::bench
