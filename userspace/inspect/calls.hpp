// SPDX-License-Identifier: GPL-2.0-only
// What a system call that a thread is in has to do with: /proc/PID/task/TID/syscall.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcscope::inspect {

struct Call {
    std::optional<std::uint32_t> number;      ///< nullopt: it is in none
    std::string_view name;                    ///< empty: one that is not known by name
    std::vector<std::uint32_t> descriptors;   ///< that it waits for
    std::uint64_t address = 0;                ///< of a futex
};

/// Bytes of the thread's memory; fewer, or none, where they cannot be read.
using ReadMemory = std::function<std::string(std::uint64_t address, std::size_t size)>;
/// Descriptors that an epoll instance watches.
using Watched = std::function<std::vector<std::uint32_t>(std::uint32_t descriptor)>;

/// `text`: of that file; nullopt where it says nothing, as when it is refused.
std::optional<Call> parse_call(std::string_view text, const ReadMemory& memory,
                               const Watched& watched);

/// Names of functions in the text of /proc/PID/task/TID/stack, at most `most`.
std::vector<std::string> functions_of(std::string_view text, std::size_t most);

}  // namespace ipcscope::inspect
