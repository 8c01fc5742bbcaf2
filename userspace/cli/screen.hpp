// SPDX-License-Identifier: GPL-2.0-only
// The whole of a terminal, by ncurses: lines out, keys in.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/result.hpp"
#include "render/top.hpp"

namespace ipcscope::cli {

class Screen {
public:
    /// Exit::usage where standard input or output is no terminal, or one that cannot place its
    /// cursor.  There can be one at a time.
    static Result<Screen> open();
    Screen(Screen&& other) noexcept;
    Screen& operator=(Screen&&) = delete;
    ~Screen();   ///< the terminal is as it was before

    std::size_t columns() const;
    std::size_t rows() const;
    void draw(const std::vector<render::TopLine>& lines);

    struct Input {
        std::vector<render::TopKey> keys;
        bool resized = false;
        bool closed = false;   ///< the terminal is gone
    };
    /// What was typed since; waits at most `timeout_ms`.
    Input read(int timeout_ms);

private:
    explicit Screen(void* terminal) : terminal_(terminal) {}
    void* terminal_;   ///< ncurses' SCREEN, whose header has macros for common words
};

}  // namespace ipcscope::cli
