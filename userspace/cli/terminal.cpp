// SPDX-License-Identifier: GPL-2.0-only
#include "cli/terminal.hpp"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/commands.hpp"

namespace ipcscope::cli {
namespace {

constexpr std::size_t kWideColumns = 120;

/// No rows: it is no terminal.
winsize terminal()
{
    winsize size{};
    if (isatty(STDOUT_FILENO) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) {
        return {};
    }
    return size;
}

/// Empty: none is wanted.
std::string pager_command()
{
    const char* pager = std::getenv("PAGER");
    if (pager == nullptr) {
        return "command -v less >/dev/null || exit 127; exec less";
    }
    return std::string_view(pager) == "cat" ? "" : pager;
}

struct ClosePipe {
    void operator()(std::FILE* pipe) const { pclose(pipe); }
};

/// What is written after it has ended is not missed: a person has seen enough.
bool page(const std::string& command, std::string_view text)
{
    setenv("LESS", "FRX", 0);   // colours pass, and what fits is not held up
    std::fflush(stdout);
    const auto interrupt = std::signal(SIGINT, SIG_IGN);   // that of the pager
    std::unique_ptr<std::FILE, ClosePipe> pipe(popen(command.c_str(), "w"));
    if (pipe) {
        std::fwrite(text.data(), 1, text.size(), pipe.get());
    }
    constexpr int kNotFound = 127;
    const int status = pipe ? pclose(pipe.release()) : -1;
    std::signal(SIGINT, interrupt);
    return status >= 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == kNotFound);
}

}  // namespace

render::TextOptions text_options()
{
    render::TextOptions options;
    options.colour = colour_wanted();
    options.utf8 = utf8_wanted();
    // 0 columns: it is no terminal, or one that does not know.
    const std::size_t columns = terminal().ws_col;
    options.width = columns == 0 ? render::kMinWidth : std::max(columns, render::kLeastWidth);
    return options;
}

bench::TextOptions table_options()
{
    bench::TextOptions options;
    options.colour = colour_wanted();
    options.utf8 = utf8_wanted();
    options.width = text_options().width;
    options.cut = isatty(STDOUT_FILENO) != 0;
    return options;
}

void declare_lines(CLI::App& app, LineArguments& arguments)
{
    app.add_flag("-w,--wide", arguments.wide, "More columns than fit in 80");
    app.add_flag("-T,--wall-clock", arguments.wall_clock,
                 "Times of day, not seconds since the start; the day and the time zone come first");
}

render::LiveOptions live_options(const LineArguments& arguments)
{
    render::LiveOptions options;
    options.colour = colour_wanted();
    options.utf8 = utf8_wanted();
    options.wide = arguments.wide || terminal().ws_col >= kWideColumns;
    if (arguments.wall_clock) {
        options.realtime_offset_ns = 0;   // known as the trace begins
    }
    return options;
}

Result<void> print_paged(std::string_view text)
{
    const std::string command = pager_command();
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    const winsize size = terminal();
    const bool fits = size.ws_row == 0 || lines < size.ws_row;
    // One that is not there has shown nothing.
    return !fits && !command.empty() && page(command, text) ? Result<void>{} : print(text);
}

}  // namespace ipcscope::cli
