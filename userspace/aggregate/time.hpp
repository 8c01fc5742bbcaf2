// SPDX-License-Identifier: GPL-2.0-only
// Where the time of a thread, or of several, went.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ipcscope::aggregate {

/// The parts of a span of time.  Append only at the end of a group; the names are in
/// time.cpp.
enum class Part : std::uint8_t {
    running,               ///< on a CPU, inside calls too
    runnable,              ///< waits for a CPU, inside calls too
    // inside calls on IPC objects
    input,                 ///< blocked in one that reads
    output,                ///< blocked in one that writes
    call,                  ///< blocked in any other
    call_uninterruptible,  ///< D, K: a lock, a page fault
    // between calls
    poll_input,            ///< in poll, and read the object next
    poll_output,           ///< in poll, and wrote the object next, which had been full
    poll_other,            ///< in poll for what it did not use next, or to sleep
    poll_unknown,          ///< in poll; for what is not known
    sleeping,
    uninterruptible,
    killable,
    stopped,
    traced,
    frozen,
    other,
    unaccounted,           ///< records are missing
};
inline constexpr std::size_t kParts = static_cast<std::size_t>(Part::unaccounted) + 1;

/// "running", "poll_input", …
std::string_view part_name(Part part);

/// The parts add up to the span, exactly (modulo 2^64).
struct Time {
    std::uint64_t span_ns = 0;
    std::array<std::uint64_t, kParts> parts_ns{};

    std::uint64_t at(Part part) const { return parts_ns[static_cast<std::size_t>(part)]; }
    void add(Part part, std::uint64_t ns) { parts_ns[static_cast<std::size_t>(part)] += ns; }
    Time& operator+=(const Time& more);

    std::uint64_t poll_ns() const;     ///< all of it
    /// For the objects that it reads, or writes.
    std::uint64_t for_input_ns() const { return at(Part::input) + at(Part::poll_input); }
    std::uint64_t for_output_ns() const { return at(Part::output) + at(Part::poll_output); }
};

}  // namespace ipcscope::aggregate
