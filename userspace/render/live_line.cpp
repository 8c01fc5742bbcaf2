// SPDX-License-Identifier: GPL-2.0-only
#include "render/live_line.hpp"

#include <fmt/format.h>

#include "base/units.hpp"
#include "render/names.hpp"

namespace ipcscope::render {

LineWidths line_widths(const LiveOptions& options)
{
    return options.wide ? LineWidths{28, 20, 20, 24, 119} : LineWidths{16, 9, 9, 11, 79};
}

std::string clock(std::uint64_t time_ns, std::uint64_t start_ns)
{
    const std::uint64_t ns = since(time_ns, start_ns);
    const std::uint64_t seconds = ns / 1'000'000'000;
    if (seconds < 10'000) {
        return fmt::format("{}.{:06}", seconds, ns / 1'000 % 1'000'000);
    }
    if (seconds < 10'000'000) {
        return fmt::format("{}.{:03}", seconds, ns / 1'000'000 % 1000);
    }
    return std::to_string(seconds);
}

Line::Line(const LiveOptions& options)
    : style_{options.utf8, options.colour}, widths_(line_widths(options))
{
}

Line& Line::left(const std::string& text, std::size_t width)
{
    return append(pad_right(fit(text, width, style_), width));
}

Line& Line::right(const std::string& text, std::size_t width)
{
    return append(pad_left(fit(text, width, style_), width));
}

Line& Line::task(const decode::Task& task)
{
    return append(pad_right(fit_task(task, widths_.task, style_), widths_.task));
}

std::string Line::str() const
{
    const std::string line = text_.substr(0, text_.find_last_not_of(' ') + 1);
    return fit(line, widths_.line, style_);
}

Line& Line::append(const std::string& cell)
{
    if (!text_.empty()) {
        text_ += ' ';
    }
    text_ += cell;
    return *this;
}

}  // namespace ipcscope::render
