// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>

#include "render/layout.hpp"
#include "render/top.hpp"
#include "sample.hpp"
#include "screen.hpp"

namespace ipcscope::render {
namespace {

using diagnose::LiveTop;
using diagnose::TopChannel;
using diagnose::TopSignal;

constexpr std::uint64_t kSecond = 1'000'000'000;

TopSignal signal(std::uint32_t from, std::uint32_t to, std::uint64_t added, std::uint64_t sent)
{
    TopSignal row;
    row.sender = sample::task(from, "sender");
    row.target = sample::task(to, "target");
    row.signal = 10;
    row.over_ns = added == 0 ? 0 : kSecond;
    row.added = added;
    row.sent = sent;
    row.taken = sent;
    row.p50_ns = row.p99_ns = row.most_ns = 5'000;
    return row;
}

TopChannel channel(std::uint64_t inode, std::uint64_t full_percent)
{
    TopChannel row;
    row.object.object = inode;
    row.type = decode::ObjectType::pipe;
    row.writer = sample::task(20, "yes");
    row.reader = sample::task(21, "gzip");
    row.writers = 1;
    row.readers = 3;
    row.over_ns = kSecond;
    row.bytes = 3u << 20;
    row.waits = 12;
    row.full_ns = kSecond * full_percent / 100;
    return row;
}

diagnose::LiveDeath death(std::uint32_t pid, std::uint64_t still_ns)
{
    diagnose::LiveDeath row;
    row.death.target = sample::task(pid, "victim");
    auto& send = row.death.sends.emplace_back();
    send.sender = sample::task(30, "killer");
    send.signal = 9;
    send.count = 1;
    send.first_ns = kSecond;
    row.still_ns = still_ns;
    row.at_ns = kSecond + std::max<std::uint64_t>(still_ns, 7'000'000);
    if (still_ns == 0) {
        row.death.gone_ns = row.at_ns;
        row.death.exit_code = 9;
    }
    return row;
}

LiveTop some()
{
    LiveTop top;
    top.now_ns = 5 * kSecond;
    top.signals = {signal(1, 2, 100, 300), signal(3, 4, 0, 900)};
    top.channels = {channel(7, 10), channel(8, 90)};
    top.deaths = {death(40, 0), death(41, 2 * kSecond), death(42, 4 * kSecond)};
    return top;
}

struct Shown {
    std::vector<TopLine> lines;
    std::string text() const
    {
        std::string text;
        for (const TopLine& line : lines) {
            text += line.text + '\n';
        }
        return text;
    }
    /// The first line that has it; none: -1.
    int line_of(std::string_view what) const
    {
        for (std::size_t at = 0; at < lines.size(); ++at) {
            if (lines[at].text.find(what) != std::string::npos) return static_cast<int>(at);
        }
        return -1;
    }
};

Shown shown(const LiveTop& top, TopState& state, std::size_t columns = 80, std::size_t rows = 24,
            std::string losses = "nothing lost", bool utf8 = true)
{
    LiveOptions options;
    options.utf8 = utf8;
    return {top_lines({top, "box", std::move(losses), false}, state, columns, rows, options)};
}

bool type(TopState& state, std::string_view keys)
{
    for (const char letter : keys) {
        if (!press(state, {TopKey::Kind::letter, letter}, 24)) return false;
    }
    return true;
}

TEST(Top, SignalsAtFirst)
{
    TopState state;
    const Shown page = shown(some(), state);
    ASSERT_EQ(page.lines.size(), 24u);
    EXPECT_EQ(page.lines[0].text, "ipcscope top  5.000000 s  box");
    EXPECT_EQ(page.lines[1].text, "[1 signals 2]  2 pipes, sockets 2   3 kills 3   4 findings 0  ");
    EXPECT_EQ(page.lines[2].text, "  FROM         TO        SIGNAL    RATE  SENT  PENDING      MAX");
    EXPECT_EQ(page.lines[3].text, "  sender/1  →  target/2  SIGUSR1  100/s   300        –  5.00 µs");
    EXPECT_EQ(page.lines[4].text, "  sender/3  →  target/4  SIGUSR1      –   900        –  5.00 µs");
    EXPECT_EQ(page.lines[22].text, "nothing lost | by RATE | rows 1-2 of 2");
    EXPECT_EQ(page.lines[23].look, TopLine::Look::bar);
}

TEST(Top, EachViewHasItsWorstFirst)
{
    TopState state;
    type(state, "2");
    Shown page = shown(some(), state);
    EXPECT_LT(page.line_of("pipe 8"), page.line_of("pipe 7"));
    EXPECT_EQ(page.lines[3].look, TopLine::Look::alarm);
    EXPECT_EQ(page.lines[4].look, TopLine::Look::plain);
    EXPECT_NE(page.line_of("gzip/21 +2"), -1);
    type(state, "3");
    page = shown(some(), state);
    EXPECT_EQ(page.line_of("victim/42"), 3);
    EXPECT_EQ(page.line_of("victim/41"), 4);
    EXPECT_EQ(page.line_of("victim/40"), 5);
    EXPECT_NE(page.lines[3].text.find(">4.00 s"), std::string::npos);
    EXPECT_EQ(page.lines[5].look, TopLine::Look::plain);
}

TEST(Top, WhatIgnoresItIsNotPending)
{
    LiveTop top = some();
    auto& ignored = top.deaths.emplace_back(death(43, 9 * kSecond)).death.sends[0];
    ignored.outcomes[static_cast<std::size_t>(decode::Outcome::ignored)] = 1;
    TopState state;
    type(state, "3");
    const Shown page = shown(top, state);
    EXPECT_EQ(page.line_of("victim/43"), 5);
    EXPECT_EQ(page.lines[5].look, TopLine::Look::plain);
}

TEST(Top, FindingsAsSentences)
{
    LiveTop top = some();
    auto note = diagnose::finding(diagnose::Code::ring_turns, "a note");
    auto error = diagnose::finding(diagnose::Code::deadlock,
                                   "two processes wait for each other, and the line is so long "
                                   "that it takes another one");
    top.findings = {note, error};
    TopState state;
    type(state, "4");
    const Shown page = shown(top, state);
    EXPECT_EQ(page.line_of("deadlock: two processes"), 3);
    EXPECT_EQ(page.lines[3].look, TopLine::Look::alarm);
    EXPECT_EQ(page.lines[4].look, TopLine::Look::alarm);
    EXPECT_NE(page.lines[4].text.find("another one"), std::string::npos);
    EXPECT_EQ(page.line_of("ring-turns: a note"), 5);
}

TEST(Top, KeysSortReverseAndFilter)
{
    TopState state;
    type(state, "s");
    Shown page = shown(some(), state);
    EXPECT_EQ(page.line_of("sender/3"), 3);   // by SENT
    EXPECT_NE(page.line_of("| by SENT |"), -1);
    type(state, "r");
    EXPECT_EQ(shown(some(), state).line_of("sender/1"), 3);
    type(state, "/TARGET/4");
    page = shown(some(), state);
    EXPECT_EQ(page.lines[23].text, "only rows with: TARGET/4_");
    EXPECT_NE(page.line_of("sender/1"), -1);   // not yet
    press(state, {TopKey::Kind::erase}, 24);
    type(state, "4");
    press(state, {TopKey::Kind::enter}, 24);
    page = shown(some(), state);
    EXPECT_EQ(page.line_of("sender/1"), -1);
    EXPECT_NE(page.line_of("sender/3"), -1);
    EXPECT_NE(page.line_of("rows 1-1 of 1 | with TARGET/4"), -1);
    press(state, {TopKey::Kind::escape}, 24);
    EXPECT_NE(shown(some(), state).line_of("sender/1"), -1);
}

TEST(Top, KeysChangeTheViewAndEnd)
{
    TopState state;
    press(state, {TopKey::Kind::next_view}, 24);
    EXPECT_EQ(state.view, TopView::channels);
    press(state, {TopKey::Kind::last_view}, 24);
    press(state, {TopKey::Kind::last_view}, 24);
    EXPECT_EQ(state.view, TopView::findings);
    type(state, "h");
    EXPECT_NE(shown(some(), state).line_of("freeze the tables"), -1);
    type(state, "x");
    EXPECT_EQ(shown(some(), state).line_of("freeze the tables"), -1);
    type(state, "f");
    EXPECT_NE(shown(some(), state).line_of("FROZEN"), -1);
    EXPECT_TRUE(type(state, "/q"));   // of a filter
    press(state, {TopKey::Kind::escape}, 24);
    EXPECT_FALSE(type(state, "q"));
}

TEST(Top, ScrollsToTheEndAndBack)
{
    LiveTop top;
    for (std::uint32_t at = 1; at <= 100; ++at) {
        top.signals.push_back(signal(at, 2, 1000 - at, 1));
    }
    TopState state;
    type(state, "G");
    EXPECT_NE(shown(top, state).line_of("sender/100"), -1);
    EXPECT_NE(shown(top, state).line_of("rows 82-100 of 100"), -1);
    press(state, {TopKey::Kind::up}, 24);
    EXPECT_NE(shown(top, state).line_of("rows 81-99 of 100"), -1);
    press(state, {TopKey::Kind::page_up}, 24);
    EXPECT_NE(shown(top, state).line_of("rows 62-80 of 100"), -1);
    type(state, "gj");
    EXPECT_NE(shown(top, state).line_of("rows 2-20 of 100"), -1);
}

TEST(Top, LossesAreOnEveryScreen)
{
    TopState state;
    for (const char* keys : {"", "h", "h2f", "/abc"}) {
        type(state, keys);
        for (const auto& [columns, rows] : {std::pair{80, 24}, {200, 60}, {60, 8}, {59, 24}}) {
            EXPECT_NE(shown(some(), state, columns, rows, "77 LOST (77 ring_full)").line_of("77 LOST"), -1)
                << keys << ' ' << columns;
        }
    }
}

TEST(Top, MoreColumnsWhereThereIsRoom)
{
    TopState state;
    EXPECT_EQ(shown(some(), state).line_of("P99"), -1);
    EXPECT_NE(shown(some(), state, 120).line_of("P99"), -1);
}

TEST(Top, ATooSmallScreenHasOneLine)
{
    TopState state;
    const Shown page = shown(some(), state, 20, 24);
    ASSERT_EQ(page.lines.size(), 1u);
    EXPECT_EQ(page.lines[0].text, "60x8 is needed; not…");
    EXPECT_EQ(shown(some(), state, 80, 1).lines.size(), 1u);
}

TEST(Top, AnyScreenAnyNames)
{
    EXPECT_TRUE(rc::check("no line is too wide, nor one too many", [] {
        LiveTop top = some();
        const auto name = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
        const decode::Task hostile{UINT32_MAX, UINT32_MAX, Comm(name)};
        for (TopSignal& row : top.signals) {
            row.sender = row.target = hostile;
            row.sent = row.pending = row.added = UINT64_MAX;
        }
        for (TopChannel& row : top.channels) {
            row.writer = row.reader = hostile;
            row.path = SafeText::escape(name);
            row.bytes = row.quiet_ns = row.object.object = UINT64_MAX;
        }
        for (auto& row : top.deaths) {
            row.death.target = row.death.sends[0].sender = hostile;
        }
        top.findings = {diagnose::finding(diagnose::Code::deadlock, SafeText::escape(name).str())};
        TopState state;
        state.view = static_cast<TopView>(*rc::gen::inRange(0, 4));
        state.filter = *rc::gen::arbitrary<bool>() ? "a" : "";
        const auto columns = *rc::gen::inRange<std::size_t>(1, 250);
        const auto rows = *rc::gen::inRange<std::size_t>(1, 70);
        const bool utf8 = *rc::gen::arbitrary<bool>();
        const Shown page = shown(top, state, columns, rows, "nothing lost", utf8);
        RC_ASSERT(page.lines.size() <= rows);
        RC_ASSERT(screen::bad_line(page.text(), columns) == "");
        RC_ASSERT(utf8 || std::ranges::all_of(page.text(), [](char byte) {
                      return static_cast<unsigned char>(byte) < 0x80;
                  }));
    }));
}

}  // namespace
}  // namespace ipcscope::render
