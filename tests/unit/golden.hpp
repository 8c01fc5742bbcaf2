// SPDX-License-Identifier: GPL-2.0-only
// Whole outputs against files: golden/NAME beside the test.  With UPDATE_GOLDEN
// in the environment the files are written anew first; read the diff.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace ipcscope {

/// `test`: the caller's __FILE__.
inline void expect_golden(const char* test, const std::string& name, const std::string& actual)
{
    const auto path = std::filesystem::path(test).parent_path() / "golden" / name;
    if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << actual;
    std::ifstream file(path);
    ASSERT_TRUE(file) << name << ": not there; see the head of this test";
    std::stringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(expected.str(), actual);
}

}  // namespace ipcscope
