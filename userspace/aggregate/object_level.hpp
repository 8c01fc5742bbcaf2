// SPDX-License-Identifier: GPL-2.0-only
// What the calls on a pipe prove about how full it was.
#pragma once

#include <cstdint>

#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// Whether a wait in poll() can have been for this pipe: not for input while there
/// were bytes in it, not for output while it had room.
class ObjectLevel {
public:
    /// A call returned; calls come in the order in which they return.
    void call(const decode::Event& event, const decode::Call& call);

    /// Since when there have been bytes in it all the time; 0: it may be empty.
    std::uint64_t filled_since_ns() const { return filled_ns_; }
    /// Since when it has had room all the time; 0: it may be full, or not known.
    std::uint64_t room_since_ns() const { return room_ns_; }
    /// Its last write found, or left, it full.
    bool was_full() const { return was_full_; }

private:
    /// Written less read.  What was in it before the trace, or was written by others
    /// than traced processes, is missing: the true level is not lower.
    std::uint64_t level_bytes_ = 0;   ///< modulo 2^64; a read may return before its write
    std::uint64_t last_ns_ = 0;       ///< a call returned
    std::uint64_t filled_ns_ = 0;
    std::uint64_t room_ns_ = 0;
    bool was_full_ = false;
    bool seen_empty_ = false;         ///< nothing is in it of before the trace
};

}  // namespace ipcscope::aggregate
