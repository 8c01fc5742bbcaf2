// SPDX-License-Identifier: GPL-2.0-only
// libbpf's messages, kept for the error line instead of printed.
#pragma once

#include <string>

namespace ipcscope::source::bpf {

/// While it lives, libbpf's warnings are collected; not reentrant, since
/// libbpf has one print callback a process.
class LogCapture {
public:
    LogCapture();
    ~LogCapture();
    LogCapture(const LogCapture&) = delete;
    LogCapture& operator=(const LogCapture&) = delete;

    /// The last lines, the cause as a rule; empty if nothing was said.
    std::string tail(std::size_t lines) const;
};

}  // namespace ipcscope::source::bpf
