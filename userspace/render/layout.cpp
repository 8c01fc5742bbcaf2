// SPDX-License-Identifier: GPL-2.0-only
#include "render/layout.hpp"

#include <algorithm>
#include <array>
#include <numeric>

#include <fmt/format.h>
#include <utf8proc.h>

namespace ipcscope::render {
namespace {

constexpr std::size_t kIndent = 2;

/// The first code point of `text` and its length.  A byte that begins none
/// counts as one: the text is valid by contract, but nothing is read past it.
struct Code {
    std::size_t size;
    std::size_t columns;
};

Code first_code(std::string_view text)
{
    utf8proc_int32_t value = 0;
    const auto size = utf8proc_iterate(
        reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
        static_cast<utf8proc_ssize_t>(text.size()), &value);
    if (size <= 0) return {1, 1};
    if (value == kGlue) return {1, 1};
    return {static_cast<std::size_t>(size),
            static_cast<std::size_t>(utf8proc_charwidth(value))};
}

/// Bytes of the longest beginning of `text` that fits, whole code points with
/// the marks that belong to them.
std::size_t fitting(std::string_view text, std::size_t width)
{
    std::size_t used = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const Code code = first_code(text.substr(at));
        used += code.columns;
        if (used > width) break;
        at += code.size;
    }
    return at;
}

std::string spaces(std::size_t number) { return std::string(number, ' '); }

void trim_right(std::string& line) { line.erase(line.find_last_not_of(' ') + 1); }

}  // namespace

std::size_t columns(std::string_view text)
{
    std::size_t sum = 0;
    while (!text.empty()) {
        const Code code = first_code(text);
        sum += code.columns;
        text.remove_prefix(code.size);
    }
    return sum;
}

std::string Style::plain(std::string text) const
{
    static constexpr std::array<std::array<std::string_view, 2>, 4> kAscii{{
        {"µ", "u"}, {"→", "->"}, {"←", "<-"}, {"…", "..."},
    }};
    if (utf8) {
        return text;
    }
    for (const auto& [what, with] : kAscii) {
        for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos;) {
            text.replace(at, what.size(), with);
            at += with.size();
        }
    }
    return text;
}

std::string Style::time(std::uint64_t ns) const { return plain(duration(ns)); }

std::string Style::paint(const char* code, std::string_view text) const
{
    return colour ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string fit(std::string_view text, std::size_t width, const Style& style)
{
    if (columns(text) <= width) return std::string(text);
    if (width == 0) return {};
    return std::string(text.substr(0, fitting(text, width - 1))) + style.cut();
}

std::string fit(std::string_view text, std::string_view tail, std::size_t width,
                const Style& style)
{
    const std::size_t kept = columns(tail);
    if (kept >= width) return fit(std::string(text) + std::string(tail), width, style);
    return fit(text, width - kept, style) + std::string(tail);
}

std::string pad_right(const std::string& text, std::size_t width)
{
    return text + spaces(since(width, columns(text)));
}

std::string pad_left(const std::string& text, std::size_t width)
{
    return spaces(since(width, columns(text))) + text;
}

std::string wrap(std::string_view text, std::size_t width, std::string_view first,
                 std::string_view next)
{
    std::string out;
    std::string line(first);
    std::size_t used = columns(line);
    bool fresh = true;   // nothing but the indent is on the line
    const auto end_line = [&] {
        trim_right(line);
        out += line + '\n';
        line = next;
        used = columns(line);
        fresh = true;
    };
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(' '), text.size());
        std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        std::size_t left = columns(word);   // once: a word may be very long
        if (!fresh && used + 1 + left > width) end_line();
        if (!fresh) line += ' ', used++;
        while (used + left > width) {
            const std::size_t bytes = std::max(fitting(word, since(width, used)),
                                               first_code(word).size);
            left -= columns(word.substr(0, bytes));
            line += word.substr(0, bytes);
            word.remove_prefix(bytes);
            end_line();
        }
        line += word;
        used += left;
        fresh = false;
    }
    end_line();
    std::ranges::replace(out, kGlue, ' ');
    return out;
}

void Table::row(std::vector<Cell> cells)
{
    cells.resize(columns_.size(), Cell(""));
    rows_.push_back({std::move(cells), {}});
}

void Table::detail(std::string text)
{
    if (!text.empty()) rows_.back().details.push_back(std::move(text));
}

Table::Shape Table::shape(std::size_t width) const
{
    std::vector<std::size_t> widths;
    for (std::size_t at = 0; at < columns_.size(); at++) {
        std::size_t most = columns(columns_[at].title);
        for (const Row& row : rows_)
            most = std::max(most, columns(row.cells[at].text) + columns(row.cells[at].tail));
        widths.push_back(most);
    }
    const auto total = [&](std::size_t gap) {
        return std::accumulate(widths.begin(), widths.end(),
                               kIndent + gap * (widths.size() - 1));
    };
    if (total(2) <= width) return {widths, 2};
    while (total(1) > width) {
        std::size_t* widest = nullptr;
        for (std::size_t at = 0; at < widths.size(); at++) {
            if (columns_[at].least == 0 || widths[at] <= columns_[at].least) continue;
            if (widest == nullptr || widths[at] > *widest) widest = &widths[at];
        }
        if (widest == nullptr) break;
        --*widest;
    }
    return {widths, 1};
}

std::string Table::line(const std::vector<Cell>& cells, const Shape& shape,
                        const Style& style) const
{
    std::string line = spaces(kIndent);
    for (std::size_t at = 0; at < cells.size(); at++) {
        const std::size_t width = shape.widths[at];
        const std::string cell = fit(cells[at].text, cells[at].tail, width, style);
        line += columns_[at].align == Align::right ? pad_left(cell, width)
                                                   : pad_right(cell, width);
        line += spaces(shape.gap);
    }
    trim_right(line);
    return line;
}

std::string Table::str(std::size_t width, const Style& style) const
{
    const Shape shape = this->shape(width);
    std::vector<Cell> titles;
    for (const Column& column : columns_) titles.emplace_back(column.title);
    std::string out = line(titles, shape, style) + '\n';
    for (const Row& row : rows_) {
        out += line(row.cells, shape, style) + '\n';
        for (const std::string& detail : row.details)
            out += wrap(detail, width, "      ", "        ");
    }
    return out;
}

}  // namespace ipcscope::render
