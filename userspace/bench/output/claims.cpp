// SPDX-License-Identifier: GPL-2.0-only
#include "bench/output/claims.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

constexpr const char* kHalf = "half a round trip on one CPU";

constexpr std::array<Claim, 9> kClaims{{
    {Family::shared_memory, 100, Basis::half_same_cpu, Basis::half_other_cpu,
     "half a round trip (between CPUs where it spins)"},
    {Family::eventfd, 100, Basis::call, Basis::call, "a call, that is a write and a read"},
    {Family::unix_socket, 1'000, Basis::half_same_cpu, Basis::half_other_cpu, kHalf},
    {Family::pipe, 1'000, Basis::half_same_cpu, Basis::half_other_cpu, kHalf},
    {Family::message_queue, 10'000, Basis::half_same_cpu, Basis::half_other_cpu, kHalf},
    {Family::signal, 10'000, Basis::half_same_cpu, Basis::half_other_cpu, kHalf},
    {Family::futex, 0, Basis::half_same_cpu, Basis::half_other_cpu, ""},
    {Family::semaphore, 0, Basis::half_same_cpu, Basis::half_other_cpu, ""},
    {Family::tcp, 0, Basis::half_same_cpu, Basis::half_other_cpu, ""},
}};
static_assert(kClaims.size() == static_cast<std::size_t>(Family::signal) + 1);

}  // namespace

std::span<const Claim> claims() { return kClaims; }

std::string verdict(double measured_ns, double claimed_ns, bool utf8)
{
    if (!(measured_ns > 0) || !(claimed_ns > 0)) return {};
    const bool slower = measured_ns > claimed_ns;
    const double factor = slower ? measured_ns / claimed_ns : claimed_ns / measured_ns;
    if (factor <= kHoldsFactor) return "holds";
    const char* times = utf8 ? "×" : "x";
    const char* word = slower ? "slower" : "faster";
    if (factor >= 999.5) return fmt::format(">999{} {}", times, word);
    return fmt::format("{:.0f}{} {}", factor, times, word);
}

}  // namespace ipcscope::bench
