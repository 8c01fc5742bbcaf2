// SPDX-License-Identifier: GPL-2.0-only
// A line of live output: cells in columns.
#pragma once

#include <cstdint>
#include <string>

#include "decode/event.hpp"
#include "render/layout.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

/// Widths that depend on `wide`, and on what times are: a line has less than 80 or 120 columns.
struct LineWidths {
    std::size_t time;
    std::size_t task;
    std::size_t comm;
    std::size_t inode;
    std::size_t bytes;
    std::size_t line;
};

LineWidths line_widths(const LiveOptions& options);

/// Seconds since the start, or the time of day, in at most line_widths().time columns for any
/// time.
std::string clock(std::uint64_t time_ns, std::uint64_t start_ns, const LiveOptions& options);

/// Cells in columns, cut to the line: nothing that a process chose can make it
/// longer.
class Line {
public:
    explicit Line(const LiveOptions& options);

    Line& left(const std::string& text, std::size_t width);
    Line& right(const std::string& text, std::size_t width);
    Line& task(const decode::Task& task);
    std::string str() const;
    const LineWidths& width() const { return widths_; }
    const Style& style() const { return style_; }

private:
    Line& append(const std::string& cell);

    Style style_;
    LineWidths widths_;
    std::string text_;
};

}  // namespace ipcscope::render
