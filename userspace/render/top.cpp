// SPDX-License-Identifier: GPL-2.0-only
#include "render/top.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/units.hpp"
#include "render/layout.hpp"
#include "render/live_line.hpp"
#include "render/top_sheet.hpp"

namespace ipcscope::render {
namespace {

using Look = TopLine::Look;

constexpr std::size_t kAround = 5;   ///< lines around the table: 2 above its titles, 2 below
constexpr std::array<std::string_view, kTopViews> kViewNames{"signals", "pipes, sockets", "kills",
                                                             "findings"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 9> kKeys{{
    {"Tab, 1-4", "the next view, or that one: signals, pipes and sockets, kills, findings"},
    {"s, r", "sort by the next column; the other way round"},
    {"/", "only rows with this text: Enter takes it, Esc leaves it as it was"},
    {"Esc", "no filter"},
    {"f, Space", "freeze the tables, or let them go on; losses are always as of now"},
    {"Up, Down", "scroll by a line, as k, j"},
    {"PgUp, PgDn", "scroll by a page; Home, End, as g, G"},
    {"h, ?", "this help; any key leaves it"},
    {"q", "the end"},
}};
constexpr std::array<std::string_view, 9> kColumns{
    "RATE      signals, or bytes, a second, since the row last changed",
    "PENDING   signals that are queued and have not been taken",
    "MAX       longest time from generation to delivery, of the whole trace",
    "WAITS     calls that slept; with RATE, FULL and EMPTY of the time since the",
    "          last picture in which a call ended",
    "FULL      share of that time in which a writer waited for room",
    "EMPTY     share in which a reader waited for data",
    "QUIET     no call has ended for so long: idle, or all its users wait",
    "TOOK      from the first signal that should end it; >: it is still there",
};

std::string view_tabs(const diagnose::LiveTop& top, const TopState& state)
{
    std::string text;
    for (std::size_t view = 0; view < kTopViews; ++view) {
        const bool active = view == index(state.view);
        const std::string tab =
            fmt::format("{} {} {}", view + 1, kViewNames[view],
                        count(top_size(top, static_cast<TopView>(view))));
        text += active ? fmt::format("[{}] ", tab) : fmt::format(" {}  ", tab);
    }
    return text;
}

std::string title(const TopInput& input, const TopState& state, const LiveOptions& options)
{
    std::string text = fmt::format("ipcscope top  {} s", clock(input.top.now_ns, input.top.start_ns, options));
    if (input.top.ended) {
        text += ", the end";
    }
    if (!input.host.empty()) {
        text += "  " + input.host;
    }
    return state.frozen ? text + "  FROZEN" : text;
}

/// Losses first: a narrow screen cuts what follows.
std::string status(const TopInput& input, const TopState& state, const TopSheet& sheet)
{
    std::string text = input.losses;
    if (!input.top.missing.empty()) {
        text += ", " + input.top.missing;
    }
    const auto sorts = top_sorts(state.view);
    text += fmt::format(" | by {}{}", sorts[state.sort[index(state.view)] % sorts.size()],
                        state.reversed ? ", reversed" : "");
    if (sheet.size != 0) {
        text += fmt::format(" | rows {}-{} of {}", sheet.first + 1,
                            sheet.first + sheet.shown, sheet.size);
    }
    if (!state.filter.empty()) {
        text += " | with " + state.filter;
    }
    return text;
}

std::string keys_bar(const TopState& state)
{
    return state.typing
               ? fmt::format("only rows with: {}_", state.typed)
               : fmt::format(
                     "q quit  Tab view  s sort  r reverse  / filter  f {}  h help",
                     state.frozen ? "go on" : "freeze");
}

/// The text as a screen of another character set can show it.
std::string ascii(std::string_view text)
{
    std::string out;
    for (const char byte : text) {
        const auto value = static_cast<unsigned char>(byte);
        if (value < 0x80) {
            out += byte;
        } else if (value >= 0xc0) {
            out += '?';   // the first byte of a character
        }
    }
    return out;
}

class Page {
public:
    Page(std::size_t columns, const LiveOptions& options)
        : columns_(columns), style_{options.utf8, false}
    {
    }
    void add(std::string_view text, Look look = Look::plain)
    {
        lines_.push_back({fit(style_.utf8 ? std::string(text) : ascii(text), columns_, style_), look});
    }
    void blank_to(std::size_t row)
    {
        lines_.resize(std::max(row, lines_.size()));
    }
    const Style& style() const { return style_; }
    std::vector<TopLine> lines(std::size_t rows) &&
    {
        lines_.resize(std::min(rows, lines_.size()));
        return std::move(lines_);
    }

private:
    std::size_t columns_;
    Style style_;
    std::vector<TopLine> lines_;
};

void add_help(Page& page)
{
    for (const auto& [key, what] : kKeys) {
        page.add(fmt::format("  {:<11} {}", key, what));
    }
    page.add("");
    for (const std::string_view line : kColumns) {
        page.add(fmt::format("  {}", line));
    }
}

void add_sheet(Page& page, const TopSheet& sheet)
{
    for (const TopLine& line : sheet.lines) {
        page.add(line.text, line.look);
    }
    if (sheet.size == 0) {
        page.add("  none");
    }
}

}  // namespace

std::size_t top_table_rows(std::size_t rows) { return since(rows, kAround); }

std::vector<TopLine> top_lines(const TopInput& input, TopState& state, std::size_t columns,
                               std::size_t rows, const LiveOptions& options)
{
    Page page(columns, options);
    if (columns < kTopLeastColumns || rows < kTopLeastRows) {
        page.add(fmt::format("{}x{} is needed; {}", kTopLeastColumns, kTopLeastRows, input.losses),
                 input.lost ? Look::alarm : Look::plain);
        return std::move(page).lines(rows);
    }
    page.add(title(input, state, options), Look::title);
    page.add(view_tabs(input.top, state));
    const TopSheet sheet =
        top_sheet(input.top, state, columns, top_table_rows(rows), page.style());
    state.first[index(state.view)] = sheet.first;
    if (state.help) {
        add_help(page);
    } else {
        add_sheet(page, sheet);
    }
    page.blank_to(rows - 2);
    std::vector<TopLine> lines = std::move(page).lines(rows - 2);
    Page below(columns, options);
    below.add(status(input, state, sheet), input.lost ? Look::alarm : Look::plain);
    below.add(keys_bar(state), Look::bar);
    for (TopLine& line : std::move(below).lines(2)) {
        lines.push_back(std::move(line));
    }
    return lines;
}

}  // namespace ipcscope::render
