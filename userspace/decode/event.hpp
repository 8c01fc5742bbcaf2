// SPDX-License-Identifier: GPL-2.0-only
// Records as typed values.  Fields mean what kmod/include/uapi/ipcscope/record.h
// says; ids are enums here, names are SafeText.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include <ipcscope/record.h>

#include "base/safe_text.hpp"

namespace ipcscope::decode {

struct Task {
    std::uint32_t tgid = 0;
    std::uint32_t tid = 0;
    SafeText comm;
    friend bool operator==(const Task&, const Task&) = default;
};

enum class State : std::uint8_t {
    unknown, running, interruptible, uninterruptible, killable, idle,
    stopped, traced, zombie, dead, other
};
enum class Origin : std::uint8_t { task, kernel, timer };
enum class Outcome : std::uint8_t {
    delivered, ignored, already_pending, overflow, info_lost
};
enum class Disposition : std::uint8_t { standard, ignore, handler, unknown };

struct SignalGenerate {
    std::uint64_t value = 0;
    Task target;
    std::int32_t si_code = 0;
    std::uint32_t sender_pid = 0;
    unsigned signal = 0;
    Outcome outcome{};
    State target_state{};
    bool shared = false;
    Origin origin{};
    Disposition disposition{};
    bool blocked = false;
    bool fatal = false;
    bool unkillable = false;
    bool has_info = false;
};

struct SignalSend {
    std::uint64_t enter_ns = 0;
    std::uint32_t target_tgid = 0;
    std::uint32_t target_tid = 0;
    std::int32_t ret = 0;
    unsigned signal = 0;
};

struct SignalDeliver {
    std::int32_t si_code = 0;
    std::uint32_t sender_pid = 0;
    std::uint32_t sa_flags = 0;
    unsigned signal = 0;
    Disposition disposition{};
    bool has_info = false;
};

struct SignalDequeue {
    std::uint64_t value = 0;
    std::int32_t si_code = 0;
    std::uint32_t sender_pid = 0;
    unsigned signal = 0;
};

struct SignalGet {
    std::uint64_t enter_ns = 0;
    unsigned signal = 0;
};

struct PipeOp {
    bool write = false;   ///< PIPE_WRITE rather than PIPE_READ
    std::uint64_t enter_ns = 0;
    std::uint64_t inode = 0;
    std::uint64_t requested_bytes = 0;
    std::int64_t ret = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t runqueue_ns = 0;
    std::uint64_t uninterruptible_ns = 0;
    std::uint64_t woken_ns = 0;
    std::uint32_t dev = 0;
    std::uint32_t ring_slots = 0;
    std::uint32_t used_slots = 0;
    std::uint32_t readers = 0;
    std::uint32_t writers = 0;
    std::uint32_t sleeps = 0;
    bool fifo = false;
    bool nonblock = false;
    bool packet = false;
};

struct Kill {
    Task target;                      ///< tid is the stuck thread
    unsigned signal = 0;
    State state{};
    Origin origin{};
    Outcome outcome{};
    std::uint32_t stuck_threads = 0;
    std::vector<std::uint64_t> stack; ///< symbol ids, innermost first
};

struct TaskExit {
    std::int32_t exit_code = 0;
    bool group_dead = false;
};

struct TaskFree {
    Task task;
};

struct Symbol {
    std::uint64_t id = 0;
    SafeText text;
};

struct PipeEnd {
    std::uint64_t inode = 0;
    std::uint32_t dev = 0;
    bool reads = false;
    bool writes = false;
    bool fifo = false;
    SafeText path;
};

using Body = std::variant<SignalGenerate, SignalSend, SignalDeliver, SignalDequeue,
                          SignalGet, PipeOp, Kill, TaskExit, TaskFree, Symbol, PipeEnd>;

struct Event {
    std::uint64_t time_ns = 0;
    std::uint64_t lost_before = 0;
    Task task;                 ///< in whose context the hook ran
    unsigned cpu = 0;
    unsigned kind = 0;         ///< IPCSCOPE_SIGNAL_GENERATE …
    bool copy_fault = false;
    bool unfinished = false;
    bool interrupt = false;
    Body body;
};

}  // namespace ipcscope::decode
