// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <type_traits>

#include "base/collector.hpp"
#include "decode/fields.hpp"

namespace ipcscope::decode {
namespace {

using Bytes = std::span<const std::byte>;
using Fields = std::span<const Field>;
using Problem = std::optional<Malformed>;

template <typename Enum>
constexpr bool has_ids(Enum last, unsigned count)
{
    return static_cast<unsigned>(last) + 1 == count;
}
static_assert(has_ids(State::frozen, IPCSCOPE_STATE_COUNT));
static_assert(has_ids(Origin::parent_exit, IPCSCOPE_ORIGIN_COUNT));
static_assert(has_ids(Outcome::info_lost, IPCSCOPE_RESULT_COUNT));
static_assert(has_ids(Disposition::unknown, IPCSCOPE_DISPOSITION_COUNT));
static_assert(has_ids(How::kernel_thread, IPCSCOPE_TAKE_COUNT));
static_assert(has_ids(GroupCause::core_dump, IPCSCOPE_GROUP_COUNT));
static_assert(has_ids(ThreadReason::rename, IPCSCOPE_THREAD_REASON_COUNT));
static_assert(has_ids(ObjectType::futex, IPCSCOPE_OBJECT_COUNT));
static_assert(has_ids(Op::requeue, IPCSCOPE_OP_COUNT));

/// The bytes lie anywhere, so a record is copied rather than cast.  What the bytes
/// do not hold is zero.
template <typename Record>
Record read(Bytes bytes)
{
    static_assert(std::is_trivially_copyable_v<Record>);
    Record record{};
    std::memcpy(&record, bytes.data(), std::min(sizeof record, bytes.size()));
    return record;
}

/// How many values a field of that meaning may have, from 0; 0: any.
constexpr std::uint64_t values_of(Meaning meaning)
{
    switch (meaning) {
    case Meaning::BOOL: return 2;
    case Meaning::SIGNAL: return 64 + 1;
    case Meaning::STATE: return IPCSCOPE_STATE_COUNT;
    case Meaning::ORIGIN: return IPCSCOPE_ORIGIN_COUNT;
    case Meaning::RESULT: return IPCSCOPE_RESULT_COUNT;
    case Meaning::DISPOSITION: return IPCSCOPE_DISPOSITION_COUNT;
    case Meaning::TAKE: return IPCSCOPE_TAKE_COUNT;
    case Meaning::GROUP: return IPCSCOPE_GROUP_COUNT;
    case Meaning::REASON: return IPCSCOPE_THREAD_REASON_COUNT;
    case Meaning::OBJECT: return IPCSCOPE_OBJECT_COUNT;
    case Meaning::OP: return IPCSCOPE_OP_COUNT;
    case Meaning::CALL: return IPCSCOPE_CALL_LAST + 1;
    case Meaning::DEPTH: return IPCSCOPE_STACK_DEPTH + 1;
    case Meaning::TIME:
    case Meaning::SPAN:
    case Meaning::COUNT:
    case Meaning::NUMBER:
    case Meaning::ID:
    case Meaning::HEX:
    case Meaning::DEVICE:
    case Meaning::CALL_FLAGS:
    case Meaning::MISSING:
    case Meaning::SYSCALL:
    case Meaning::STACK:
    case Meaning::WAKER:
    case Meaning::COMM:
    case Meaning::PAD: break;
    }
    return 0;
}

Malformed what_is_wrong(Meaning meaning)
{
    if (meaning == Meaning::SIGNAL) return Malformed::bad_signal;
    if (meaning == Meaning::DEPTH) return Malformed::bad_stack_depth;
    return Malformed::bad_enum;
}

/// Every field with a list of values has one element.
Problem check(Fields fields, Bytes record)
{
    for (const Field& field : fields) {
        const std::uint64_t values = values_of(field.meaning);
        if (values == 0) continue;
        const auto value = static_cast<std::uint64_t>(value_of(field, record));
        if (value >= values) return what_is_wrong(field.meaning);
        if (field.meaning == Meaning::CALL && value != 0 && value < IPCSCOPE_CALL_FIRST)
            return Malformed::bad_enum;
    }
    return {};
}

template <typename Record>
Problem check(Fields fields, const Record& record)
{
    if constexpr (requires { record.sig; })
        if (record.sig == 0) return Malformed::bad_signal;
    return check(fields, Bytes{std::as_bytes(std::span{&record, 1})});
}

template <typename Record>
Problem plain(Bytes bytes, Fields fields, Body& body)
{
    return check(fields, body.emplace<Record>(read<Record>(bytes)));
}

Problem call(Bytes bytes, Fields fields, Body& body)
{
    if (bytes.size() < sizeof(ipcscope_call_split)) bytes = bytes.first(sizeof(ipcscope_call));
    const Call& out = body.emplace<Call>(read<Call>(bytes));
    if (const Problem problem = check(fields, out)) return problem;
    return check(tail_fields(out.type), out);
}

Problem thread_free(Bytes bytes, Fields, Body& body)
{
    body = ThreadFree{read<ipcscope_header>(bytes)};
    return {};
}

/// What follows a record of a known size: text, padded with NULs or not.
SafeText trailing_text(Bytes bytes, std::size_t from)
{
    std::string_view text{reinterpret_cast<const char*>(bytes.data()) + from,
                          bytes.size() - from};
    while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    return SafeText::escape(text);
}

Problem symbol(Bytes bytes, Fields fields, Body& body)
{
    const auto record = read<ipcscope_symbol>(bytes);
    body = Symbol{record, trailing_text(bytes, sizeof record)};
    return check(fields, record);
}

Problem holder(Bytes bytes, Fields fields, Body& body)
{
    const auto record = read<ipcscope_holder>(bytes);
    body = Holder{record, trailing_text(bytes, sizeof record)};
    return check(fields, record);
}

Problem observed(Bytes bytes, Fields fields, Body& body)
{
    const auto record = read<ipcscope_observed>(bytes);
    body = Observed{record, trailing_text(bytes, sizeof record)};
    return check(fields, record);
}

/// How a kind is read; `size` is its smallest.
struct Kind {
    std::size_t size = 0;
    Problem (*read)(Bytes bytes, Fields fields, Body& body) = nullptr;
};

template <typename Record>
constexpr Kind kPlain{sizeof(Record), plain<Record>};
constexpr Kind kCall{sizeof(ipcscope_call), call};

constexpr std::array kBackendKinds{
    Kind{},
    kPlain<SignalGenerate>,
    kPlain<SignalTake>,
    kPlain<Kill>,
    kPlain<Thread>,
    kPlain<ThreadTime>,   // THREAD_TIME
    kPlain<ThreadTime>,   // THREAD_EXIT
    Kind{sizeof(ipcscope_header), thread_free},
    kPlain<Slice>,
    kCall,   // pipe
    kCall,   // splice
    kCall,   // unix
    kCall,   // eventfd
    kCall,   // mqueue
    kCall,   // sysv
    kCall,   // futex
};
static_assert(kBackendKinds.size() == IPCSCOPE_KIND_COUNT);

constexpr std::array kCollectorKinds{
    Kind{sizeof(ipcscope_symbol), symbol},
    Kind{sizeof(ipcscope_holder), holder},
    Kind{sizeof(ipcscope_observed), observed},
};
static_assert(kCollectorKinds.size() == IPCSCOPE_COLLECTOR_LAST - IPCSCOPE_SYMBOL + 1);

const Kind* find_kind(unsigned kind)
{
    if (kind >= 1 && kind < kBackendKinds.size()) return &kBackendKinds[kind];
    if (kind >= IPCSCOPE_SYMBOL && kind - IPCSCOPE_SYMBOL < kCollectorKinds.size())
        return &kCollectorKinds[kind - IPCSCOPE_SYMBOL];
    return nullptr;
}

Task target_of(const Body& body)
{
    if (const auto* generate = std::get_if<SignalGenerate>(&body))
        return {generate->target_tgid, generate->target_tid, {}};
    if (const auto* kill = std::get_if<Kill>(&body))
        return {kill->target_tgid, kill->stuck_tid, {}};
    return {};
}

Event event_of(const ipcscope_header& header)
{
    Event event;
    event.time_ns = header.time_ns;
    event.lost_before = header.lost_before;
    event.task = {header.tgid, header.tid, {}};
    event.cpu = header.cpu;
    event.kind = header.kind;
    event.unfinished = (header.flags & IPCSCOPE_UNFINISHED) != 0;
    event.before_trace = (header.flags & IPCSCOPE_BEFORE_TRACE) != 0;
    return event;
}

}  // namespace

tl::expected<Decoded, Malformed> decode(unsigned cpu, Bytes bytes)
{
    if (bytes.size() < sizeof(ipcscope_header))
        return tl::unexpected(Malformed::truncated_header);
    const auto header = read<ipcscope_header>(bytes);
    if (header.size < sizeof header) return tl::unexpected(Malformed::size_too_small);
    if (header.size > bytes.size()) return tl::unexpected(Malformed::truncated_record);
    const Kind* kind = find_kind(header.kind);
    if (kind == nullptr) return tl::unexpected(Malformed::unknown_kind);
    if (header.size < kind->size) return tl::unexpected(Malformed::size_too_small);
    if (cpu != kCollectorCpu && header.cpu != cpu) return tl::unexpected(Malformed::bad_cpu);

    Decoded decoded{event_of(header), header.size};
    Event& event = decoded.event;
    if (const Problem problem =
            kind->read(bytes.first(header.size), fields_of(header.kind), event.body))
        return tl::unexpected(*problem);
    event.target = target_of(event.body);
    return decoded;
}

std::size_t record_size(Bytes bytes)
{
    if (bytes.size() < sizeof(ipcscope_header)) return 0;
    const std::size_t size = read<ipcscope_header>(bytes).size;
    return size >= sizeof(ipcscope_header) && size <= bytes.size() ? size : 0;
}

}  // namespace ipcscope::decode
