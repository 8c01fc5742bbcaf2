// SPDX-License-Identifier: GPL-2.0-only
// The sleeps of a call, put together from its record and the slices before it.
#pragma once

#include <cstdint>
#include <vector>

#include "decode/event.hpp"

namespace ipcscope::aggregate {

/// A stretch of sleep, and who ended it; 0: not known.
struct Sleep {
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    std::uint32_t waker_tid = 0;
    bool several = false;   ///< short ones, which have no slices
};

/// Those in S, by their beginning: those that have slices, and the rest, which is taken to be
/// one sleep before the last wake-up that no slice covers.
/// @param slices of the thread in S, that came since its last call
std::vector<Sleep> call_sleeps(const std::vector<Sleep>& slices, const decode::Event& event,
                               const decode::Call& call);

}  // namespace ipcscope::aggregate
