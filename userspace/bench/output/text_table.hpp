// SPDX-License-Identifier: GPL-2.0-only
// A table as a value: the same for terminals and for Markdown.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "render/layout.hpp"

namespace ipcscope::bench {

/// Columns that lines of prose, and rows of tables, may have.
struct Widths {
    Widths(std::size_t both) : prose(both), table(both) {}   // NOLINT(google-explicit-constructor)
    Widths(std::size_t of_prose, std::size_t of_table) : prose(of_prose), table(of_table) {}

    std::size_t prose;
    std::size_t table;
};

struct TextTable {
    struct Column {
        std::string title;
        std::string group{};      ///< heading above this column and its neighbours of the same group
        bool left = false;
        std::size_t least = 0;    ///< may be cut to this; 0: never
        bool optional = false;    ///< left out where the whole is too wide
    };
    struct Row {
        std::vector<std::string> cells;
        std::string heading{};    ///< instead of cells: a line across
        bool warning = false;
    };

    std::vector<Column> columns;
    std::vector<Row> rows{};

    bool empty() const { return rows.empty(); }
    void row(std::vector<std::string> cells, bool warning = false);
    void heading(std::string text) { rows.push_back({{}, std::move(text)}); }

    /// Indented lines.
    std::string text(Widths widths, const render::Style& style) const;
    std::string markdown() const;
};

/// A part of a page: a title, a table, and paragraphs around it.
struct Section {
    std::string title;
    std::vector<std::string> intro{};    ///< for wrap(), before the table
    TextTable table{};
    std::vector<std::string> notes{};   ///< after it
    bool warning = false;               ///< the notes are warnings

    std::string text(Widths widths, const render::Style& style) const;
    std::string markdown() const;
};

/// Markdown that shows as `text`.
std::string escape_markdown(const std::string& text);

}  // namespace ipcscope::bench
