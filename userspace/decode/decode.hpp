// SPDX-License-Identifier: GPL-2.0-only
// Bytes → Event.  Total: any input gives an event or a named malformation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <tl/expected.hpp>

#include "decode/event.hpp"
#include "decode/names.hpp"

namespace ipcscope::decode {

enum class Malformed {
    truncated_header,  ///< fewer bytes than a header
    truncated_record,  ///< header.size goes beyond the bytes
    size_too_small,    ///< header.size below what the kind needs
    unknown_kind,
    bad_signal,        ///< signal number outside 1..64
    bad_enum,          ///< an id outside its list
    bad_stack_depth,   ///< more stack entries than a record holds
    bad_cpu,           ///< record's CPU is not the ring's
};

std::string_view describe(Malformed what);

struct Decoded {
    Event event;
    std::size_t size;  ///< bytes consumed
};

/// Decodes the first record of `bytes`, read from the ring of `cpu`
/// (kCollectorCpu for the collector's own, which may speak of any CPU).  The event's
/// names are left empty: ThreadTable fills them.
tl::expected<Decoded, Malformed> decode(unsigned cpu, std::span<const std::byte> bytes);

/// The same in place: gives the bytes consumed.  `event` may be of an earlier record;
/// where the bytes are malformed it means nothing.
tl::expected<std::size_t, Malformed> decode(unsigned cpu, std::span<const std::byte> bytes,
                                            Event& event);

/// Size of the first record by its header alone, or 0 where `bytes` does not hold
/// it whole: lets a reader skip a record that it cannot decode.
std::size_t record_size(std::span<const std::byte> bytes);

}  // namespace ipcscope::decode
