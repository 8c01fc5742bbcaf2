// SPDX-License-Identifier: GPL-2.0-only
// Length of a union of time spans.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ipcscope::aggregate {

/// Spans come roughly in the order of their ends.  The newest kKept disjoint
/// pieces are kept, so that a long span that ends late still swallows what it
/// covers; it is cut where it would reach behind them.  The sum is therefore
/// exact for up to kKept pieces inside one span, and never too large.
class BusyTime {
public:
    void add(std::uint64_t start_ns, std::uint64_t end_ns)
    {
        if (start_ns < end_ns) add_piece(start_ns, end_ns);
    }
    std::uint64_t total_ns() const { return total_; }

    static constexpr std::size_t kKept = 256;

private:
    struct Piece {
        std::uint64_t start;
        std::uint64_t end;
    };
    void add_piece(std::uint64_t start_ns, std::uint64_t end_ns);
    void insert(Piece added);

    std::vector<Piece> pieces_;     ///< from first_ on: sorted, disjoint
    std::size_t first_ = 0;
    std::uint64_t floor_ = 0;       ///< end of the newest piece that was dropped
    std::uint64_t total_ = 0;
};

}  // namespace ipcscope::aggregate
