// SPDX-License-Identifier: GPL-2.0-only
#include "render/layout.hpp"

#include <chrono>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/safe_text.hpp"
#include "screen.hpp"

namespace ipcscope::render {
namespace {

const Style kStyle;
const Style kAscii{false, false};

TEST(Columns, CountWideAndCombining)
{
    EXPECT_EQ(columns("abc"), 3u);
    EXPECT_EQ(columns("漢字"), 4u);
    EXPECT_EQ(columns("e\xcc\x81"), 1u);
    EXPECT_EQ(columns("→█…"), 3u);
}

TEST(Fit, CutsByColumnsAndMarksIt)
{
    EXPECT_EQ(fit("abcdef", 6, kStyle), "abcdef");
    EXPECT_EQ(fit("abcdef", 4, kStyle), "abc…");
    EXPECT_EQ(fit("abcdef", 4, kAscii), "abc~");
    EXPECT_EQ(fit("漢字漢", 4, kStyle), "漢…");   // 3 columns: half a character is none
    EXPECT_EQ(fit("abc", 0, kStyle), "");
}

TEST(Fit, KeepsTheTail)
{
    EXPECT_EQ(fit("postgres", "/790", 12, kStyle), "postgres/790");
    EXPECT_EQ(fit("postgres", "/790", 8, kStyle), "pos…/790");
    EXPECT_EQ(fit("postgres", "/4194303", 6, kStyle), "postg…");
}

TEST(Wrap, BreaksAtSpacesButNotAtGlue)
{
    EXPECT_EQ(wrap("one two three", 8, "* ", "  "), "* one\n  two\n  three\n");
    EXPECT_EQ(wrap("took 4.02\x1fs to end", 12, "", ""), "took 4.02 s\nto end\n");
    EXPECT_EQ(wrap("took a 4.02\x1fs", 10, "", ""), "took a\n4.02 s\n");
    EXPECT_EQ(wrap("", 10, "* ", ""), "*\n");
}

TEST(Wrap, BreaksAWordThatIsWiderThanALine)
{
    EXPECT_EQ(wrap("abcdefghij", 6, "> ", "  "), "> abcd\n  efgh\n  ij\n");
}

// A capture may name a machine by a megabyte: time that grows with its square is a minute.
TEST(Wrap, TakesTimeInProportion)
{
    const std::string text(1 << 20, 'x');
    const auto begin = std::chrono::steady_clock::now();
    const std::string lines = wrap(text, 80, "", "");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_EQ(lines.size(), text.size() + (text.size() + 79) / 80);
}

TEST(Table, AlignsAndShrinksOnlyFlexibleColumns)
{
    Table table({{"NAME", Table::Align::left, 6}, {"COUNT"}});
    table.row({Table::Cell("a-long-name", "/12"), "1,234"});
    table.row({"b", "5"});
    table.detail("more of b");
    EXPECT_EQ(table.str(80, kStyle), "  NAME            COUNT\n"
                                     "  a-long-name/12  1,234\n"
                                     "  b                   5\n"
                                     "      more of b\n");
    EXPECT_EQ(table.str(17, kStyle), "  NAME      COUNT\n"
                                     "  a-lon…/12 1,234\n"
                                     "  b             5\n"
                                     "      more of b\n");
}

RC_GTEST_PROP(Wrap, NeverExceedsTheWidth, (const std::string& bytes))
{
    const auto width = *rc::gen::inRange<std::size_t>(6, 100);
    const SafeText text = SafeText::escape(bytes);
    RC_ASSERT(screen::bad_line(wrap(text.view(), width, "* ", "  "), width) == "");
    RC_ASSERT(columns(fit(text.view(), width, kStyle)) <= width);
}

}  // namespace
}  // namespace ipcscope::render
