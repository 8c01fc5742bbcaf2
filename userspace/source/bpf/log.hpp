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

    const std::string& text() const;
};

}  // namespace ipcscope::source::bpf
