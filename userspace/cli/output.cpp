// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <langinfo.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/closed_pipe.hpp"
#include "cli/commands.hpp"

namespace ipcscope::cli {

void print_stderr(std::string_view text)
{
    std::fwrite(text.data(), 1, text.size(), stderr);
}

int print_error(const Error& error)
{
    if (!error.message.empty()) {
        print_stderr(fmt::format("ipcscope: {}\n", error.message));
    }
    return static_cast<int>(error.code);
}

Result<void> print(std::string_view text)
{
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() ||
        std::fflush(stdout) != 0) {
        return tl::unexpected<Error>(
            errno == EPIPE ? closed_pipe()
                           : Error{Exit::input, fmt::format("standard output: {}", std::strerror(errno))});
    }
    return {};
}

bool colour_wanted()
{
    const char* none = std::getenv("NO_COLOR");
    const char* term = std::getenv("TERM");
    return isatty(STDOUT_FILENO) && !(none && *none) && term && std::strcmp(term, "dumb") != 0;
}

bool utf8_wanted()
{
    // A file or a pipe gets UTF-8: what reads it later is not this terminal.
    return !isatty(STDOUT_FILENO) || std::strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

}  // namespace ipcscope::cli
