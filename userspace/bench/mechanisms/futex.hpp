// SPDX-License-Identifier: GPL-2.0-only
// The futex system call, which the C library has no function for.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcscope::bench {

/// A private futex saves the kernel the lookup of the mapping, but works within one
/// process only.
class Futex {
public:
    explicit Futex(bool threads) : flag_(threads ? FUTEX_PRIVATE_FLAG : 0) {}

    /// Sleeps while `word` is `value`; may return earlier.  @return 0 or an errno
    int wait(std::atomic<std::uint32_t>& word, std::uint32_t value) const
    {
        const long result = call(word, FUTEX_WAIT, value);
        return result == 0 || errno == EAGAIN || errno == EINTR ? 0 : errno;
    }

    /// Wakes one sleeper, if there is one.  @return 0 or an errno
    int wake(std::atomic<std::uint32_t>& word) const
    {
        return call(word, FUTEX_WAKE, 1) < 0 ? errno : 0;
    }

private:
    long call(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value) const
    {
        static_assert(sizeof(word) == sizeof(std::uint32_t));
        return syscall(SYS_futex, &word, operation | flag_, value, nullptr, nullptr, 0);
    }

    int flag_;
};

}  // namespace ipcscope::bench
