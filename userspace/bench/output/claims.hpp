// SPDX-License-Identifier: GPL-2.0-only
// The textbook's claims, and the measured value that each is compared with.
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

/// A measured value that a claim is compared with.
enum class Basis {
    call,        ///< one thread does both ends
    half_same_cpu,   ///< half a round trip on one CPU
    half_other_cpu,  ///< half a round trip between two CPUs
};

struct Claim {
    Family family;
    double ns;            ///< 0: no claim
    Basis blocking;       ///< for receivers that sleep
    Basis spinning;       ///< for receivers that poll
    const char* basis_text;  ///< the basis in words
};

/// All families, in the order of the textbook comparison, those without a claim
/// last.
std::span<const Claim> claims();

/// The claims are about short messages, sent without pacing.
inline constexpr std::size_t kClaimedBytes = 4096;

/// Within this factor a claim holds: it is an order of magnitude.
inline constexpr double kHoldsFactor = 3;

/// "holds", "4× slower", "12× faster".
std::string verdict(double measured_ns, double claimed_ns, bool utf8);

}  // namespace ipcscope::bench
