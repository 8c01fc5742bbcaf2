// SPDX-License-Identifier: GPL-2.0-only
// The tables of `ipcscope top`: which rows, in which order, and as what cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "render/layout.hpp"
#include "render/top.hpp"

namespace ipcscope::render {

/// Rows of the table where the screen has so many.
std::size_t top_table_rows(std::size_t rows);

/// What the rows of a view can be sorted by, the titles of its columns; the first at first.
std::vector<std::string_view> top_sorts(TopView view);

/// A part of what a view shows.
struct TopSheet {
    std::vector<TopLine> lines;
    std::size_t first = 0;        ///< the first row that is shown; a row may be several lines
    std::size_t shown = 0;
    std::size_t size = 0;         ///< rows that pass the filter
};

/// The titles, and rows from `state.first` on; where these are fewer than the screen has room
/// for, from as far before it as there is.
/// @param rows lines below the titles
TopSheet top_sheet(const diagnose::LiveTop& top, const TopState& state, std::size_t columns,
                   std::size_t rows, const Style& style);

/// How many rows each view has, before the filter.
std::size_t top_size(const diagnose::LiveTop& top, TopView view);

}  // namespace ipcscope::render
