// SPDX-License-Identifier: GPL-2.0-only
#include "source/hooks.hpp"

#include <bit>

#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

TEST(Hooks, AllFamiliesAreTriedAtOnce)
{
    int tries = 0;
    const auto families = examine_families(
        [&](const Options& options) -> Result<std::vector<HookStatus>> {
            tries++;
            EXPECT_EQ(options.families, IPCSCOPE_FAMILY_HOOKED);
            return std::vector<HookStatus>(3);
        });
    EXPECT_EQ(tries, 1);
    EXPECT_EQ(families.size(), static_cast<std::size_t>(std::popcount(IPCSCOPE_FAMILY_HOOKED)));
    for (const FamilyStatus& status : families) {
        EXPECT_TRUE(status.works) << status.family.name;
        EXPECT_EQ(status.hooks.size(), 3u);
    }
}

TEST(Hooks, EachFamilyIsTriedByItselfWhereNotAllWork)
{
    FamilyMask tried = 0;
    const auto families = examine_families(
        [&](const Options& options) -> Result<std::vector<HookStatus>> {
            if (options.families & IPCSCOPE_FAMILY_PIPES) {
                tried |= options.families == IPCSCOPE_FAMILY_PIPES ? IPCSCOPE_FAMILY_PIPES : 0;
                return fail(Exit::kernel, "no");
            }
            EXPECT_EQ(std::popcount(options.families), 1);
            EXPECT_EQ(tried & options.families, 0u);
            tried |= options.families;
            return std::vector<HookStatus>(2);
        });
    EXPECT_EQ(tried, IPCSCOPE_FAMILY_HOOKED);
    for (const FamilyStatus& status : families) {
        const bool fails = status.family.name == "pipes";
        EXPECT_EQ(status.works, !fails) << status.family.name;
        EXPECT_EQ(status.hooks.size(), fails ? 0u : 2u);
        EXPECT_EQ(status.why, fails ? "no" : "");
        EXPECT_EQ(status.code, fails ? Exit::kernel : Exit::ok);
    }
}

TEST(Hooks, ALineForEach)
{
    HookStatus hook;
    hook.name = "signal generated";
    hook.why = "no such function";
    EXPECT_EQ(describe(hook), "signal generated: not hooked, no such function");
    hook.attached = true;
    hook.target = "signal_generate";
    hook.mechanism = "tp_btf";
    EXPECT_EQ(describe(hook), "signal generated: signal_generate (tp_btf)");
}

}  // namespace
}  // namespace ipcscope::source
