// SPDX-License-Identifier: GPL-2.0-only
// A table as a value: the same for terminals and for Markdown.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "render/layout.hpp"

namespace ipcscope::bench {

struct Grid {
    struct Column {
        std::string title;
        std::string above{};      ///< what this column and equal neighbours are about
        bool left = false;
        std::size_t least = 0;    ///< may be cut to this; 0: never
        bool optional = false;    ///< left out where the whole is too wide
    };
    struct Row {
        std::vector<std::string> cells;
        std::string heading{};    ///< instead of cells: a line across
        bool alarming = false;
    };

    std::vector<Column> columns;
    std::vector<Row> rows{};

    bool empty() const { return rows.empty(); }
    void row(std::vector<std::string> cells, bool alarming = false);
    void heading(std::string text) { rows.push_back({{}, std::move(text)}); }

    /// Lines of at most `width` columns, indented.
    std::string text(std::size_t width, const render::Style& style) const;
    std::string markdown() const;
};

/// A part of a page: a title, a grid, and paragraphs around it.
struct Section {
    std::string title;
    std::vector<std::string> lead{};    ///< for wrap(), before the grid
    Grid grid{};
    std::vector<std::string> notes{};   ///< after it
    bool alarming = false;              ///< the notes are

    std::string text(std::size_t width, const render::Style& style) const;
    std::string markdown() const;
};

/// Markdown that shows as `text`.
std::string escape_markdown(const std::string& text);

}  // namespace ipcscope::bench
