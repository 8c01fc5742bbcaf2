// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_progress.hpp"

#include <cstdio>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/format.h>

#include "cli/commands.hpp"
#include "render/layout.hpp"

namespace ipcscope::cli {
namespace {

// Rare enough not to affect the measurement.
constexpr std::chrono::milliseconds kTerminalInterval{200};
constexpr std::chrono::milliseconds kLogInterval{2000};

std::size_t terminal_columns()
{
    winsize size{};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

}  // namespace

BenchProgress::BenchProgress(bool wanted)
    : terminal_(isatty(STDERR_FILENO)), wanted_(wanted || terminal_)
{
}

BenchProgress::~BenchProgress() { clear(); }

void BenchProgress::step(std::size_t done, std::size_t all, const bench::Case& now)
{
    if (!wanted_ || Clock::now() < next_) return;
    const std::string line = fmt::format("{:3} %  {}", all == 0 ? 0 : done * 100 / all,
                                         bench::key(now));
    if (terminal_) {
        print_stderr("\r\x1b[K" +
             render::fit(line, terminal_columns() - 1, render::Style{.utf8 = false}));
        shown_ = true;
    } else {
        print_stderr(fmt::format("ipcscope: {}\n", line));
    }
    next_ = Clock::now() + (terminal_ ? kTerminalInterval : kLogInterval);
}

void BenchProgress::clear()
{
    if (shown_) print_stderr("\r\x1b[K");
    shown_ = false;
}

}  // namespace ipcscope::cli
