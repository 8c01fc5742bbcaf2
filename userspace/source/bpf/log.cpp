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
    va_list again;
    va_copy(again, args);
    const int length = std::vsnprintf(nullptr, 0, format, args);
    std::string line(static_cast<std::size_t>(length > 0 ? length : 0) + 1, '\0');
    std::vsnprintf(line.data(), line.size(), format, again);
    va_end(again);
    line.pop_back();
    buffer() += line;
    if (std::getenv("IPCSCOPE_DEBUG")) {
        std::fputs(line.c_str(), stderr);
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

const std::string& LogCapture::text() const
{
    return buffer();
}

}  // namespace ipcscope::source::bpf
