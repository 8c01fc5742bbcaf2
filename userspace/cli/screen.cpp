// SPDX-License-Identifier: GPL-2.0-only
#include "cli/screen.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "cli/commands.hpp"

#define NCURSES_NOMACROS
#include <curses.h>

namespace ipcscope::cli {
namespace {

constexpr short kAlarmPair = 1;
constexpr int kEscapeDelay_ms = 50;
constexpr int kEscape = 27, kErase = 8, kDelete = 127;

using Kind = render::TopKey::Kind;

/// Of the terminal that newterm() has set up.
bool can_place_cursor()
{
    const char* place = tigetstr("cup");
    return place != nullptr && place != reinterpret_cast<const char*>(-1);
}

/// nullptr: it is not known, or is not fit for a full screen.
SCREEN* set_up()
{
    SCREEN* terminal = newterm(nullptr, stdout, stdin);
    if (terminal != nullptr && !can_place_cursor()) {
        endwin();
        delscreen(terminal);
        return nullptr;
    }
    return terminal;
}

int attributes(render::TopLine::Look look)
{
    switch (look) {
    case render::TopLine::Look::plain: return A_NORMAL;
    case render::TopLine::Look::title:
    case render::TopLine::Look::head: return A_BOLD;
    case render::TopLine::Look::alarm:
        return has_colors() && colour_wanted() ? A_BOLD | static_cast<int>(COLOR_PAIR(kAlarmPair))
                                               : A_BOLD;
    case render::TopLine::Look::bar: return A_REVERSE;
    }
    return A_NORMAL;
}

/// nullopt: a key without a meaning here.
std::optional<render::TopKey> key_of(int code)
{
    switch (code) {
    case '\t':
    case KEY_RIGHT: return render::TopKey{Kind::next_view};
    case KEY_BTAB:
    case KEY_LEFT: return render::TopKey{Kind::last_view};
    case KEY_UP: return render::TopKey{Kind::up};
    case KEY_DOWN: return render::TopKey{Kind::down};
    case KEY_PPAGE: return render::TopKey{Kind::page_up};
    case KEY_NPAGE: return render::TopKey{Kind::page_down};
    case KEY_HOME: return render::TopKey{Kind::home};
    case KEY_END: return render::TopKey{Kind::end};
    case '\n':
    case '\r':
    case KEY_ENTER: return render::TopKey{Kind::enter};
    case kEscape: return render::TopKey{Kind::escape};
    case kErase:
    case kDelete:
    case KEY_BACKSPACE: return render::TopKey{Kind::erase};
    default:
        if (code >= ' ' && code < kDelete) {
            return render::TopKey{Kind::letter, static_cast<char>(code)};
        }
        return std::nullopt;
    }
}

}  // namespace

Result<Screen> Screen::open()
{
    if (isatty(STDIN_FILENO) == 0 || isatty(STDOUT_FILENO) == 0) {
        return fail(Exit::usage, "top needs a terminal; trace, kills and pipes print lines");
    }
    SCREEN* terminal = set_up();
    if (terminal == nullptr) {
        const char* name = std::getenv("TERM");
        return fail(Exit::usage,
                    fmt::format("top cannot place the cursor of a terminal with TERM={}; trace, "
                                "kills and pipes print lines",
                                name == nullptr ? "" : SafeText::escape(name).str()));
    }
    cbreak();
    noecho();
    nonl();
    curs_set(0);
    keypad(stdscr, true);
    nodelay(stdscr, true);
    set_escdelay(kEscapeDelay_ms);
    if (has_colors() && start_color() == OK) {
        use_default_colors();
        init_pair(kAlarmPair, COLOR_RED, -1);
    }
    return Screen(terminal);
}

Screen::Screen(Screen&& other) noexcept : terminal_(std::exchange(other.terminal_, nullptr)) {}

Screen::~Screen()
{
    if (terminal_ != nullptr) {
        endwin();
        delscreen(static_cast<SCREEN*>(terminal_));
    }
}

std::size_t Screen::columns() const { return static_cast<std::size_t>(std::max(COLS, 1)); }
std::size_t Screen::rows() const { return static_cast<std::size_t>(std::max(LINES, 1)); }

void Screen::draw(const std::vector<render::TopLine>& lines)
{
    erase();
    for (std::size_t row = 0; row < std::min(lines.size(), rows()); ++row) {
        const int look = attributes(lines[row].look);
        attrset(look);
        mvaddstr(static_cast<int>(row), 0, lines[row].text.c_str());
    }
    attrset(A_NORMAL);
    refresh();
}

Screen::Input Screen::read(int timeout_ms)
{
    Input input;
    pollfd ready{STDIN_FILENO, POLLIN, 0};
    const int number = poll(&ready, 1, timeout_ms);
    input.closed = number > 0 && (ready.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    // Also where there is nothing to read: a new size comes as a key.
    for (int code = getch(); !input.closed && code != ERR; code = getch()) {
        if (code == KEY_RESIZE) {
            input.resized = true;
        } else if (const auto key = key_of(code)) {
            input.keys.push_back(*key);
        }
    }
    return input;
}

}  // namespace ipcscope::cli
