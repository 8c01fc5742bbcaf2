// SPDX-License-Identifier: GPL-2.0-only
#include "render/top_sheet.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "base/units.hpp"
#include "decode/names.hpp"
#include "diagnose/codes.hpp"
#include "diagnose/death_effect.hpp"
#include "render/death_words.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace {

using diagnose::Finding;
using diagnose::LiveDeath;
using diagnose::LiveTop;
using diagnose::TopChannel;
using diagnose::TopSignal;
using Align = Table::Align;
using Cells = std::vector<Table::Cell>;
using Look = TopLine::Look;

constexpr std::size_t kLeastName = 7;
constexpr std::size_t kWideColumns = 120;
constexpr std::uint64_t kSecond_ns = 1'000'000'000;

/// By what rows are sorted, the largest first.
template <typename Row>
struct Sort {
    std::string_view name;
    std::uint64_t (*value)(const Row&);
};

/// A view's rows, to what shows any of them.
template <typename Row>
struct Sheet {
    std::span<const Sort<Row>> sorts;
    std::vector<Table::Column> columns;
    Cells (*cells)(const Row&, const LiveTop&, const Style&, bool wide);
    std::string (*words)(const Row&);   ///< that a filter looks at
    bool (*alarm)(const Row&);
};

std::uint64_t per_second(std::uint64_t number, std::uint64_t over_ns)
{
    return over_ns == 0 ? 0
                        : static_cast<std::uint64_t>(static_cast<unsigned __int128>(number) *
                                                     kSecond_ns / over_ns);
}

bool is_wide(std::size_t columns) { return columns >= kWideColumns; }

/// In 1/1000; a part is no more than its whole.
std::uint64_t share(std::uint64_t part, std::uint64_t whole)
{
    return per_second(part, whole) / 1'000'000;
}

std::string name_of(const decode::Task& task)
{
    return fmt::format("{}/{}", task.comm.text().view(), task.tgid);
}

std::string time_or_none(std::uint64_t ns, const Style& style)
{
    return ns == 0 ? style.none() : style.time(ns);
}

std::string at(std::uint64_t time_ns, const LiveTop& top, const Style& style)
{
    return style.time(since(time_ns, top.start_ns));
}

// ---- signals ----------------------------------------------------------------

constexpr std::array<Sort<TopSignal>, 4> kSignalSorts{{
    {"RATE", [](const TopSignal& row) { return per_second(row.added, row.over_ns); }},
    {"SENT", [](const TopSignal& row) { return row.sent; }},
    {"PENDING", [](const TopSignal& row) { return row.pending; }},
    {"MAX", [](const TopSignal& row) { return row.most_ns; }},
}};

std::string per_second_text(const TopSignal& row, const Style& style)
{
    if (row.over_ns == 0 || row.added == 0) {
        return style.none();
    }
    const std::uint64_t rate = per_second(row.added, row.over_ns);
    return rate == 0 ? "<1/s" : count(rate) + "/s";
}

Cells signal_cells(const TopSignal& row, const LiveTop&, const Style& style, bool wide)
{
    Cells cells{sender_cell(row.sender, row.origin), style.arrow(), cell(row.target),
                decode::signal_name(row.signal), per_second_text(row, style), count(row.sent),
                row.pending == 0 ? style.none() : count(row.pending)};
    if (wide) {
        cells.insert(cells.end(), {count(row.taken), time_or_none(row.p50_ns, style),
                                   time_or_none(row.p99_ns, style)});
    }
    cells.emplace_back(time_or_none(row.most_ns, style));
    return cells;
}

Sheet<TopSignal> signals(bool wide)
{
    std::vector<Table::Column> columns{
        {"FROM", Align::left, kLeastName}, {"", Align::left}, {"TO", Align::left, kLeastName},
        {"SIGNAL", Align::left},           {"RATE"},          {"SENT"},
        {"PENDING"}};
    if (wide) {
        columns.insert(columns.end(), {{"TAKEN"}, {"P50"}, {"P99"}});
    }
    columns.push_back({"MAX"});
    return {kSignalSorts, std::move(columns), signal_cells,
            [](const TopSignal& row) {
                return fmt::format("{} {} {} {}", name_of(row.sender),
                                   decode::origin_label(row.origin), name_of(row.target),
                                   decode::signal_name(row.signal));
            },
            [](const TopSignal& row) { return row.pending != 0; }};
}

// ---- pipes, sockets, queues ---------------------------------------------------

constexpr std::array<Sort<TopChannel>, 5> kChannelSorts{{
    {"FULL", [](const TopChannel& row) { return share(row.full_ns, row.over_ns); }},
    {"EMPTY", [](const TopChannel& row) { return share(row.empty_ns, row.over_ns); }},
    {"RATE", [](const TopChannel& row) { return per_second(row.bytes, row.over_ns); }},
    {"WAITS", [](const TopChannel& row) { return row.waits; }},
    {"QUIET", [](const TopChannel& row) { return row.quiet_ns; }},
}};

/// "cat/12", "cat/12 +3"
Table::Cell user(const decode::Task& task, std::size_t of)
{
    if (of == 0) {
        return "?";
    }
    return {task.comm.text().str(),
            fmt::format("/{}{}", task.tgid, of > 1 ? fmt::format(" +{}", of - 1) : "")};
}

Cells channel_cells(const TopChannel& row, const LiveTop&, const Style& style, bool wide)
{
    const bool quiet = row.over_ns == 0;
    const std::string speed = rate(row.bytes, row.over_ns);
    Cells cells{{std::string(kind_text(row.type)),
                 " " + object_text(row.type, row.object.object)},
                user(row.writer, row.writers),
                style.arrow(),
                user(row.reader, row.readers),
                speed.empty() ? style.none() : speed,
                quiet ? style.none() : count(row.waits),
                quiet ? style.none() : whole_percent(row.full_ns, row.over_ns),
                quiet ? style.none() : whole_percent(row.empty_ns, row.over_ns),
                time_or_none(row.quiet_ns, style)};
    if (wide) {
        cells.insert(cells.end(),
                     {bytes(row.total_bytes), count(row.total_waits), row.path.str()});
    }
    return cells;
}

Sheet<TopChannel> channels(bool wide)
{
    std::vector<Table::Column> columns{{"OBJECT", Align::left, kLeastName},
                                       {"WRITER", Align::left, kLeastName},
                                       {"", Align::left},
                                       {"READER", Align::left, kLeastName},
                                       {"RATE"},
                                       {"WAITS"},
                                       {"FULL"},
                                       {"EMPTY"},
                                       {"QUIET"}};
    if (wide) {
        columns.insert(columns.end(), {{"BYTES"}, {"ALL WAITS"}, {"PATH", Align::left, kLeastName}});
    }
    return {kChannelSorts, std::move(columns), channel_cells,
            [](const TopChannel& row) {
                return fmt::format("{} {} {} {} {}", kind_text(row.type),
                                   object_text(row.type, row.object.object), name_of(row.writer),
                                   name_of(row.reader), row.path.view());
            },
            [](const TopChannel& row) {
                return row.full_ns != 0 && at_least(row.full_ns, row.over_ns, 1, 2);
            }};
}

// ---- kills --------------------------------------------------------------------

/// It is still there though no handler of its own has the signal, and it does not ignore it.
bool should_end(const LiveDeath& row)
{
    return row.still_ns != 0 && !diagnose::is_ignored(row.death) &&
           !diagnose::was_handled(row.death);
}

std::uint64_t waited_ns(const LiveDeath& row)
{
    return row.still_ns != 0 ? row.still_ns : since(row.at_ns, row.death.first_ns());
}

/// Those that should end before those that handle it or ignore it, these before those that did.
std::uint64_t pending_first(const LiveDeath& row)
{
    constexpr std::uint64_t kClass = 1ull << 62;
    const std::uint64_t ns = std::min(waited_ns(row), kClass - 1);
    const std::uint64_t rank = should_end(row) ? 2 : row.still_ns != 0 ? 1 : 0;
    return rank * kClass + ns;
}

constexpr std::array<Sort<LiveDeath>, 3> kKillSorts{{
    {"STILL THERE", pending_first},
    {"TOOK", waited_ns},
    {"SENT AT", [](const LiveDeath& row) { return row.death.first_ns(); }},
}};

Cells kill_cells(const LiveDeath& row, const LiveTop& top, const Style& style, bool)
{
    const aggregate::DeathSend& first = row.death.sends.front();
    return {at(row.death.first_ns(), top, style), sender_cell(first.sender, first.origin),
            style.arrow(), cell(row.death.target), death_signals(row.death, style),
            death_time(row, style), death_outcome(row)};
}

Sheet<LiveDeath> kills()
{
    return {kKillSorts,
            {{"SENT AT"},
             {"FROM", Align::left, kLeastName},
             {"", Align::left},
             {"TO", Align::left, kLeastName},
             {"SIGNALS", Align::left, kLeastName},
             {"TOOK"},
             {"END", Align::left, kLeastName}},
            kill_cells,
            [](const LiveDeath& row) {
                const aggregate::DeathSend& first = row.death.sends.front();
                return fmt::format("{} {} {} {} {}", name_of(first.sender),
                                   decode::origin_label(first.origin), name_of(row.death.target),
                                   death_signals(row.death, {}), death_outcome(row));
            },
            should_end};
}

// ---- findings -----------------------------------------------------------------

constexpr std::array<Sort<Finding>, 3> kFindingSorts{{
    {"SEVERITY",
     [](const Finding& row) { return UINT64_MAX - static_cast<std::uint64_t>(row.severity); }},
    {"COST", [](const Finding& row) { return row.duration_ns; }},
    {"AT", [](const Finding& row) { return row.at_ns; }},
}};

std::string code_of(const Finding& row) { return std::string(diagnose::info(row.code).name); }

std::string text_of(const Finding& row)
{
    std::string text = row.text;
    std::ranges::replace(text, kGlue, ' ');
    return text;
}

Sheet<Finding> findings()
{
    return {kFindingSorts, {}, nullptr,
            [](const Finding& row) { return code_of(row) + ' ' + text_of(row); },
            [](const Finding& row) { return row.severity == diagnose::Severity::error; }};
}

// ---- any of them --------------------------------------------------------------

std::string lower(std::string text)
{
    std::ranges::transform(text, text.begin(), [](unsigned char letter) {
        return letter < 0x80 ? static_cast<char>(std::tolower(letter)) : static_cast<char>(letter);
    });
    return text;
}

template <typename Row>
std::vector<const Row*> order(const std::vector<Row>& rows, const Sheet<Row>& sheet,
                              const TopState& state)
{
    const std::string wanted = lower(state.filter);
    std::vector<std::pair<std::uint64_t, const Row*>> keyed;
    const auto& sort = sheet.sorts[state.sort[index(state.view)] % sheet.sorts.size()];
    for (const Row& row : rows) {
        if (wanted.empty() || lower(sheet.words(row)).find(wanted) != std::string::npos) {
            keyed.emplace_back(sort.value(row), &row);
        }
    }
    std::ranges::stable_sort(keyed, [&](const auto& a, const auto& b) {
        return state.reversed ? a.first < b.first : a.first > b.first;
    });
    std::vector<const Row*> order;
    for (const auto& [key, row] : keyed) {
        order.push_back(row);
    }
    return order;
}

void add_lines(TopSheet& sheet, std::string_view text, Look look)
{
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        sheet.lines.push_back({std::string(text.substr(at, end - at)), look});
        at = end + 1;
    }
}

/// A row a line.
template <typename Row>
TopSheet table(const LiveTop& top, const std::vector<Row>& all, Sheet<Row> sheet,
               const TopState& state, std::size_t columns, std::size_t rows, const Style& style)
{
    const std::vector<const Row*> passed = order(all, sheet, state);
    TopSheet made;
    made.size = passed.size();
    made.first = std::min(state.first[index(state.view)], since(passed.size(), rows));
    made.shown = std::min(rows, passed.size() - made.first);
    const auto shown = std::span(passed).subspan(made.first, made.shown);
    Table cells(std::move(sheet.columns));
    for (const Row* row : shown) {
        cells.row(sheet.cells(*row, top, style, is_wide(columns)));
    }
    add_lines(made, cells.str(columns, style), Look::plain);
    made.lines.at(0).look = Look::head;
    for (std::size_t at = 0; at < shown.size(); ++at) {
        if (sheet.alarm(*shown[at])) {
            made.lines.at(at + 1).look = Look::alarm;
        }
    }
    return made;
}

/// A finding is a sentence, of as many lines as it takes.
TopSheet sentences(const LiveTop& top, const TopState& state, std::size_t columns,
                   std::size_t rows, const Style& style)
{
    const Sheet<Finding> sheet = findings();
    const std::vector<const Finding*> passed = order(top.findings, sheet, state);
    TopSheet made;
    made.size = passed.size();
    made.first = std::min(state.first[index(state.view)], since(passed.size(), 1));
    made.lines.push_back({"         AT  FINDING", Look::head});
    for (const Finding* row : std::span(passed).subspan(made.first)) {
        if (made.lines.size() > rows) {
            break;
        }
        const std::string when = pad_left(at(row->at_ns, top, style), 11);
        add_lines(made,
                  wrap(fmt::format("{}: {}", code_of(*row), style.plain(row->text)), columns,
                       when + "  ", std::string(15, ' ')),
                  sheet.alarm(*row) ? Look::alarm : Look::plain);
        ++made.shown;
    }
    return made;
}

template <typename Row, std::size_t N>
std::vector<std::string_view> names(const std::array<Sort<Row>, N>& sorts)
{
    std::vector<std::string_view> names;
    for (const Sort<Row>& sort : sorts) {
        names.push_back(sort.name);
    }
    return names;
}

}  // namespace

std::vector<std::string_view> top_sorts(TopView view)
{
    switch (view) {
    case TopView::signals: return names(kSignalSorts);
    case TopView::channels: return names(kChannelSorts);
    case TopView::kills: return names(kKillSorts);
    case TopView::findings: return names(kFindingSorts);
    }
    return {};
}

std::size_t top_size(const LiveTop& top, TopView view)
{
    switch (view) {
    case TopView::signals: return top.signals.size();
    case TopView::channels: return top.channels.size();
    case TopView::kills: return top.deaths.size();
    case TopView::findings: return top.findings.size();
    }
    return 0;
}

TopSheet top_sheet(const LiveTop& top, const TopState& state, std::size_t columns,
                   std::size_t rows, const Style& style)
{
    const bool wide = is_wide(columns);
    switch (state.view) {
    case TopView::signals:
        return table(top, top.signals, signals(wide), state, columns, rows, style);
    case TopView::channels:
        return table(top, top.channels, channels(wide), state, columns, rows, style);
    case TopView::kills: return table(top, top.deaths, kills(), state, columns, rows, style);
    case TopView::findings: return sentences(top, state, columns, rows, style);
    }
    return {};
}

}  // namespace ipcscope::render
