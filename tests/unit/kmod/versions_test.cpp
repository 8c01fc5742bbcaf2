// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include <gtest/gtest.h>

#include "source/kmod/device.hpp"

namespace ipcscope::source::kmod {
namespace {

ipcscope_about ours()
{
    ipcscope_about about{};
    about.transport = IPCSCOPE_TRANSPORT_VERSION;
    about.schema = IPCSCOPE_SCHEMA_VERSION;
    std::strcpy(about.version, "0.1\n");
    return about;
}

TEST(Versions, SameContract)
{
    EXPECT_TRUE(check_versions(ours()));
}

/// One line that has both numbers of both sides, whatever the module calls itself.
TEST(Versions, AnotherContract)
{
    for (const bool schema : {true, false}) {
        ipcscope_about about = ours();
        (schema ? about.schema : about.transport) = 77;
        const auto checked = check_versions(about);
        ASSERT_FALSE(checked);
        const std::string& message = checked.error().message;
        EXPECT_EQ(checked.error().code, Exit::kernel);
        EXPECT_NE(message.find(schema ? "schema 77" : "transport 77"), std::string::npos)
            << message;
        EXPECT_NE(message.find("this ipcscope"), std::string::npos) << message;
        EXPECT_NE(message.find("rmmod ipcscope"), std::string::npos) << message;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
}

}  // namespace
}  // namespace ipcscope::source::kmod
