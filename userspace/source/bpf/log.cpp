// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/log.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>

#include <bpf/libbpf.h>

namespace ipcscope::source::bpf {
namespace {

// libbpf's callback has no context argument, so this one buffer is global.
std::string& buffer()
{
    static std::string text;
    return text;
}

int collect(libbpf_print_level level, const char* format, va_list args)
{
    if (level == LIBBPF_DEBUG) {
        return 0;
    }
    char line[4096];
    const int length = std::vsnprintf(line, sizeof line, format, args);
    buffer() += line;
    if (std::getenv("IPCSCOPE_DEBUG")) {
        std::fputs(line, stderr);
    }
    return length;
}

}  // namespace

LogCapture::LogCapture()
{
    buffer().clear();
    libbpf_set_print(collect);
}

LogCapture::~LogCapture()
{
    libbpf_set_print(nullptr);
}

std::string LogCapture::tail(std::size_t lines) const
{
    std::string text = buffer();
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    std::size_t at = text.size();
    while (lines-- > 0 && at != std::string::npos && at > 0) {
        at = text.rfind('\n', at - 1);
    }
    if (at != std::string::npos && at > 0) {
        text = text.substr(at + 1);
    }
    for (char& c : text) {
        c = c == '\n' ? ' ' : c;
    }
    return text;
}

}  // namespace ipcscope::source::bpf
