// SPDX-License-Identifier: GPL-2.0-only
#include "bench/output/grid.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

using render::Style;

constexpr std::size_t kIndent = 2;

/// Which columns are shown, and how wide.
struct Shape {
    std::vector<std::size_t> columns;
    std::vector<std::size_t> widths;   ///< of those
    std::size_t gap = 2;

    std::size_t total() const
    {
        return std::accumulate(widths.begin(), widths.end(),
                               kIndent + gap * (std::max<std::size_t>(1, widths.size()) - 1));
    }
};

std::size_t natural_width(const Grid& grid, std::size_t column)
{
    std::size_t most = render::columns(grid.columns[column].title);
    for (const Grid::Row& row : grid.rows) {
        if (row.heading.empty()) most = std::max(most, render::columns(row.cells[column]));
    }
    return most;
}

/// Narrower by a column in the widest place that may be cut.
bool cut_one(const Grid& grid, Shape& shape)
{
    std::size_t* widest = nullptr;
    for (std::size_t at = 0; at < shape.widths.size(); at++) {
        const std::size_t least = grid.columns[shape.columns[at]].least;
        if (least == 0 || shape.widths[at] <= least) continue;
        if (widest == nullptr || shape.widths[at] > *widest) widest = &shape.widths[at];
    }
    if (widest != nullptr) --*widest;
    return widest != nullptr;
}

bool drop_one(const Grid& grid, Shape& shape)
{
    for (std::size_t at = shape.columns.size(); at-- > 0;) {
        if (!grid.columns[shape.columns[at]].optional) continue;
        shape.columns.erase(shape.columns.begin() + static_cast<std::ptrdiff_t>(at));
        shape.widths.erase(shape.widths.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
    }
    return false;
}

Shape shape_of(const Grid& grid, std::size_t width)
{
    Shape shape;
    for (std::size_t at = 0; at < grid.columns.size(); at++) {
        shape.columns.push_back(at);
        shape.widths.push_back(natural_width(grid, at));
    }
    if (shape.total() > width) shape.gap = 1;
    while (shape.total() > width && drop_one(grid, shape)) {
    }
    while (shape.total() > width && cut_one(grid, shape)) {
    }
    return shape;
}

void end_line(std::string& out)
{
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
}

std::string line(const Grid& grid, const Shape& shape, const std::vector<std::string>& cells,
                 const Style& style)
{
    std::string out(kIndent, ' ');
    for (std::size_t at = 0; at < shape.columns.size(); at++) {
        const std::size_t column = shape.columns[at];
        const std::string cell = render::fit(cells[column], shape.widths[at], style);
        if (at != 0) out += std::string(shape.gap, ' ');
        out += grid.columns[column].left ? render::pad_right(cell, shape.widths[at])
                                         : render::pad_left(cell, shape.widths[at]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

/// What neighbouring columns are about, over the middle of them.
std::string line_above(const Grid& grid, const Shape& shape, const Style& style)
{
    std::string out(kIndent, ' ');
    bool any = false;
    for (std::size_t at = 0; at < shape.columns.size();) {
        const std::string& above = grid.columns[shape.columns[at]].above;
        std::size_t span = shape.widths[at];
        std::size_t next = at + 1;
        while (next < shape.columns.size() && !above.empty() &&
               grid.columns[shape.columns[next]].above == above)
            span += shape.gap + shape.widths[next++];
        if (at != 0) out += std::string(shape.gap, ' ');
        const std::string shown = render::fit(above, span, style);
        const std::size_t room = span - render::columns(shown);
        out += std::string(room - room / 2, ' ') + shown + std::string(room / 2, ' ');
        any = any || !above.empty();
        at = next;
    }
    if (!any) return {};
    end_line(out);
    return out;
}

std::vector<std::string> titles(const Grid& grid)
{
    std::vector<std::string> titles;
    for (const Grid::Column& column : grid.columns) titles.push_back(column.title);
    return titles;
}

std::string markdown_row(const std::vector<std::string>& cells)
{
    std::string out = "|";
    for (const std::string& cell : cells) out += fmt::format(" {} |", escape_markdown(cell));
    return out + '\n';
}

}  // namespace

void Grid::row(std::vector<std::string> cells, bool alarming)
{
    cells.resize(columns.size());
    rows.push_back({std::move(cells), {}, alarming});
}

std::string Grid::text(std::size_t width, const Style& style) const
{
    if (empty()) return {};
    const Shape shape = shape_of(*this, width);
    std::string out = line_above(*this, shape, style);
    out += line(*this, shape, titles(*this), style) + '\n';
    for (const Row& row : rows) {
        if (!row.heading.empty()) {
            out += render::wrap(row.heading, width, " ", "   ");
            continue;
        }
        const std::string shown = line(*this, shape, row.cells, style);
        out += (row.alarming ? style.red(shown) : shown) + '\n';
    }
    return out;
}

std::string Grid::markdown() const
{
    if (empty()) return {};
    std::vector<std::string> heads;
    std::string rule = "|";
    for (const Column& column : columns) {
        heads.push_back(column.above.empty() ? column.title
                                             : column.above + ", " + column.title);
        rule += column.left ? " :--- |" : " ---: |";
    }
    std::string out = markdown_row(heads) + rule + '\n';
    for (const Row& row : rows) {
        std::vector<std::string> cells = row.cells;
        if (!row.heading.empty()) {
            cells.assign(columns.size(), "");
            cells[0] = row.heading;
        }
        out += markdown_row(cells);
    }
    return out;
}

std::string Section::text(std::size_t width, const Style& style) const
{
    std::string out = title.empty() ? "" : style.bold(render::fit(title, width, style)) + '\n';
    for (const std::string& paragraph : lead) out += render::wrap(paragraph, width, "  ", "  ");
    out += grid.text(width, style);
    for (const std::string& note : notes) {
        std::string lines = render::wrap(note, width, "  ", "    ");
        if (alarming) {
            lines.pop_back();
            lines = style.red(lines) + '\n';
        }
        out += lines;
    }
    return out;
}

std::string Section::markdown() const
{
    std::string out;
    const auto paragraph = [&](std::string text, const char* mark = "") {
        std::ranges::replace(text, render::kGlue, ' ');
        out += mark + escape_markdown(text) + "\n\n";
    };
    if (!title.empty()) out += "## " + escape_markdown(title) + "\n\n";
    for (const std::string& text : lead) paragraph(text);
    if (!grid.empty()) out += grid.markdown() + '\n';
    for (const std::string& text : notes) paragraph(text, "- ");
    return out;
}

std::string escape_markdown(const std::string& text)
{
    static constexpr std::string_view kSpecial = "\\`*_[]<>|#~&";
    std::string out;
    for (const char c : text) {
        if (kSpecial.find(c) != std::string_view::npos) out += '\\';
        out += c;
    }
    return out;
}

}  // namespace ipcscope::bench
