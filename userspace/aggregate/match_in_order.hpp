// SPDX-License-Identifier: GPL-2.0-only
// What was put into a channel, and what was taken out of it, matched by their order.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

namespace ipcscope::aggregate {

/// Sent and Taken have enter_ns, exit_ns and left: bytes, or 1 of a message.  `pair(sent, taken,
/// units)` is called for each two that share some; by then `left` of both is less by these.
/// @return false: a taking was over before what it should have taken was sent
template <typename Sent, typename Taken, typename Pair>
bool match_in_order(std::deque<Sent>& sent, std::deque<Taken>& taken, const Pair& pair)
{
    while (!sent.empty() && !taken.empty()) {
        Sent& put = sent.front();
        Taken& got = taken.front();
        if (got.exit_ns < put.enter_ns) {
            return false;
        }
        const std::uint64_t units = std::min(put.left, got.left);
        put.left -= units;
        got.left -= units;
        pair(put, got, units);
        if (put.left == 0) {
            sent.pop_front();
        }
        if (got.left == 0) {
            taken.pop_front();
        }
    }
    return true;
}

}  // namespace ipcscope::aggregate
