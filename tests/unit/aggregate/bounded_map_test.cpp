// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/bounded_map.hpp"

#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope::aggregate {
namespace {

using Map = BoundedMap<unsigned, unsigned>;
using Entries = std::vector<std::pair<unsigned, unsigned>>;   ///< the newest use first

Entries entries_of(const Map& map)
{
    Entries entries;
    for (const auto& [key, value] : map) {
        entries.emplace_back(key, value);
    }
    return entries;
}

TEST(BoundedMap, GivesUpTheOneThatWasNotUsedForTheLongestTime)
{
    Map map(2);
    map.use(1) = 10;
    map.use(2) = 20;
    map.use(1);
    map.use(3) = 30;
    EXPECT_EQ(entries_of(map), (Entries{{3, 30}, {1, 10}}));
    EXPECT_EQ(map.find(2), nullptr);
    EXPECT_EQ(map.evicted(), 1U);
}

TEST(BoundedMap, AValueStaysWhereItIs)
{
    Map map(1000);
    unsigned& first = map.use(0);
    for (unsigned key = 1; key < 1000; ++key) {
        map.use(key);
    }
    EXPECT_EQ(&first, map.find(0));
}

struct Model {
    Entries entries;
    std::size_t most;
    std::uint64_t evicted = 0;

    void use(unsigned key, unsigned value)
    {
        erase(key);
        if (entries.size() == most) {
            entries.pop_back();
            ++evicted;
        }
        entries.insert(entries.begin(), {key, value});
    }
    void erase(unsigned key)
    {
        std::erase_if(entries, [&](const auto& entry) { return entry.first == key; });
    }
};

TEST(BoundedMap, IsAListInTheOrderOfUse)
{
    EXPECT_TRUE(rc::check("as the model", [](const std::vector<std::uint16_t>& steps) {
        const auto most = *rc::gen::inRange<std::size_t>(1, 12);
        Map map(most);
        Model model{{}, most};
        unsigned value = 0;
        for (const std::uint16_t step : steps) {
            const unsigned key = step % 16;
            if (step % 7 == 0) {
                map.erase(key);
                model.erase(key);
            } else {
                map.use(key) = ++value;
                model.use(key, value);
            }
            RC_ASSERT(entries_of(map) == model.entries);
            RC_ASSERT(map.evicted() == model.evicted);
        }
    }));
}

}  // namespace
}  // namespace ipcscope::aggregate
