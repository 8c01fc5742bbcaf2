// SPDX-License-Identifier: GPL-2.0-only
// The contract's fields as a table: what decoding checks, what JSON lines and tests
// show, and what may differ between two backends.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ipcscope/record.h>

namespace ipcscope::decode {

/// What a field means: the last column of record.h's lists.
enum class Meaning : std::uint8_t {
    TIME,         ///< an instant, ns of CLOCK_MONOTONIC
    SPAN,         ///< a duration, ns
    COUNT, NUMBER, ID, HEX, BOOL, DEVICE,
    SIGNAL,       ///< 1..64; 0 where there is none
    STATE, ORIGIN, RESULT, DISPOSITION, TAKE, GROUP, REASON, OBJECT, OP, CALL_FLAGS,
    MISSING,      ///< bits of IPCSCOPE_MISSING_…
    SYSCALL,
    CALL,         ///< kind of a call's record, or 0
    DEPTH,        ///< entries used in a STACK
    STACK,
    WAKER,        ///< a tid; by chance of the scheduler
    COMM, PAD,
    WORDS         ///< text of words, each with a NUL at its end
};

struct Field {
    std::string_view name;
    std::size_t offset = 0;    ///< in the record, header included
    std::size_t size = 0;      ///< bytes of one element
    std::size_t count = 1;     ///< elements
    Meaning meaning{};
    bool is_signed = false;
};

/// Of the body of `kind`; empty for THREAD_FREE and for a kind outside the contract.
/// A call's without its tail.
std::span<const Field> fields_of(unsigned kind);

/// Of a call's tail, for objects of `type` (IPCSCOPE_OBJECT_…); offsets are in the
/// call's record, too.
std::span<const Field> tail_fields(unsigned type);

/// Value of one element, of at most 8 bytes; `record` has it whole.  A body's struct
/// as bytes will do.  An unsigned one of 8 bytes is to be cast back.
std::int64_t value_of(const Field& field, std::span<const std::byte> record,
                      std::size_t element = 0);

}  // namespace ipcscope::decode
