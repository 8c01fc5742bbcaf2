// SPDX-License-Identifier: GPL-2.0-only
#include "source/symbols.hpp"

#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

TEST(Symbols, ReadsTheTextOfAStack)
{
    Symbols symbols;
    const auto names = symbols.of_stack_text("[<0>] io_schedule+0x46/0x70\n"
                                             "[<0>] ext4_write+0x1/0x2 [ext4]\n");
    ASSERT_EQ(names.size(), 2u);
    EXPECT_EQ(names[0].text, "io_schedule+0x46");
    EXPECT_EQ(names[1].text, "ext4_write+0x1 [ext4]");
    EXPECT_NE(names[0].id, names[1].id);
}

TEST(Symbols, GivesANameOneIdAndSaysWhenItIsNew)
{
    Symbols symbols;
    const std::string text = "[<0>] a+0x1/0x2\n[<0>] b+0x1/0x2\n[<0>] a+0x1/0x2\n";
    const auto names = symbols.of_stack_text(text);
    ASSERT_EQ(names.size(), 3u);
    EXPECT_EQ(names[0].id, names[2].id);
    EXPECT_TRUE(names[0].is_new);
    EXPECT_FALSE(names[2].is_new);
    EXPECT_FALSE(symbols.of_stack_text(text)[1].is_new);
}

TEST(Symbols, HasNoNameForAnAddressOutsideTheKernel)
{
    Symbols symbols;
    const std::uint64_t addresses[] = {1};
    const auto names = symbols.of_addresses(addresses);
    ASSERT_EQ(names.size(), 1u);
    EXPECT_EQ(names[0].text, "?");
}

TEST(Symbols, AStackBeginsWithWhatTheThreadWaitsFor)
{
    Symbols symbols;
    const auto tops = [&](const std::string& text) {
        std::string joined;
        for (const auto& name : symbols.of_stack_text(text)) joined += name.text + ";";
        return joined;
    };
    EXPECT_EQ(tops("[<0>] __traceiter_sched_switch+0x1/0x2\n[<0>] __schedule+0x1/0x2\n"
                   "[<0>] schedule+0x1/0x2\n[<0>] io_schedule+0x1/0x2\n"
                   "[<0>] schedule+0x1/0x2\n"),
              "io_schedule+0x1;schedule+0x1;");
    EXPECT_EQ(tops("[<0>] bpf_prog_1234_on_switch+0x1/0x2 [bpf]\n"
                   "[<0>] ipcscope_on_switch+0x1/0x2 [ipcscope]\n[<0>] pipe_read+0x1/0x2\n"),
              "pipe_read+0x1;");
    EXPECT_EQ(tops("[<0>] finish_task_switch.isra.0+0x1/0x2\n[<0>] pipe_read+0x1/0x2\n"),
              "pipe_read+0x1;");
    EXPECT_EQ(tops("[<0>] schedule_timeout+0x1/0x2\n"), "schedule_timeout+0x1;");
    EXPECT_EQ(tops("[<0>] __schedule+0x1/0x2\n"), "__schedule+0x1;") << "better than none";
}

TEST(Symbols, OfTextThatIsNoStackAreNone)
{
    Symbols symbols;
    EXPECT_TRUE(symbols.of_stack_text("").empty());
    EXPECT_TRUE(symbols.of_stack_text("\n").empty());
    EXPECT_TRUE(symbols.of_stack_text("nonsense\n").empty());
}

}  // namespace
}  // namespace ipcscope::source
