// SPDX-License-Identifier: GPL-2.0-only
#include "base/number_map.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope {
namespace {

TEST(NumberMap, HoldsWhatAMapHolds)
{
    EXPECT_TRUE(rc::check("as std::map", [](const std::vector<std::uint32_t>& steps) {
        NumberMap<std::string> map;
        std::map<std::uint32_t, std::string> model;
        for (const std::uint32_t step : steps) {
            const std::uint32_t key = step % 64;
            if (step % 3 == 0) {
                RC_ASSERT(map.erase(key) == (model.erase(key) != 0));
            } else {
                map[key] = model[key] = std::to_string(step);
            }
            RC_ASSERT(map.size() == model.size());
            for (std::uint32_t one = 0; one < 64; ++one) {
                const auto found = model.find(one);
                const std::string* here = map.find(one);
                RC_ASSERT((here == nullptr) == (found == model.end()));
                if (here != nullptr) {   // RC_ASSERT evaluates both sides of ||
                    RC_ASSERT(*here == found->second);
                }
            }
        }
    }));
}

TEST(NumberMap, AFreshValueIsEmptyAgainAfterAnErase)
{
    NumberMap<std::string> map;
    map[7] = "seven";
    map.erase(7);
    EXPECT_EQ(map.find(7), nullptr);
    EXPECT_EQ(map[7], "");
}

}  // namespace
}  // namespace ipcscope
