// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/busy_time.hpp"

#include <algorithm>

namespace ipcscope::aggregate {

void BusyTime::add_piece(std::uint64_t start_ns, std::uint64_t end_ns)
{
    const Piece added{std::max(start_ns, floor_), end_ns};
    if (added.start >= added.end) return;
    // Most come behind all others, or overlap the newest only.
    if (first_ == pieces_.size() || added.start > pieces_.back().end) {
        total_ += added.end - added.start;
        pieces_.push_back(added);
    } else if (Piece& newest = pieces_.back(); added.start >= newest.start) {
        total_ += std::max(added.end, newest.end) - newest.end;
        newest.end = std::max(added.end, newest.end);
    } else {
        insert(added);
    }
    if (pieces_.size() - first_ <= kKept) return;
    floor_ = pieces_[first_++].end;
    if (first_ < kKept) return;
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
}

void BusyTime::insert(Piece added)
{
    const auto first = std::lower_bound(
        pieces_.begin() + static_cast<std::ptrdiff_t>(first_), pieces_.end(), added.start,
        [](const Piece& piece, std::uint64_t start) { return piece.end < start; });
    auto last = first;
    for (; last != pieces_.end() && last->start <= added.end; ++last) {
        added.start = std::min(added.start, last->start);
        added.end = std::max(added.end, last->end);
        total_ -= last->end - last->start;
    }
    total_ += added.end - added.start;
    pieces_.insert(pieces_.erase(first, last), added);
}

}  // namespace ipcscope::aggregate
