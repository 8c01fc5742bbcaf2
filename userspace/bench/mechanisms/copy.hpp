// SPDX-License-Identifier: GPL-2.0-only
// Messages into and out of shared memory.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ipcscope::bench {

/// memcpy(), but a short message is moved by two or four moves that may overlap:
/// the calls would cost a tenth of a cache line's way to the other CPU and back.
inline void copy_message(std::byte* to, const std::byte* from, std::size_t bytes)
{
    const auto move = [=](auto unit, std::size_t at) {
        std::memcpy(&unit, from + at, sizeof(unit));
        std::memcpy(to + at, &unit, sizeof(unit));
    };
    const auto move_both_ends = [=](auto unit) {
        move(unit, 0);
        move(unit, bytes - sizeof(unit));
    };
    using Sixteen = std::array<std::byte, 16>;
    if (bytes > 64) {
        std::memcpy(to, from, bytes);
    } else if (bytes > 32) {
        move(Sixteen{}, 16);
        move(Sixteen{}, bytes - 32);
        move_both_ends(Sixteen{});
    } else if (bytes >= 16) {
        move_both_ends(Sixteen{});
    } else if (bytes >= 8) {
        move_both_ends(std::uint64_t{});
    } else if (bytes >= 4) {
        move_both_ends(std::uint32_t{});
    } else {
        for (std::size_t at = 0; at < bytes; at++) {
            to[at] = from[at];
        }
    }
}

}  // namespace ipcscope::bench
