// SPDX-License-Identifier: GPL-2.0-only
// Bytes → Event.  Total: any input gives an event or a named malformation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

#include "decode/event.hpp"

namespace ipcscope::decode {

enum class Malformed {
    truncated_header,  ///< fewer bytes than a header
    truncated_record,  ///< header.size goes beyond the bytes
    size_too_small,    ///< header.size below what the kind needs
    unknown_kind,
    bad_signal,       ///< signal number outside 1..64 (0 allowed in SIGNAL_GET)
    bad_enum,         ///< an id outside its list
    bad_stack_depth,  ///< more stack entries than a record holds
    bad_cpu,          ///< record's CPU is not the ring's
};

std::string_view describe(Malformed what);

struct Decoded {
    Event event;
    std::size_t size;  ///< bytes consumed
};

/// Decodes the first record of `bytes`, read from the ring of `cpu`
/// (source::Sink::kCollector for notes, which may speak of any CPU).
tl::expected<Decoded, Malformed> decode(unsigned cpu, std::span<const std::byte> bytes);

/// Size of the first record by its header alone, or 0 where `bytes` does not hold
/// it whole: lets a reader skip a record that it cannot decode.
std::size_t record_size(std::span<const std::byte> bytes);

/// "signal_generate", … ; "unknown" for a kind outside the contract.
std::string_view kind_name(unsigned kind);
/// "ring_full", … for IPCSCOPE_LOST_…
std::string_view loss_name(unsigned cause);
/// "SIGUSR1", "SIGRTMIN+3"; "SIG200" for a number outside 1..64.
std::string signal_name(unsigned signal);
/// Number for "USR1", "SIGUSR1", "usr1", "10", "RTMIN+3", "SIGRTMAX-1"; 0 if unknown.
unsigned signal_number(std::string_view name);
/// 'R', 'S', 'D', 'K' …
char state_letter(State state);
/// "delivered", "ignored", "already_pending", "overflow", "info_lost"
std::string_view outcome_name(Outcome outcome);

}  // namespace ipcscope::decode
