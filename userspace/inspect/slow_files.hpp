// SPDX-License-Identifier: GPL-2.0-only
// Files in /proc that may hang for as long as the process that they are of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"

namespace ipcscope::inspect {

/// maps and mem wait for a process's lock of its memory, syscall for its execve(): both may
/// be held by what is to be looked at.  A child reads them, and is killed and replaced
/// when one takes longer than a second.
class SlowFiles {
public:
    SlowFiles() = default;
    ~SlowFiles();
    SlowFiles(const SlowFiles&) = delete;
    SlowFiles& operator=(const SlowFiles&) = delete;

    /// The file from `offset` on, at most `size` bytes; nullopt: it hangs.  Empty: it is gone,
    /// or refused.
    std::optional<std::string> read(const std::string& path, std::uint64_t offset = 0,
                                    std::uint64_t size = kMost);
    static constexpr std::uint64_t kMost = 64 << 20;

    /// The child's PID; 0: there is none.
    std::uint32_t helper() const { return static_cast<std::uint32_t>(child_ > 0 ? child_ : 0); }

private:
    bool start();
    void stop();
    bool receive(void* to, std::size_t size);

    Fd socket_;
    int child_ = -1;
};

}  // namespace ipcscope::inspect
