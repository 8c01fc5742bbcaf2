// SPDX-License-Identifier: GPL-2.0-only
#include "source/kernel_text.hpp"

#include <gtest/gtest.h>

namespace ipcscope::source {
namespace {

TEST(KernelText, FindsTheFunctionBeforeAnAddress)
{
    KernelText text;
    text.parse("ffffffffc0001000 t ext4_write\t[ext4]\n"
               "ffffffff81000100 T second\n"
               "ffffffff81000000 t first\n"
               "ffffffff81000080 D data\n"
               "0000000000000000 T hidden\n"
               "not a line\n"
               "ffffffff81000200 T");
    EXPECT_FALSE(text.find(0xffffffff80ffffff));
    EXPECT_EQ(text.find(0xffffffff81000000)->name, "first");
    EXPECT_EQ(text.find(0xffffffff810000ff)->name, "first") << "data is no text";
    const auto last = text.find(0xffffffffc0001234);
    ASSERT_TRUE(last);
    EXPECT_EQ(last->name, "ext4_write");
    EXPECT_EQ(last->module, "[ext4]");
    EXPECT_EQ(last->start, 0xffffffffc0001000u);
    EXPECT_TRUE(text.find(0xffffffff81000150)->module.empty());
}

TEST(KernelText, HiddenAddressesAreNone)
{
    KernelText text;
    text.parse("0000000000000000 T first\n0000000000000000 T second\n");
    EXPECT_FALSE(text.find(0xffffffff81000000));
}

}  // namespace
}  // namespace ipcscope::source
