// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope top`: what a full screen shows, and what its keys do; lines, no terminal.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "diagnose/live_top.hpp"
#include "render/render.hpp"

namespace ipcscope::render {

enum class TopView : std::uint8_t { signals, channels, kills, findings };
inline constexpr std::size_t kTopViews = 4;
constexpr std::size_t index(TopView view) { return static_cast<std::size_t>(view); }

/// What a person chose; as it is at first.
struct TopState {
    TopView view = TopView::signals;
    std::array<std::size_t, kTopViews> sort{};   ///< of each view, which of its orders
    std::array<std::size_t, kTopViews> first{};  ///< the first row that is shown
    bool reversed = false;
    bool frozen = false;
    bool help = false;
    std::string filter;           ///< only rows in which it is; empty: all
    bool typing = false;          ///< a filter is being typed
    std::string typed;
};

struct TopKey {
    enum class Kind : std::uint8_t {
        letter, next_view, last_view, up, down, page_up, page_down, home, end, enter, escape, erase
    };
    Kind kind = Kind::letter;
    char letter = 0;              ///< printable ASCII
};

/// `rows`: of the screen.  False: it is to end.
bool press(TopState& state, TopKey key, std::size_t rows);

struct TopLine {
    enum class Look : std::uint8_t { plain, title, head, alarm, bar };
    std::string text;             ///< safe; no wider than the screen
    Look look = Look::plain;
};

struct TopInput {
    const diagnose::LiveTop& top;
    std::string host;             ///< of which machine; may be empty
    std::string losses;           ///< "nothing lost", as of now: also where the rest is frozen
    bool lost = false;
};

/// A line for each row of the screen, from the top.  A smaller screen than kTopLeastColumns ×
/// kTopLeastRows has one line, which says so.
/// @param state its first rows are brought to those that there are
/// @param options of them colour, wide and families have no effect
std::vector<TopLine> top_lines(const TopInput& input, TopState& state, std::size_t columns,
                               std::size_t rows, const LiveOptions& options);

inline constexpr std::size_t kTopLeastColumns = 60;
inline constexpr std::size_t kTopLeastRows = 8;

}  // namespace ipcscope::render
