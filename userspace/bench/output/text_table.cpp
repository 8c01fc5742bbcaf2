// SPDX-License-Identifier: GPL-2.0-only
#include "bench/output/text_table.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

using render::Style;

constexpr std::size_t kIndent = 2;

/// Which columns are shown, and how wide.
struct Layout {
    std::vector<std::size_t> columns;
    std::vector<std::size_t> widths;   ///< of those
    std::size_t gap = 2;

    std::size_t total() const
    {
        return std::accumulate(widths.begin(), widths.end(),
                               kIndent + gap * (std::max<std::size_t>(1, widths.size()) - 1));
    }
};

std::size_t natural_width(const TextTable& table, std::size_t column)
{
    std::size_t most = render::columns(table.columns[column].title);
    for (const TextTable::Row& row : table.rows) {
        if (row.heading.empty()) most = std::max(most, render::columns(row.cells[column]));
    }
    return most;
}

/// Makes the widest column that may be cut narrower by one.
bool shrink_widest(const TextTable& table, Layout& layout)
{
    std::size_t* widest = nullptr;
    for (std::size_t at = 0; at < layout.widths.size(); at++) {
        const std::size_t least = table.columns[layout.columns[at]].least;
        if (least == 0 || layout.widths[at] <= least) continue;
        if (widest == nullptr || layout.widths[at] > *widest) widest = &layout.widths[at];
    }
    if (widest != nullptr) --*widest;
    return widest != nullptr;
}

bool drop_optional_column(const TextTable& table, Layout& layout)
{
    for (std::size_t at = layout.columns.size(); at-- > 0;) {
        if (!table.columns[layout.columns[at]].optional) continue;
        layout.columns.erase(layout.columns.begin() + static_cast<std::ptrdiff_t>(at));
        layout.widths.erase(layout.widths.begin() + static_cast<std::ptrdiff_t>(at));
        return true;
    }
    return false;
}

Layout layout_of(const TextTable& table, std::size_t width)
{
    Layout layout;
    for (std::size_t at = 0; at < table.columns.size(); at++) {
        layout.columns.push_back(at);
        layout.widths.push_back(natural_width(table, at));
    }
    if (layout.total() > width) layout.gap = 1;
    while (layout.total() > width && drop_optional_column(table, layout)) {
    }
    while (layout.total() > width && shrink_widest(table, layout)) {
    }
    return layout;
}

void end_line(std::string& out)
{
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
}

std::string line(const TextTable& table, const Layout& layout,
                 const std::vector<std::string>& cells, const Style& style)
{
    std::string out(kIndent, ' ');
    for (std::size_t at = 0; at < layout.columns.size(); at++) {
        const std::size_t column = layout.columns[at];
        const std::string cell = render::fit(cells[column], layout.widths[at], style);
        if (at != 0) out += std::string(layout.gap, ' ');
        out += table.columns[column].left ? render::pad_right(cell, layout.widths[at])
                                         : render::pad_left(cell, layout.widths[at]);
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
}

/// Headings of column groups, centred above their columns.
std::string group_line(const TextTable& table, const Layout& layout, const Style& style)
{
    std::string out(kIndent, ' ');
    bool any = false;
    for (std::size_t at = 0; at < layout.columns.size();) {
        const std::string& above = table.columns[layout.columns[at]].group;
        std::size_t span = layout.widths[at];
        std::size_t next = at + 1;
        while (next < layout.columns.size() && !above.empty() &&
               table.columns[layout.columns[next]].group == above)
            span += layout.gap + layout.widths[next++];
        if (at != 0) out += std::string(layout.gap, ' ');
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

std::vector<std::string> titles(const TextTable& table)
{
    std::vector<std::string> titles;
    for (const TextTable::Column& column : table.columns) titles.push_back(column.title);
    return titles;
}

std::string markdown_row(const std::vector<std::string>& cells)
{
    std::string out = "|";
    for (const std::string& cell : cells) out += fmt::format(" {} |", escape_markdown(cell));
    return out + '\n';
}

}  // namespace

void TextTable::row(std::vector<std::string> cells, bool warning)
{
    cells.resize(columns.size());
    rows.push_back({std::move(cells), {}, warning});
}

std::string TextTable::text(Widths widths, const Style& style) const
{
    if (empty()) return {};
    const Layout layout = layout_of(*this, widths.table);
    std::string out = group_line(*this, layout, style);
    out += line(*this, layout, titles(*this), style) + '\n';
    for (const Row& row : rows) {
        if (!row.heading.empty()) {
            out += render::wrap(row.heading, widths.prose, " ", "   ");
            continue;
        }
        const std::string shown = line(*this, layout, row.cells, style);
        out += (row.warning ? style.red(shown) : shown) + '\n';
    }
    return out;
}

std::string TextTable::markdown() const
{
    if (empty()) return {};
    std::vector<std::string> heads;
    std::string rule = "|";
    for (const Column& column : columns) {
        heads.push_back(column.group.empty() ? column.title
                                             : column.group + ", " + column.title);
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

std::string Section::text(Widths widths, const Style& style) const
{
    const std::size_t width = widths.prose;
    std::string out = title.empty() ? "" : style.bold(render::fit(title, width, style)) + '\n';
    for (const std::string& paragraph : intro)
        out += render::wrap(paragraph, width, "  ", "  ");
    out += table.text(widths, style);
    for (const std::string& note : notes) {
        std::string lines = render::wrap(note, width, "  ", "    ");
        if (warning) {
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
        std::ranges::replace(text, kGlue, ' ');
        out += mark + escape_markdown(text) + "\n\n";
    };
    if (!title.empty()) out += "## " + escape_markdown(title) + "\n\n";
    for (const std::string& text : intro) paragraph(text);
    if (!table.empty()) out += table.markdown() + '\n';
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
