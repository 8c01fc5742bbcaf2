// SPDX-License-Identifier: GPL-2.0-only
#include "decode/decode.hpp"

#include <array>
#include <cstring>
#include <optional>
#include <type_traits>

#include "source/source.hpp"

namespace ipcscope::decode {
namespace {

using Bytes = std::span<const std::byte>;
using Problem = std::optional<Malformed>;

/// The bytes lie anywhere, so a record is copied rather than cast.  The caller
/// has checked that there are enough.
template <typename Record>
Record read(Bytes bytes)
{
    static_assert(std::is_trivially_copyable_v<Record>);
    Record record;
    std::memcpy(&record, bytes.data(), sizeof record);
    return record;
}

template <typename Enum>
bool assign(Enum& to, std::uint8_t id, std::uint8_t count)
{
    if (id >= count) return false;
    to = static_cast<Enum>(id);
    return true;
}

static_assert(unsigned{IPCSCOPE_STATE_COUNT} == static_cast<unsigned>(State::other) + 1);
static_assert(unsigned{IPCSCOPE_ORIGIN_COUNT} == static_cast<unsigned>(Origin::timer) + 1);
static_assert(unsigned{IPCSCOPE_RESULT_COUNT} == static_cast<unsigned>(Outcome::info_lost) + 1);
static_assert(unsigned{IPCSCOPE_DISPOSITION_COUNT} ==
              static_cast<unsigned>(Disposition::unknown) + 1);

bool assign(State& to, std::uint8_t id) { return assign(to, id, IPCSCOPE_STATE_COUNT); }
bool assign(Origin& to, std::uint8_t id) { return assign(to, id, IPCSCOPE_ORIGIN_COUNT); }
bool assign(Outcome& to, std::uint8_t id) { return assign(to, id, IPCSCOPE_RESULT_COUNT); }
bool assign(Disposition& to, std::uint8_t id)
{
    return assign(to, id, IPCSCOPE_DISPOSITION_COUNT);
}

bool is_signal(unsigned number) { return number >= 1 && number <= 64; }

/// What follows a record of a known size: text, padded with NULs or not.
SafeText trailing_text(Bytes bytes, std::size_t from)
{
    std::string_view text{reinterpret_cast<const char*>(bytes.data()) + from,
                          bytes.size() - from};
    while (!text.empty() && text.back() == '\0') text.remove_suffix(1);
    return SafeText::escape(text);
}

Problem signal_generate(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_signal_generate>(bytes);
    auto& out = body.emplace<SignalGenerate>();
    if (!is_signal(raw.sig)) return Malformed::bad_signal;
    if (!assign(out.outcome, raw.result) || !assign(out.target_state, raw.target_state) ||
        !assign(out.origin, raw.origin) || !assign(out.disposition, raw.disposition))
        return Malformed::bad_enum;
    out.value = raw.value;
    out.target = {raw.target_tgid, raw.target_tid, SafeText::name(raw.target_comm)};
    out.si_code = raw.si_code;
    out.sender_pid = raw.sender_pid;
    out.signal = raw.sig;
    out.shared = raw.shared != 0;
    out.blocked = raw.blocked != 0;
    out.fatal = raw.fatal != 0;
    out.unkillable = raw.unkillable != 0;
    out.has_info = raw.has_info != 0;
    return {};
}

Problem signal_send(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_signal_send>(bytes);
    if (!is_signal(raw.sig)) return Malformed::bad_signal;
    body = SignalSend{raw.enter_ns, raw.target_tgid, raw.target_tid, raw.ret, raw.sig};
    return {};
}

Problem signal_deliver(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_signal_deliver>(bytes);
    auto& out = body.emplace<SignalDeliver>();
    if (!is_signal(raw.sig)) return Malformed::bad_signal;
    if (!assign(out.disposition, raw.disposition)) return Malformed::bad_enum;
    out.si_code = raw.si_code;
    out.sender_pid = raw.sender_pid;
    out.sa_flags = raw.sa_flags;
    out.signal = raw.sig;
    out.has_info = raw.has_info != 0;
    return {};
}

Problem signal_dequeue(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_signal_dequeue>(bytes);
    if (!is_signal(raw.sig)) return Malformed::bad_signal;
    body = SignalDequeue{raw.value, raw.si_code, raw.sender_pid, raw.sig};
    return {};
}

Problem signal_get(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_signal_get>(bytes);
    if (raw.sig != 0 && !is_signal(raw.sig)) return Malformed::bad_signal;
    body = SignalGet{raw.enter_ns, raw.sig};
    return {};
}

Problem pipe_op(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_pipe_op>(bytes);
    auto& out = body.emplace<PipeOp>();
    out.write = raw.header.kind == IPCSCOPE_PIPE_WRITE;
    out.enter_ns = raw.enter_ns;
    out.inode = raw.inode;
    out.requested_bytes = raw.requested_bytes;
    out.ret = raw.ret;
    out.blocked_ns = raw.blocked_ns;
    out.runqueue_ns = raw.runqueue_ns;
    out.uninterruptible_ns = raw.uninterruptible_ns;
    out.woken_ns = raw.woken_ns;
    out.dev = raw.dev;
    out.ring_slots = raw.ring_slots;
    out.used_slots = raw.used_slots;
    out.readers = raw.readers;
    out.writers = raw.writers;
    out.sleeps = raw.sleeps;
    out.fifo = raw.fifo != 0;
    out.nonblock = raw.nonblock != 0;
    out.packet = raw.packet != 0;
    return {};
}

Problem kill(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_kill>(bytes);
    auto& out = body.emplace<Kill>();
    if (!is_signal(raw.sig)) return Malformed::bad_signal;
    if (!assign(out.state, raw.state) || !assign(out.origin, raw.origin) ||
        !assign(out.outcome, raw.result))
        return Malformed::bad_enum;
    if (raw.stack_depth > IPCSCOPE_STACK_DEPTH) return Malformed::bad_stack_depth;
    out.target = {raw.target_tgid, raw.stuck_tid, SafeText::name(raw.target_comm)};
    out.signal = raw.sig;
    out.stuck_threads = raw.stuck_threads;
    out.stack.assign(raw.stack, raw.stack + raw.stack_depth);
    return {};
}

Problem task_exit(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_task_exit>(bytes);
    body = TaskExit{raw.exit_code, raw.group_dead != 0};
    return {};
}

Problem task_free(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_task_free>(bytes);
    body = TaskFree{{raw.tgid, raw.tid, SafeText::name(raw.comm)}};
    return {};
}

Problem symbol(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_symbol>(bytes);
    body = Symbol{raw.id, trailing_text(bytes, sizeof raw)};
    return {};
}

Problem pipe_end(Bytes bytes, Body& body)
{
    const auto raw = read<ipcscope_pipe_end>(bytes);
    body = PipeEnd{raw.inode,       raw.dev,       raw.reads != 0,
                   raw.writes != 0, raw.fifo != 0, trailing_text(bytes, sizeof raw)};
    return {};
}

/// What is known of a kind; `size` is its smallest.
struct Kind {
    std::string_view name;
    std::size_t size = 0;
    Problem (*body)(Bytes bytes, Body& body) = nullptr;
};

constexpr std::array kBackendKinds{
    Kind{},
    Kind{"signal_generate", sizeof(ipcscope_signal_generate), signal_generate},
    Kind{"signal_send", sizeof(ipcscope_signal_send), signal_send},
    Kind{"signal_deliver", sizeof(ipcscope_signal_deliver), signal_deliver},
    Kind{"signal_dequeue", sizeof(ipcscope_signal_dequeue), signal_dequeue},
    Kind{"signal_get", sizeof(ipcscope_signal_get), signal_get},
    Kind{"pipe_read", sizeof(ipcscope_pipe_op), pipe_op},
    Kind{"pipe_write", sizeof(ipcscope_pipe_op), pipe_op},
    Kind{"kill", sizeof(ipcscope_kill), kill},
    Kind{"task_exit", sizeof(ipcscope_task_exit), task_exit},
    Kind{"task_free", sizeof(ipcscope_task_free), task_free},
};
static_assert(kBackendKinds.size() == IPCSCOPE_KIND_COUNT);

constexpr std::array kCollectorKinds{
    Kind{"symbol", sizeof(ipcscope_symbol), symbol},
    Kind{"pipe_end", sizeof(ipcscope_pipe_end), pipe_end},
};
static_assert(kCollectorKinds.size() == IPCSCOPE_PIPE_END - IPCSCOPE_SYMBOL + 1);

const Kind* find_kind(unsigned kind)
{
    if (kind >= 1 && kind < kBackendKinds.size()) return &kBackendKinds[kind];
    if (kind >= IPCSCOPE_SYMBOL && kind - IPCSCOPE_SYMBOL < kCollectorKinds.size())
        return &kCollectorKinds[kind - IPCSCOPE_SYMBOL];
    return nullptr;
}

Event event_of(const ipcscope_header& header)
{
    Event event;
    event.time_ns = header.time_ns;
    event.lost_before = header.lost_before;
    event.task = {header.tgid, header.tid, SafeText::name(header.comm)};
    event.cpu = header.cpu;
    event.kind = header.kind;
    event.copy_fault = (header.flags & IPCSCOPE_COPY_FAULT) != 0;
    event.unfinished = (header.flags & IPCSCOPE_UNFINISHED) != 0;
    event.interrupt = (header.flags & IPCSCOPE_INTERRUPT) != 0;
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
    if (cpu != source::Sink::kCollector && header.cpu != cpu)
        return tl::unexpected(Malformed::bad_cpu);

    Decoded decoded{event_of(header), header.size};
    if (const Problem problem = kind->body(bytes.first(header.size), decoded.event.body))
        return tl::unexpected(*problem);
    return decoded;
}

std::size_t record_size(Bytes bytes)
{
    if (bytes.size() < sizeof(ipcscope_header)) return 0;
    const std::size_t size = read<ipcscope_header>(bytes).size;
    return size >= sizeof(ipcscope_header) && size <= bytes.size() ? size : 0;
}

std::string_view kind_name(unsigned kind)
{
    const Kind* known = find_kind(kind);
    return known != nullptr ? known->name : "unknown";
}

}  // namespace ipcscope::decode
