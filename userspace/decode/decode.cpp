// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <type_traits>
#include <vector>

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
static_assert(has_ids(Origin::cpu_limit, IPCSCOPE_ORIGIN_COUNT));
static_assert(has_ids(Outcome::info_lost, IPCSCOPE_RESULT_COUNT));
static_assert(has_ids(Disposition::unknown, IPCSCOPE_DISPOSITION_COUNT));
static_assert(has_ids(How::kernel_thread, IPCSCOPE_TAKE_COUNT));
static_assert(has_ids(GroupCause::core_dump, IPCSCOPE_GROUP_COUNT));
static_assert(has_ids(ThreadReason::rename, IPCSCOPE_THREAD_REASON_COUNT));
static_assert(has_ids(ObjectType::futex_private, IPCSCOPE_OBJECT_COUNT));
static_assert(has_ids(Op::requeue, IPCSCOPE_OP_COUNT));

/// The bytes lie anywhere, so a record is copied rather than cast.  What the bytes
/// do not hold is zero.
template <typename Record>
void read(Record& record, Bytes bytes)
{
    static_assert(std::is_trivially_copyable_v<Record>);
    record = {};
    std::memcpy(&record, bytes.data(), std::min(sizeof record, bytes.size()));
}

template <typename Record>
Record read(Bytes bytes)
{
    Record record;
    read(record, bytes);
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
    case Meaning::WORDS:
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

/// The values that a field may have.
struct Limit {
    Field field;               ///< of one element
    std::uint64_t values = 0;  ///< from 0
    bool accepts(std::uint64_t value) const
    {
        const bool call = field.meaning == Meaning::CALL;
        return value < values && !(call && value != 0 && value < IPCSCOPE_CALL_FIRST);
    }
};
using Limits = std::vector<Limit>;

Limits limits_of(Fields fields)
{
    Limits limits;
    for (const Field& field : fields) {
        if (const std::uint64_t values = values_of(field.meaning); values != 0) {
            limits.push_back({field, values});
        }
    }
    return limits;
}

/// Most fields have none: those that have are looked up once.
class AllLimits {
public:
    AllLimits()
    {
        for (unsigned kind = 0; kind < IPCSCOPE_KIND_COUNT; ++kind) {
            backend_[kind] = limits_of(fields_of(kind));
        }
        for (unsigned kind = IPCSCOPE_SYMBOL; kind <= IPCSCOPE_COLLECTOR_LAST; ++kind) {
            collector_[kind - IPCSCOPE_SYMBOL] = limits_of(fields_of(kind));
        }
        for (unsigned type = 0; type < IPCSCOPE_OBJECT_COUNT; ++type) {
            tail_[type] = limits_of(tail_fields(type));
        }
    }
    const Limits& of_kind(unsigned kind) const
    {
        return kind < backend_.size() ? backend_[kind] : collector_[kind - IPCSCOPE_SYMBOL];
    }
    const Limits& of_tail(unsigned type) const { return tail_[type]; }

private:
    std::array<Limits, IPCSCOPE_KIND_COUNT> backend_;
    std::array<Limits, IPCSCOPE_COLLECTOR_LAST - IPCSCOPE_SYMBOL + 1> collector_;
    std::array<Limits, IPCSCOPE_OBJECT_COUNT> tail_;
};

const AllLimits& all_limits()
{
    static const AllLimits limits;
    return limits;
}

Problem check(const Limits& limits, Bytes record)
{
    for (const Limit& limit : limits) {
        if (!limit.accepts(static_cast<std::uint64_t>(value_of(limit.field, record)))) {
            return what_is_wrong(limit.field.meaning);
        }
    }
    return {};
}

template <typename Record>
Problem check(const Limits& limits, const Record& record)
{
    if constexpr (requires { record.sig; })
        if (record.sig == 0) return Malformed::bad_signal;
    return check(limits, Bytes{std::as_bytes(std::span{&record, 1})});
}

/// The body as a Record, in its place: of another type only where it has to be.
template <typename Record>
Record& body_as(Body& body)
{
    Record* record = std::get_if<Record>(&body);
    return record != nullptr ? *record : body.emplace<Record>();
}

template <typename Record>
Problem plain(Bytes bytes, const Limits& limits, Body& body)
{
    Record& record = body_as<Record>(body);
    read(record, bytes);
    return check(limits, record);
}

Problem signal_generate(Bytes bytes, const Limits& limits, Body& body)
{
    if (bytes.size() < sizeof(ipcscope_signal_callers)) {
        bytes = bytes.first(sizeof(ipcscope_signal_generate));
    }
    return plain<SignalGenerate>(bytes, limits, body);
}

Problem call(Bytes bytes, const Limits& limits, Body& body)
{
    if (bytes.size() < sizeof(ipcscope_call_split)) bytes = bytes.first(sizeof(ipcscope_call));
    Call& out = body_as<Call>(body);
    read(out, bytes);
    if (const Problem problem = check(limits, out)) return problem;
    return check(all_limits().of_tail(out.type), out);
}

Problem thread_free(Bytes bytes, const Limits&, Body& body)
{
    read(body_as<ThreadFree>(body).header, bytes);
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

/// A record that text follows: both are Named's members.
template <typename Named>
Problem named(Bytes bytes, const Limits& limits, Body& body)
{
    const auto record = read<decltype(Named::record)>(bytes);
    body = Named{record, trailing_text(bytes, sizeof record)};
    return check(limits, record);
}

/// How a kind is read; `size` is its smallest.
struct Kind {
    std::size_t size = 0;
    Problem (*read)(Bytes bytes, const Limits& limits, Body& body) = nullptr;
};

template <typename Record>
constexpr Kind kPlain{sizeof(Record), plain<Record>};
template <typename Named>
constexpr Kind kNamed{sizeof(Named::record), named<Named>};
constexpr Kind kCall{sizeof(ipcscope_call), call};

constexpr std::array kBackendKinds{
    Kind{},
    Kind{sizeof(ipcscope_signal_generate), signal_generate},
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
    kPlain<SignalHandler>,
    kPlain<SignalMask>,
    kPlain<Command>,
    kPlain<FdReceived>,
};
static_assert(kBackendKinds.size() == IPCSCOPE_KIND_COUNT);

constexpr std::array kCollectorKinds{
    kNamed<Symbol>, kNamed<Holder>, kNamed<Observed>, kNamed<Process>,
    kNamed<User>,   kNamed<Cgroup>,
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

/// All but the body, and what comes from it.
void fill(Event& event, const ipcscope_header& header)
{
    event.time_ns = header.time_ns;
    event.lost_before = header.lost_before;
    event.task = {header.tgid, header.tid, {}};
    event.process = {};
    event.target_process = {};
    event.cpu = header.cpu;
    event.kind = header.kind;
    event.unfinished = (header.flags & IPCSCOPE_UNFINISHED) != 0;
    event.before_trace = (header.flags & IPCSCOPE_BEFORE_TRACE) != 0;
}

}  // namespace

tl::expected<std::size_t, Malformed> decode(unsigned cpu, Bytes bytes, Event& event)
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

    fill(event, header);
    if (const Problem problem = kind->read(bytes.first(header.size),
                                           all_limits().of_kind(header.kind), event.body))
        return tl::unexpected(*problem);
    event.target = target_of(event.body);
    return header.size;
}

tl::expected<Decoded, Malformed> decode(unsigned cpu, Bytes bytes)
{
    Decoded decoded{};
    const auto size = decode(cpu, bytes, decoded.event);
    if (!size) return tl::unexpected(size.error());
    decoded.size = *size;
    return decoded;
}

std::size_t record_size(Bytes bytes)
{
    if (bytes.size() < sizeof(ipcscope_header)) return 0;
    const std::size_t size = read<ipcscope_header>(bytes).size;
    return size >= sizeof(ipcscope_header) && size <= bytes.size() ? size : 0;
}

}  // namespace ipcscope::decode
