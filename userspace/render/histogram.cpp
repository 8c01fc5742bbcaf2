// SPDX-License-Identifier: GPL-2.0-only
#include "render/histogram.hpp"

#include <algorithm>
#include <bit>
#include <vector>

#include <fmt/format.h>

#include "base/units.hpp"

namespace ipcscope::render {
namespace {

constexpr unsigned kMostLines = 16;
constexpr std::size_t kBarColumns = 40;

/// 0 → 0, 1 → 1, 2..3 → 2, 4..7 → 3 …: exact, since no bucket of the histogram
/// reaches over a power of two.
unsigned octave(std::uint64_t value) { return static_cast<unsigned>(std::bit_width(value)); }

std::uint64_t octave_low(unsigned octave) { return octave == 0 ? 0 : 1ull << (octave - 1); }

/// part / most of `whole`, at least 1 where there is any.
std::size_t share(std::uint64_t part, std::uint64_t most, std::size_t whole)
{
    if (part == 0 || most == 0) return 0;
    const auto length = static_cast<std::size_t>(
        (static_cast<unsigned __int128>(part) * whole + most / 2) / most);
    return std::max<std::size_t>(length, 1);
}

std::string repeated(const char* text, std::size_t times)
{
    std::string out;
    while (times-- > 0) out += text;
    return out;
}

/// Counts per `step` octaves; the first and the last are not 0.
std::vector<std::uint64_t> octaves(const Histogram& histogram, unsigned step)
{
    const unsigned first = octave(histogram.min());
    std::vector<std::uint64_t> lines((octave(histogram.max()) - first) / step + 1);
    for (const Histogram::Bucket& bucket : histogram.buckets())
        lines.at((octave(bucket.low) - first) / step) += bucket.count;
    return lines;
}

/// Lines that bars() makes of them: one per run of zeros.
std::size_t drawn(const std::vector<std::uint64_t>& lines)
{
    std::size_t number = 0;
    for (std::size_t at = 0; at < lines.size(); at++)
        if (lines[at] != 0 || lines[at - 1] != 0) number++;
    return number;
}

}  // namespace

std::string bars(const Histogram& histogram, std::size_t width, const Style& style)
{
    if (histogram.count() == 0) return {};
    unsigned step = 1;
    std::vector<std::uint64_t> lines = octaves(histogram, step);
    while (drawn(lines) > kMostLines) lines = octaves(histogram, step *= 2);
    const unsigned first = octave(histogram.min());
    const std::uint64_t most = *std::ranges::max_element(lines);
    const std::size_t columns = std::min(kBarColumns, width - 36);
    std::string out;
    for (std::size_t at = 0; at < lines.size(); at++) {
        if (lines[at] == 0) {
            if (lines[at - 1] != 0) out += fmt::format("  {}\n", style.dots());
            continue;
        }
        const auto low = octave_low(first + static_cast<unsigned>(at) * step);
        out += fmt::format("  {} {} {}  {}\n", style.utf8 ? "≥" : ">=",
                           pad_left(style.time(low), 8), pad_left(count(lines[at]), 7),
                           repeated(style.block(), share(lines[at], most, columns)));
    }
    return out;
}

std::string sparkline(const std::array<std::uint64_t, 9>& counts, const Style& style)
{
    static constexpr std::array<const char*, 9> kUtf8 = {" ", "▁", "▂", "▃", "▄",
                                                         "▅", "▆", "▇", "█"};
    static constexpr std::array<const char*, 9> kAscii = {" ", ".", ":", "-", "=",
                                                          "+", "*", "#", "@"};
    const std::uint64_t most = *std::ranges::max_element(counts);
    std::string out;
    for (const std::uint64_t number : counts)
        out += (style.utf8 ? kUtf8 : kAscii)[share(number, most, 8)];
    return out;
}

}  // namespace ipcscope::render
