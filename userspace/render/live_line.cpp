// SPDX-License-Identifier: GPL-2.0-only
#include "render/live_line.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "base/units.hpp"
#include "render/names.hpp"

namespace ipcscope::render {

namespace {

/// In the local time zone.  Hostile times are of the end of its range.
struct WallTime {
    std::tm local{};
    std::uint64_t nanoseconds = 0;
};

WallTime wall_time(std::uint64_t time_ns, std::int64_t offset_ns)
{
    constexpr std::int64_t kSecond = 1'000'000'000;
    const auto shown = static_cast<__int128>(time_ns) + offset_ns;
    const auto ns = static_cast<std::int64_t>(std::clamp<__int128>(shown, 0, INT64_MAX));
    const std::time_t seconds = ns / kSecond;
    WallTime wall;
    localtime_r(&seconds, &wall.local);
    wall.nanoseconds = static_cast<std::uint64_t>(ns % kSecond);
    return wall;
}

}  // namespace

LineWidths line_widths(const LiveOptions& options)
{
    const bool wall = options.realtime_offset_ns.has_value();
    if (options.wide) {
        return {wall ? 15u : 11u, wall ? 26u : 28u, 20, 20, 24, 119};
    }
    return {wall ? 12u : 11u, 16, wall ? 8u : 9u, 9, 11, 79};
}

std::string live_day(std::uint64_t time_ns, const LiveOptions& options)
{
    if (!options.realtime_offset_ns) {
        return {};
    }
    const std::tm local = wall_time(time_ns, *options.realtime_offset_ns).local;
    const long minutes = std::abs(local.tm_gmtoff) / 60;
    return fmt::format("{:04}-{:02}-{:02}, UTC{}{:02}:{:02} ({})", local.tm_year + 1900,
                       local.tm_mon + 1, local.tm_mday, local.tm_gmtoff < 0 ? '-' : '+',
                       minutes / 60, minutes % 60,
                       SafeText::escape(local.tm_zone).str());   // of TZ
}

std::string clock(std::uint64_t time_ns, std::uint64_t start_ns, const LiveOptions& options)
{
    if (options.realtime_offset_ns) {
        const auto [local, rest] = wall_time(time_ns, *options.realtime_offset_ns);
        const std::string second =
            fmt::format("{:02}:{:02}:{:02}", local.tm_hour, local.tm_min, local.tm_sec);
        return options.wide ? fmt::format("{}.{:06}", second, rest / 1'000)
                            : fmt::format("{}.{:03}", second, rest / 1'000'000);
    }
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
