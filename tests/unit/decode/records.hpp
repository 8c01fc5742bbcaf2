// SPDX-License-Identifier: GPL-2.0-only
// Records for tests: one of every kind, each field of a value of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <ipcscope/policy.h>
#include <ipcscope/record.h>

namespace ipcscope::test {

using Record = std::vector<std::byte>;

constexpr unsigned kCpu = 5;
constexpr std::uint16_t kKinds[] = {
    IPCSCOPE_SIGNAL_GENERATE, IPCSCOPE_SIGNAL_TAKE, IPCSCOPE_KILL,
    IPCSCOPE_THREAD,          IPCSCOPE_THREAD_TIME, IPCSCOPE_THREAD_EXIT,
    IPCSCOPE_THREAD_FREE,     IPCSCOPE_SLICE,       IPCSCOPE_CALL_PIPE,
    IPCSCOPE_CALL_SPLICE,     IPCSCOPE_CALL_UNIX,   IPCSCOPE_CALL_EVENTFD,
    IPCSCOPE_CALL_MQUEUE,     IPCSCOPE_CALL_SYSV,   IPCSCOPE_CALL_FUTEX,
    IPCSCOPE_SIGNAL_HANDLER,  IPCSCOPE_SIGNAL_MASK, IPCSCOPE_COMMAND,
    IPCSCOPE_FD_RECEIVED,
    IPCSCOPE_SYMBOL,          IPCSCOPE_HOLDER,      IPCSCOPE_OBSERVED,
    IPCSCOPE_PROCESS,         IPCSCOPE_USER,        IPCSCOPE_CGROUP,
};

constexpr bool is_call(unsigned kind)
{
    return kind >= IPCSCOPE_CALL_FIRST && kind <= IPCSCOPE_CALL_LAST;
}

inline void set_name(__u8 (&to)[IPCSCOPE_COMM_LEN], std::string_view name)
{
    std::copy_n(name.begin(), std::min(sizeof to, name.size()), to);
}

/// The first `size` bytes of the record, with a header, and text behind it.
template <typename T>
Record finish(T& record, std::uint16_t kind, std::string_view text = {},
              std::size_t size = sizeof(T))
{
    record.header.time_ns = 0x0102030405060708;
    record.header.lost_before = 0x1112131415161718;
    record.header.tgid = 0x21222324;
    record.header.tid = 0x31323334;
    record.header.cpu = kCpu;
    record.header.kind = kind;
    record.header.size = static_cast<std::uint16_t>(size + text.size());
    record.header.flags = 0;
    Record bytes(size + text.size());
    std::memcpy(bytes.data(), &record, size);
    std::transform(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(size),
                   [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

/// The long form.
inline Record signal_generate()
{
    ipcscope_signal_callers record{};
    record.memory_limit = 20u << 20;
    record.memory_cgroup = 105;
    record.stack_depth = 2;
    record.stack[0] = 106;
    record.stack[1] = 107;
    record.cgroup_name[0] = 'o';
    record.enter_ns = 104;
    record.value = 0x4142434445464748;
    record.target_tgid = 101;
    record.target_tid = 102;
    record.si_code = -6;
    record.sender_pid = 103;
    record.ret = -11;
    record.sig = 12;
    record.result = IPCSCOPE_RESULT_INFO_LOST;
    record.target_state = IPCSCOPE_STATE_KILLABLE;
    record.origin = IPCSCOPE_ORIGIN_TIMER;
    record.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    record.shared = 1;
    record.blocked = 1;
    record.fatal = 1;
    record.unkillable = 1;
    record.has_info = 1;
    record.dying = 1;
    record.requeued = 1;
    return finish(record, IPCSCOPE_SIGNAL_GENERATE);
}

inline Record signal_take()
{
    ipcscope_signal_take record{};
    record.dequeued_ns = 301;
    record.enter_ns = 302;
    record.value = 303;
    record.si_code = -7;
    record.sender_pid = 304;
    record.sa_flags = 0x98765432;
    record.overrun = 305;
    record.sig = 64;
    record.how = IPCSCOPE_TAKE_GROUP_EXIT;
    record.disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
    record.has_info = 1;
    record.traced = 1;
    record.group = IPCSCOPE_GROUP_CORE_DUMP;
    record.group_signal = 11;
    return finish(record, IPCSCOPE_SIGNAL_TAKE);
}

inline Record signal_handler()
{
    ipcscope_signal_handler record{};
    record.enter_ns = 401;
    record.blocked_inside = 1ull << 63 | 402;
    record.blocked_after = 403;
    record.sig = 10;
    record.depth = 2;
    record.left = 1;
    return finish(record, IPCSCOPE_SIGNAL_HANDLER);
}

inline Record signal_mask()
{
    ipcscope_signal_mask record{};
    record.before = 501;
    record.after = 1ull << 63 | 502;
    record.syscall = 14;
    return finish(record, IPCSCOPE_SIGNAL_MASK);
}

inline Record fd_received()
{
    ipcscope_fd_received record{};
    record.socket = 511;
    record.inode = 512;
    record.dev = 513;
    record.fd = 7;
    record.filesystem = IPCSCOPE_SOCKFS_MAGIC;
    record.mode = 0140777;
    record.port = 8080;
    record.family = IPCSCOPE_AF_INET;
    record.socket_type = 1;
    record.listening = 1;
    std::memcpy(record.name, "TCP", 3);
    return finish(record, IPCSCOPE_FD_RECEIVED);
}

inline Record command(std::string_view words = {"kill\0-9\0\x1b\0", 10})
{
    ipcscope_command record{};
    record.bytes = 510;
    std::copy_n(words.begin(), std::min(sizeof record.words, words.size()), record.words);
    return finish(record, IPCSCOPE_COMMAND);
}

inline Record kill(std::uint32_t depth = 3)
{
    ipcscope_kill record{};
    record.target_tgid = 701;
    record.stuck_tid = 702;
    record.stuck_threads = 703;
    record.stack_depth = depth;
    record.sig = 9;
    record.state = IPCSCOPE_STATE_UNINTERRUPTIBLE;
    record.origin = IPCSCOPE_ORIGIN_KERNEL;
    record.result = IPCSCOPE_RESULT_ALREADY_PENDING;
    for (std::uint64_t i = 0; i < IPCSCOPE_STACK_DEPTH; ++i) record.stack[i] = 710 + i;
    return finish(record, IPCSCOPE_KILL);
}

inline Record thread(std::string_view comm = "exactly16letters")
{
    ipcscope_thread record{};
    record.start_ns = 801;
    record.cgroup = 802;
    record.ppid = 803;
    record.ns_pid = 804;
    record.uid = 805;
    record.reason = IPCSCOPE_THREAD_RENAME;
    set_name(record.comm, comm);
    return finish(record, IPCSCOPE_THREAD);
}

/// BETWEEN_FIELDS: from, from + 1, …
template <typename T>
void set_between(T& record, std::uint64_t from)
{
    record.between_runnable_ns = from;
    record.between_sleeping_ns = from + 1;
    record.between_polling_ns = from + 2;
    record.between_uninterruptible_ns = from + 3;
    record.between_killable_ns = from + 4;
    record.between_other_ns = from + 5;
}

inline Record thread_time(std::uint16_t kind = IPCSCOPE_THREAD_TIME)
{
    ipcscope_thread_time record{};
    record.since_ns = 901;
    set_between(record, 910);
    record.exit_code = -902;
    record.syscall = 903;
    record.state = IPCSCOPE_STATE_FROZEN;
    record.group_dead = 1;
    return finish(record, kind);
}

inline Record thread_free()
{
    struct {
        ipcscope_header header;
    } record{};
    return finish(record, IPCSCOPE_THREAD_FREE);
}

inline Record slice()
{
    ipcscope_slice record{};
    record.start_ns = 1201;
    record.end_ns = 1202;
    record.waker_tid = 1203;
    record.syscall = 1204;
    record.state = IPCSCOPE_STATE_POLLING;
    record.call = IPCSCOPE_CALL_UNIX;
    return finish(record, IPCSCOPE_SLICE);
}

inline std::uint8_t object_of(unsigned kind)
{
    switch (kind) {
    case IPCSCOPE_CALL_UNIX: return IPCSCOPE_OBJECT_UNIX_SEQPACKET;
    case IPCSCOPE_CALL_EVENTFD: return IPCSCOPE_OBJECT_EVENTFD;
    case IPCSCOPE_CALL_MQUEUE: return IPCSCOPE_OBJECT_MQUEUE;
    case IPCSCOPE_CALL_SYSV: return IPCSCOPE_OBJECT_SYSV_SEM;
    case IPCSCOPE_CALL_FUTEX: return IPCSCOPE_OBJECT_FUTEX;
    default: return IPCSCOPE_OBJECT_FIFO;
    }
}

inline ipcscope_call_split call_struct(unsigned kind)
{
    ipcscope_call_split record{};
    record.since_ns = 601;
    record.enter_ns = 602;
    record.object = 603;
    record.peer = 604;
    record.requested = 605;
    record.ret = -606;
    record.dev = 607;
    record.type = object_of(kind);
    record.op = IPCSCOPE_OP_WRITE;
    record.flags = IPCSCOPE_CALL_PACKET;
    record.sleeps = 255;
    if (kind == IPCSCOPE_CALL_EVENTFD)
        record.tail.eventfd = {612, 1, 1};
    else
        record.tail.pipe = {612, 613, 614, 615};   // all others are four of 32 bits
    record.blocked_ns = 621;
    record.runnable_ns = 622;
    record.uninterruptible_ns = 623;
    record.waker_tid = 624;
    record.woken_before_ns = 625;
    set_between(record, 630);
    return record;
}

inline Record call(unsigned kind)
{
    auto record = call_struct(kind);
    return finish(record, static_cast<std::uint16_t>(kind));
}

inline Record short_call(unsigned kind)
{
    auto record = call_struct(kind);
    return finish(record, static_cast<std::uint16_t>(kind), {}, sizeof(ipcscope_call));
}

inline Record symbol(std::string_view text = "pipe_wait+0x6f/0xa0")
{
    ipcscope_symbol record{};
    record.id = 1001;
    return finish(record, IPCSCOPE_SYMBOL, text);
}

inline Record holder(std::string_view path = "/run/fifo\x1b")
{
    ipcscope_holder record{};
    record.object = 1101;
    record.dev = 1102;
    record.type = IPCSCOPE_OBJECT_FIFO;
    record.writes = 1;
    return finish(record, IPCSCOPE_HOLDER, path);
}

inline Record observed(std::string_view wait_channel = "pipe_read\x1b")
{
    ipcscope_observed record{};
    record.sent_ns = 1201;
    record.blocked = 1202;
    record.ignored = 1203;
    record.caught = 1204;
    record.pending = 1205;
    record.ppid = 1206;
    record.tracer_pid = 1207;
    record.vfork_child = 1208;
    record.exit_code = -1209;
    record.threads = 1210;
    record.stack_depth = 2;
    record.syscall = 1211;
    record.missing = IPCSCOPE_MISSING_STACK;
    record.sig = 15;
    record.state = IPCSCOPE_STATE_ZOMBIE;
    record.frozen = 1;
    record.stack[0] = 1212;
    record.stack[1] = 1213;
    return finish(record, IPCSCOPE_OBSERVED, wait_channel);
}

inline Record process(std::string_view command = "kill -9 7\x1b")
{
    ipcscope_process record{};
    record.cgroup = 1301;
    record.ppid = 1302;
    record.ns_pid = 1303;
    record.uid = 1304;
    set_name(record.comm, "kill");
    return finish(record, IPCSCOPE_PROCESS, command);
}

/// A USER or a CGROUP.
inline Record name_of_id(std::uint16_t kind, std::string_view name)
{
    ipcscope_name record{};
    record.id = 1401;
    return finish(record, kind, name);
}

inline Record record_of(unsigned kind)
{
    if (is_call(kind)) return call(kind);
    switch (kind) {
    case IPCSCOPE_SIGNAL_GENERATE: return signal_generate();
    case IPCSCOPE_SIGNAL_TAKE: return signal_take();
    case IPCSCOPE_SIGNAL_HANDLER: return signal_handler();
    case IPCSCOPE_SIGNAL_MASK: return signal_mask();
    case IPCSCOPE_COMMAND: return command();
    case IPCSCOPE_FD_RECEIVED: return fd_received();
    case IPCSCOPE_KILL: return kill();
    case IPCSCOPE_THREAD: return thread();
    case IPCSCOPE_THREAD_TIME:
    case IPCSCOPE_THREAD_EXIT: return thread_time(static_cast<std::uint16_t>(kind));
    case IPCSCOPE_THREAD_FREE: return thread_free();
    case IPCSCOPE_SLICE: return slice();
    case IPCSCOPE_SYMBOL: return symbol();
    case IPCSCOPE_HOLDER: return holder();
    case IPCSCOPE_OBSERVED: return observed();
    case IPCSCOPE_PROCESS: return process();
    case IPCSCOPE_USER: return name_of_id(IPCSCOPE_USER, "ro\not");
    case IPCSCOPE_CGROUP: return name_of_id(IPCSCOPE_CGROUP, "/a\x1b");
    default: return {};
    }
}

/// Smallest size of a record of that kind.
inline std::size_t least_size(unsigned kind)
{
    if (is_call(kind)) return sizeof(ipcscope_call);
    if (kind == IPCSCOPE_SIGNAL_GENERATE) return sizeof(ipcscope_signal_generate);
    if (kind == IPCSCOPE_SYMBOL) return sizeof(ipcscope_symbol);
    if (kind == IPCSCOPE_HOLDER) return sizeof(ipcscope_holder);
    if (kind == IPCSCOPE_OBSERVED) return sizeof(ipcscope_observed);
    if (kind == IPCSCOPE_PROCESS) return sizeof(ipcscope_process);
    if (kind == IPCSCOPE_USER || kind == IPCSCOPE_CGROUP) return sizeof(ipcscope_name);
    return record_of(kind).size();
}

/// Every kind, one behind the other, with a short call at the end.
inline Record all_records()
{
    Record all;
    const auto append = [&](const Record& one) { all.insert(all.end(), one.begin(), one.end()); };
    for (const std::uint16_t kind : kKinds) append(record_of(kind));
    append(short_call(IPCSCOPE_CALL_PIPE));
    return all;
}

template <typename T>
void poke(Record& record, std::size_t at, T value)
{
    std::memcpy(record.data() + at, &value, sizeof value);
}

inline void set_cpu(Record& record, unsigned cpu)
{
    poke(record, offsetof(ipcscope_header, cpu), static_cast<std::uint16_t>(cpu));
}

}  // namespace ipcscope::test
