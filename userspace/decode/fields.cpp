// SPDX-License-Identifier: GPL-2.0-only
#include "decode/fields.hpp"

#include <array>
#include <cstring>
#include <type_traits>

namespace ipcscope::decode {
namespace {

/// An element of record.h's lists; Record is the struct that it is a member of.
#define IPCSCOPE_FIELD(type, name, array, meaning)                                    \
    Field{#name,                                                                      \
          offsetof(Record, name),                                                     \
          sizeof(type),                                                               \
          sizeof(Record::name) / sizeof(type),                                        \
          Meaning::meaning,                                                           \
          std::is_signed_v<type>},

#define IPCSCOPE_TABLE(name, record, FIELDS)                                          \
    constexpr auto name = [] {                                                        \
        using Record = record;                                                        \
        return std::array{FIELDS(IPCSCOPE_FIELD)};                                    \
    }()

#define IPCSCOPE_LONG_CALL_FIELDS(X) IPCSCOPE_CALL_FIELDS(X) IPCSCOPE_CALL_SPLIT_FIELDS(X)

#define IPCSCOPE_LONG_SIGNAL_FIELDS(X)                                                \
    IPCSCOPE_SIGNAL_GENERATE_FIELDS(X) IPCSCOPE_SIGNAL_CALLERS_FIELDS(X)

IPCSCOPE_TABLE(kSignalGenerate, ipcscope_signal_callers, IPCSCOPE_LONG_SIGNAL_FIELDS);
IPCSCOPE_TABLE(kSignalTake, ipcscope_signal_take, IPCSCOPE_SIGNAL_TAKE_FIELDS);
IPCSCOPE_TABLE(kSignalHandler, ipcscope_signal_handler, IPCSCOPE_SIGNAL_HANDLER_FIELDS);
IPCSCOPE_TABLE(kSignalMask, ipcscope_signal_mask, IPCSCOPE_SIGNAL_MASK_FIELDS);
IPCSCOPE_TABLE(kCommand, ipcscope_command, IPCSCOPE_COMMAND_FIELDS);
IPCSCOPE_TABLE(kFdReceived, ipcscope_fd_received, IPCSCOPE_FD_RECEIVED_FIELDS);
IPCSCOPE_TABLE(kKill, ipcscope_kill, IPCSCOPE_KILL_FIELDS);
IPCSCOPE_TABLE(kThread, ipcscope_thread, IPCSCOPE_THREAD_FIELDS);
IPCSCOPE_TABLE(kThreadTime, ipcscope_thread_time, IPCSCOPE_THREAD_TIME_FIELDS);
IPCSCOPE_TABLE(kSlice, ipcscope_slice, IPCSCOPE_SLICE_FIELDS);
IPCSCOPE_TABLE(kCall, ipcscope_call_split, IPCSCOPE_LONG_CALL_FIELDS);
IPCSCOPE_TABLE(kSymbol, ipcscope_symbol, IPCSCOPE_SYMBOL_FIELDS);
IPCSCOPE_TABLE(kHolder, ipcscope_holder, IPCSCOPE_HOLDER_FIELDS);
IPCSCOPE_TABLE(kObserved, ipcscope_observed, IPCSCOPE_OBSERVED_FIELDS);
IPCSCOPE_TABLE(kProcess, ipcscope_process, IPCSCOPE_PROCESS_FIELDS);
IPCSCOPE_TABLE(kName, ipcscope_name, IPCSCOPE_NAME_FIELDS);

/// A tail's members, as they lie in a call's record.
template <std::size_t N>
constexpr std::array<Field, N> in_call(std::array<Field, N> tail)
{
    for (Field& field : tail) field.offset += offsetof(ipcscope_call_split, tail);
    return tail;
}

#define IPCSCOPE_TAIL_TABLE(name, record, FIELDS)                                     \
    IPCSCOPE_TABLE(name##Alone, record, FIELDS);                                      \
    constexpr auto name = in_call(name##Alone)

IPCSCOPE_TAIL_TABLE(kPipeTail, ipcscope_tail_pipe, IPCSCOPE_TAIL_PIPE_FIELDS);
IPCSCOPE_TAIL_TABLE(kUnixTail, ipcscope_tail_unix, IPCSCOPE_TAIL_UNIX_FIELDS);
IPCSCOPE_TAIL_TABLE(kEventfdTail, ipcscope_tail_eventfd, IPCSCOPE_TAIL_EVENTFD_FIELDS);
IPCSCOPE_TAIL_TABLE(kMqueueTail, ipcscope_tail_mqueue, IPCSCOPE_TAIL_MQUEUE_FIELDS);
IPCSCOPE_TAIL_TABLE(kSysvTail, ipcscope_tail_sysv, IPCSCOPE_TAIL_SYSV_FIELDS);
IPCSCOPE_TAIL_TABLE(kFutexTail, ipcscope_tail_futex, IPCSCOPE_TAIL_FUTEX_FIELDS);

using Fields = std::span<const Field>;

constexpr std::array kByKind{
    Fields{},         // none
    Fields{kSignalGenerate},
    Fields{kSignalTake},
    Fields{kKill},
    Fields{kThread},
    Fields{kThreadTime},   // THREAD_TIME
    Fields{kThreadTime},   // THREAD_EXIT
    Fields{},         // THREAD_FREE
    Fields{kSlice},
    Fields{kCall},    // pipe
    Fields{kCall},    // splice
    Fields{kCall},    // unix
    Fields{kCall},    // eventfd
    Fields{kCall},    // mqueue
    Fields{kCall},    // sysv
    Fields{kCall},    // futex
    Fields{kSignalHandler},
    Fields{kSignalMask},
    Fields{kCommand},
    Fields{kFdReceived},
};
static_assert(kByKind.size() == IPCSCOPE_KIND_COUNT);

constexpr std::array kByObject{
    Fields{},         // none
    Fields{kPipeTail},     // pipe
    Fields{kPipeTail},     // fifo
    Fields{kUnixTail},     // stream
    Fields{kUnixTail},     // dgram
    Fields{kUnixTail},     // seqpacket
    Fields{kEventfdTail},
    Fields{kMqueueTail},
    Fields{kSysvTail},     // msg
    Fields{kSysvTail},     // sem
    Fields{kSysvTail},     // shm
    Fields{kFutexTail},
    Fields{kFutexTail},    // private
};
static_assert(kByObject.size() == IPCSCOPE_OBJECT_COUNT);

constexpr std::array kOfCollector{
    Fields{kSymbol}, Fields{kHolder}, Fields{kObserved}, Fields{kProcess},
    Fields{kName},   // USER
    Fields{kName},   // CGROUP
};
static_assert(kOfCollector.size() == IPCSCOPE_COLLECTOR_LAST - IPCSCOPE_SYMBOL + 1);

template <typename T>
std::int64_t read(std::span<const std::byte> bytes)
{
    T value{};
    std::memcpy(&value, bytes.data(), sizeof value);
    return static_cast<std::int64_t>(value);
}

}  // namespace

std::span<const Field> fields_of(unsigned kind)
{
    if (kind < kByKind.size()) return kByKind[kind];
    if (kind >= IPCSCOPE_SYMBOL && kind <= IPCSCOPE_COLLECTOR_LAST)
        return kOfCollector[kind - IPCSCOPE_SYMBOL];
    return {};
}

std::span<const Field> tail_fields(unsigned type)
{
    return type < kByObject.size() ? kByObject[type] : Fields{};
}

std::int64_t value_of(const Field& field, std::span<const std::byte> record,
                      std::size_t element)
{
    const auto bytes = record.subspan(field.offset + element * field.size, field.size);
    switch (field.size) {
    case 1: return field.is_signed ? read<std::int8_t>(bytes) : read<std::uint8_t>(bytes);
    case 2: return field.is_signed ? read<std::int16_t>(bytes) : read<std::uint16_t>(bytes);
    case 4: return field.is_signed ? read<std::int32_t>(bytes) : read<std::uint32_t>(bytes);
    default: return read<std::int64_t>(bytes);
    }
}

}  // namespace ipcscope::decode
