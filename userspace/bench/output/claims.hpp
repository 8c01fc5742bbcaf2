// SPDX-License-Identifier: GPL-2.0-only
// The textbook's figures, and what of ours they can be held against.
//
// The claims mix two things.  ~100 ns is less than any switch between tasks: it
// can only be the cost of calls in one process (eventfd), or of a cache line
// that a spinning reader sees (shared memory).  The others are from one process
// to another, that is half a round trip.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

/// A measured figure that a claim can be held against.
enum class Basis {
    call,        ///< one thread does both ends
    half_same,   ///< half a round trip on one CPU
    half_apart,  ///< half a round trip between two CPUs
};

struct Claim {
    Family family;
    double ns;            ///< 0: the textbook says nothing
    Basis blocking;       ///< for those that sleep
    Basis spinning;       ///< for those that ask again and again
    const char* against;  ///< the basis in words
};

/// All families, in the order of the textbook comparison, those without a claim
/// last.
std::span<const Claim> claims();

/// The claims are about short messages, sent as fast as they go.
inline constexpr std::size_t kClaimedBytes = 4096;

/// Within this factor a claim holds: it is an order of magnitude.
inline constexpr double kHolds = 3;

/// "holds", "4× slower", "12× faster".
std::string verdict(double measured_ns, double claimed_ns, bool utf8);

}  // namespace ipcscope::bench
