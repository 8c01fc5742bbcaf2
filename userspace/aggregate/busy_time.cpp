// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/busy_time.hpp"

#include <algorithm>

namespace ipcscope::aggregate {

void BusyTime::add(std::uint64_t start_ns, std::uint64_t end_ns)
{
    Piece added{std::max(start_ns, floor_), end_ns};
    if (added.start >= added.end) return;
    const auto first = std::lower_bound(
        pieces_.begin(), pieces_.end(), added.start,
        [](const Piece& piece, std::uint64_t start) { return piece.end < start; });
    auto last = first;
    for (; last != pieces_.end() && last->start <= added.end; ++last) {
        added.start = std::min(added.start, last->start);
        added.end = std::max(added.end, last->end);
        total_ -= last->end - last->start;
    }
    total_ += added.end - added.start;
    pieces_.insert(pieces_.erase(first, last), added);
    if (pieces_.size() <= kKept) return;
    floor_ = pieces_.front().end;
    pieces_.pop_front();
}

}  // namespace ipcscope::aggregate
