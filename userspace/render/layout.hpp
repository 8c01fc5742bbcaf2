// SPDX-License-Identifier: GPL-2.0-only
// Text in columns: display width, cutting, wrapping, tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.hpp"

namespace ipcscope::render {

/// Columns that valid UTF-8 without control characters takes on a terminal.
std::size_t columns(std::string_view text);

/// What differs between terminals.
struct Style {
    bool utf8 = true;
    bool colour = false;

    const char* arrow() const { return utf8 ? "→" : "->"; }
    const char* cut() const { return utf8 ? "…" : "~"; }
    const char* dots() const { return utf8 ? "…" : "..."; }
    const char* none() const { return utf8 ? "–" : "-"; }
    const char* block() const { return utf8 ? "█" : "#"; }
    const char* times() const { return utf8 ? "×" : "x"; }
    std::string bold(std::string_view text) const { return paint("1", text); }
    std::string red(std::string_view text) const { return paint("1;31", text); }

    /// duration(), without µ where that is not ASCII.
    std::string time(std::uint64_t ns) const;
    /// Text of a finding, its arrows, dots and µ in ASCII where it must be.
    std::string plain(std::string text) const;

private:
    std::string paint(const char* code, std::string_view text) const;
};

/// `text`, or its beginning and a mark where it is wider than `width`.
std::string fit(std::string_view text, std::size_t width, const Style& style);
/// fit() that always keeps `tail`: "long-na…/790".
std::string fit(std::string_view text, std::string_view tail, std::size_t width,
                const Style& style);
std::string pad_right(const std::string& text, std::size_t width);
std::string pad_left(const std::string& text, std::size_t width);

/// Breaks at spaces, not at kGlue, which becomes one, and within a word that is wider than a line.  `first`
/// leads the first line, `next` the others; each line ends with a newline.
std::string wrap(std::string_view text, std::size_t width, std::string_view first,
                 std::string_view next);

/// Columns aligned by what is in them; a flexible column is cut where the
/// whole is too wide.
class Table {
public:
    enum class Align { left, right };
    struct Column {
        std::string title;
        Align align = Align::right;
        std::size_t least = 0;   ///< flexible: may be cut to this; 0: never
    };
    struct Cell {
        Cell(std::string whole) : text(std::move(whole)) {}
        Cell(const char* whole) : text(whole) {}
        Cell(std::string cuttable, std::string kept)
            : text(std::move(cuttable)), tail(std::move(kept)) {}
        std::string text;
        std::string tail;        ///< never cut: "/790"
    };

    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

    void row(std::vector<Cell> cells);
    /// Belongs to the row before it: wrapped, further indented.  Empty: none.
    void detail(std::string text);
    bool empty() const { return rows_.empty(); }

    std::string str(std::size_t width, const Style& style) const;

private:
    struct Row {
        std::vector<Cell> cells;
        std::vector<std::string> details;
    };
    struct Shape {
        std::vector<std::size_t> widths;
        std::size_t gap;
    };
    Shape shape(std::size_t width) const;
    std::string line(const std::vector<Cell>& cells, const Shape& shape,
                     const Style& style) const;

    std::vector<Column> columns_;
    std::vector<Row> rows_;
};

}  // namespace ipcscope::render
