// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/busy_time.hpp"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope::aggregate {
namespace {

TEST(BusyTime, IsTheLengthOfTheUnion)
{
    EXPECT_TRUE(rc::check("as counted one by one", [](const std::vector<std::uint8_t>& steps) {
        BusyTime busy;
        std::vector<bool> covered(300);
        for (std::size_t at = 0; at + 1 < steps.size(); at += 2) {
            const std::uint64_t start = steps[at], end = start + steps[at + 1] % 40;
            busy.add(start, end);
            std::fill(covered.begin() + static_cast<std::ptrdiff_t>(start),
                      covered.begin() + static_cast<std::ptrdiff_t>(end), true);
            const auto length = std::count(covered.begin(), covered.end(), true);
            RC_ASSERT(busy.total_ns() == static_cast<std::uint64_t>(length));
        }
    }));
}

/// A span that ends late swallows the newest pieces, and is cut where it would reach behind
/// those that are kept.
TEST(BusyTime, KeepsTheNewestPieces)
{
    constexpr std::uint64_t kPieces = 3 * BusyTime::kKept;
    BusyTime busy;
    for (std::uint64_t piece = 0; piece < kPieces; ++piece) {
        busy.add(piece * 10, piece * 10 + 5);
    }
    EXPECT_EQ(busy.total_ns(), kPieces * 5);
    busy.add((kPieces - 100) * 10, kPieces * 10);
    EXPECT_EQ(busy.total_ns(), kPieces * 5 + 500);
    busy.add(0, kPieces * 10);
    // From the end of the newest piece that was dropped on there is one piece.
    const std::uint64_t floor = (kPieces - BusyTime::kKept - 1) * 10 + 5;
    EXPECT_EQ(busy.total_ns(), (kPieces - BusyTime::kKept) * 5 + kPieces * 10 - floor);
}

}  // namespace
}  // namespace ipcscope::aggregate
