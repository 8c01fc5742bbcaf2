// SPDX-License-Identifier: GPL-2.0-only
// Records for tests: one of every kind, each field of a value of its own.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <ipcscope/record.h>

namespace ipcscope::test {

using Record = std::vector<std::byte>;

constexpr unsigned kCpu = 5;
constexpr std::uint16_t kKinds[] = {
    IPCSCOPE_SIGNAL_GENERATE, IPCSCOPE_SIGNAL_SEND, IPCSCOPE_SIGNAL_DELIVER,
    IPCSCOPE_SIGNAL_DEQUEUE,  IPCSCOPE_SIGNAL_GET,  IPCSCOPE_PIPE_READ,
    IPCSCOPE_PIPE_WRITE,      IPCSCOPE_KILL,        IPCSCOPE_TASK_EXIT,
    IPCSCOPE_TASK_FREE,       IPCSCOPE_SYMBOL,      IPCSCOPE_PIPE_END,
};

template <std::size_t N>
void set_name(char (&to)[N], std::string_view name)
{
    std::copy_n(name.begin(), std::min(N, name.size()), to);
}

template <typename T>
Record finish(T& record, std::uint16_t kind, std::string_view text = {})
{
    record.header.time_ns = 0x0102030405060708;
    record.header.lost_before = 0x1112131415161718;
    record.header.tgid = 0x21222324;
    record.header.tid = 0x31323334;
    record.header.cpu = kCpu;
    record.header.kind = kind;
    record.header.size = static_cast<std::uint16_t>(sizeof record + text.size());
    record.header.flags = 0;
    set_name(record.header.comm, "sender");
    Record bytes(sizeof record + text.size());
    std::memcpy(bytes.data(), &record, sizeof record);
    std::transform(text.begin(), text.end(), bytes.begin() + sizeof record,
                   [](char c) { return static_cast<std::byte>(c); });
    return bytes;
}

inline Record signal_generate()
{
    ipcscope_signal_generate record{};
    record.value = 0x4142434445464748;
    record.target_tgid = 101;
    record.target_tid = 102;
    set_name(record.target_comm, "exactly16letters");
    record.si_code = -6;
    record.sender_pid = 103;
    record.sig = 12;
    record.result = IPCSCOPE_RESULT_INFO_LOST;
    record.target_state = IPCSCOPE_STATE_KILLABLE;
    record.shared = 1;
    record.origin = IPCSCOPE_ORIGIN_TIMER;
    record.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    record.blocked = 1;
    record.fatal = 1;
    record.unkillable = 1;
    record.has_info = 1;
    return finish(record, IPCSCOPE_SIGNAL_GENERATE);
}

inline Record signal_send()
{
    ipcscope_signal_send record{};
    record.enter_ns = 201;
    record.target_tgid = 202;
    record.target_tid = 203;
    record.ret = -11;
    record.sig = 34;
    return finish(record, IPCSCOPE_SIGNAL_SEND);
}

inline Record signal_deliver()
{
    ipcscope_signal_deliver record{};
    record.si_code = -7;
    record.sender_pid = 301;
    record.sa_flags = 0x98765432;
    record.sig = 64;
    record.disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
    record.has_info = 1;
    return finish(record, IPCSCOPE_SIGNAL_DELIVER);
}

inline Record signal_dequeue()
{
    ipcscope_signal_dequeue record{};
    record.value = 401;
    record.si_code = -8;
    record.sender_pid = 402;
    record.sig = 17;
    return finish(record, IPCSCOPE_SIGNAL_DEQUEUE);
}

inline Record signal_get(std::uint16_t sig = 15)
{
    ipcscope_signal_get record{};
    record.enter_ns = 501;
    record.sig = sig;
    return finish(record, IPCSCOPE_SIGNAL_GET);
}

inline Record pipe_op(std::uint16_t kind)
{
    ipcscope_pipe_op record{};
    record.enter_ns = 601;
    record.inode = 602;
    record.requested_bytes = 603;
    record.ret = -604;
    record.blocked_ns = 605;
    record.runqueue_ns = 606;
    record.uninterruptible_ns = 607;
    record.woken_ns = 614;
    record.dev = 608;
    record.ring_slots = 609;
    record.used_slots = 610;
    record.readers = 611;
    record.writers = 612;
    record.sleeps = 613;
    record.fifo = 1;
    record.packet = 1;
    return finish(record, kind);
}

inline Record kill(std::uint32_t depth = 3)
{
    ipcscope_kill record{};
    record.target_tgid = 701;
    record.stuck_tid = 702;
    set_name(record.target_comm, "stuck");
    record.sig = 9;
    record.state = IPCSCOPE_STATE_UNINTERRUPTIBLE;
    record.origin = IPCSCOPE_ORIGIN_KERNEL;
    record.stuck_threads = 703;
    record.stack_depth = depth;
    record.result = IPCSCOPE_RESULT_ALREADY_PENDING;
    for (std::uint64_t i = 0; i < IPCSCOPE_STACK_DEPTH; ++i) record.stack[i] = 710 + i;
    return finish(record, IPCSCOPE_KILL);
}

inline Record task_exit()
{
    ipcscope_task_exit record{};
    record.exit_code = -801;
    record.group_dead = 1;
    return finish(record, IPCSCOPE_TASK_EXIT);
}

inline Record task_free()
{
    ipcscope_task_free record{};
    record.tgid = 901;
    record.tid = 902;
    set_name(record.comm, "gone");
    return finish(record, IPCSCOPE_TASK_FREE);
}

inline Record symbol(std::string_view text = "pipe_wait+0x6f/0xa0")
{
    ipcscope_symbol record{};
    record.id = 1001;
    return finish(record, IPCSCOPE_SYMBOL, text);
}

inline Record pipe_end(std::string_view path = "/run/fifo\x1b")
{
    ipcscope_pipe_end record{};
    record.inode = 1101;
    record.dev = 1102;
    record.writes = 1;
    record.fifo = 1;
    return finish(record, IPCSCOPE_PIPE_END, path);
}

inline Record record_of(unsigned kind)
{
    switch (kind) {
    case IPCSCOPE_SIGNAL_GENERATE: return signal_generate();
    case IPCSCOPE_SIGNAL_SEND: return signal_send();
    case IPCSCOPE_SIGNAL_DELIVER: return signal_deliver();
    case IPCSCOPE_SIGNAL_DEQUEUE: return signal_dequeue();
    case IPCSCOPE_SIGNAL_GET: return signal_get();
    case IPCSCOPE_PIPE_READ: return pipe_op(IPCSCOPE_PIPE_READ);
    case IPCSCOPE_PIPE_WRITE: return pipe_op(IPCSCOPE_PIPE_WRITE);
    case IPCSCOPE_KILL: return kill();
    case IPCSCOPE_TASK_EXIT: return task_exit();
    case IPCSCOPE_TASK_FREE: return task_free();
    case IPCSCOPE_SYMBOL: return symbol();
    case IPCSCOPE_PIPE_END: return pipe_end();
    default: return {};
    }
}

/// Every kind, one behind the other.
inline Record all_records()
{
    Record all;
    for (const std::uint16_t kind : kKinds) {
        const Record one = record_of(kind);
        all.insert(all.end(), one.begin(), one.end());
    }
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
