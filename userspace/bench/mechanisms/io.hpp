// SPDX-License-Identifier: GPL-2.0-only
// Whole messages over descriptors.
#pragma once

#include <cerrno>
#include <cstddef>
#include <span>

#include <unistd.h>

#include "bench/model.hpp"
#include "bench/cpu_relax.hpp"

namespace ipcscope::bench {

/// Whether a failed call is to be made again: interrupted, or a nonblocking
/// descriptor that is not ready.
inline bool again(int error)
{
    if (error == EAGAIN) {
        cpu_relax();
        return true;
    }
    return error == EINTR;
}

/// Repeats `call` (an ssize_t of bytes, -1 and errno) until it has moved all.
/// @return 0 or an errno; EPIPE where the other end is gone
template <typename Call>
int move_all(std::size_t bytes, Call call)
{
    for (std::size_t done = 0; done < bytes;) {
        const ssize_t moved = call(done, bytes - done);
        if (moved > 0) {
            done += static_cast<std::size_t>(moved);
        } else if (moved == 0) {
            return EPIPE;
        } else if (!again(errno)) {
            return errno;
        }
    }
    return 0;
}

inline int write_all(int fd, std::span<const std::byte> message)
{
    return move_all(message.size(), [&](std::size_t at, std::size_t left) {
        return write(fd, message.data() + at, left);
    });
}

inline int read_all(int fd, std::span<std::byte> message)
{
    return move_all(message.size(), [&](std::size_t at, std::size_t left) {
        return read(fd, message.data() + at, left);
    });
}

/// Sets O_NONBLOCK for WaitMode::spin.  @return 0 or an errno
int set_waiting(int fd, WaitMode waiting);

}  // namespace ipcscope::bench
