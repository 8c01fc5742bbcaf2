// SPDX-License-Identifier: GPL-2.0-only
// Records as typed values: the contract's own structs (ipcscope/record.h), whose
// ids have been checked, with what the collector knows of the threads in them.
#pragma once

#include <cstdint>
#include <variant>

#include <ipcscope/record.h>

#include "base/comm.hpp"
#include "base/safe_text.hpp"

namespace ipcscope::decode {

/// A thread, by the name that it had at the time of what it is named in.
struct Task {
    std::uint32_t tgid = 0;
    std::uint32_t tid = 0;
    Comm comm;                 ///< empty: not known
    friend bool operator==(const Task&, const Task&) = default;
};

// Ids of the contract; a decoded body's fields are within them.
enum class State : std::uint8_t {
    unknown, running, interruptible, uninterruptible, killable, idle, stopped, traced,
    zombie, dead, other, runnable, polling, frozen
};
enum class Origin : std::uint8_t {
    task, kernel, timer, parent_exit, fault, seccomp, oom, cgroup_kill, terminal,
    pid_namespace, orphaned_group, io, itimer, cpu_limit
};
/// The thread in the header sent it, or its exit did: it is no bystander.
constexpr bool names_sender(Origin origin)
{
    return origin == Origin::task || origin == Origin::parent_exit || origin == Origin::fault ||
           origin == Origin::seccomp || origin == Origin::cgroup_kill;
}
enum class Outcome : std::uint8_t {
    delivered, ignored, already_pending, overflow, info_lost
};
enum class Disposition : std::uint8_t { standard, ignore, handler, unknown };
enum class How : std::uint8_t {
    handler, standard, ignored, sigwait, signalfd, debugger, group_exit, discarded,
    kernel_thread
};
enum class GroupCause : std::uint8_t { none, exit, exec, core_dump };
enum class ThreadReason : std::uint8_t { seen, sweep, fork, exec, rename };
enum class ObjectType : std::uint8_t {
    none, pipe, fifo, unix_stream, unix_dgram, unix_seqpacket, eventfd, mqueue, sysv_msg,
    sysv_sem, sysv_shm, futex, futex_private
};
enum class Op : std::uint8_t {
    read, write, open, resize, splice_in, splice_out, tee, vmsplice, send, receive, connect,
    accept, notify, semaphore, attach, wait, wake, requeue
};

// Bodies.  Their `header` is as it was in the ring.
using SignalGenerate = ipcscope_signal_callers;   ///< of a short record: no callers
using SignalTake = ipcscope_signal_take;
using SignalHandler = ipcscope_signal_handler;   ///< one run of it
using SignalMask = ipcscope_signal_mask;
using Kill = ipcscope_kill;
using Command = ipcscope_command;          ///< the sender's, as the kernel had it
using FdReceived = ipcscope_fd_received;   ///< by SCM_RIGHTS
using Thread = ipcscope_thread;
using ThreadTime = ipcscope_thread_time;   ///< THREAD_TIME, THREAD_EXIT
using Slice = ipcscope_slice;
using Call = ipcscope_call_split;          ///< of a short record: no time but running

struct ThreadFree {                        ///< the header's thread was reaped
    ipcscope_header header;
};

struct Symbol {
    ipcscope_symbol record{};
    SafeText text;
};

struct Holder {
    ipcscope_holder record{};
    SafeText path;
};

struct Observed {                          ///< of a process that should have ended
    ipcscope_observed record{};
    SafeText wait_channel;
};

struct Process {                           ///< as /proc had it
    ipcscope_process record{};
    SafeText command;                      ///< its command line; empty: not read
};

struct User {
    ipcscope_name record{};
    SafeText name;
};

struct Cgroup {
    ipcscope_name record{};
    SafeText path;                         ///< from the hierarchy's root: "/system.slice"
};

using Body = std::variant<SignalGenerate, SignalTake, Kill, Thread, ThreadTime, ThreadFree,
                          Slice, Call, Symbol, Holder, Observed, Process, User, Cgroup,
                          SignalHandler, SignalMask, Command, FdReceived>;

struct Event {
    std::uint64_t time_ns = 0;
    std::uint64_t lost_before = 0;
    Task task;                 ///< whom the record is about: sender, receiver, caller
    Comm process;              ///< name of task's process: that of its leader
    Task target;               ///< of a SignalGenerate or Kill, else empty
    Comm target_process;       ///< name of target's process
    unsigned cpu = 0;
    unsigned kind = 0;         ///< IPCSCOPE_SIGNAL_GENERATE …
    bool unfinished = false;   ///< had not ended at time_ns
    bool before_trace = false; ///< had begun before the trace
    Body body;
};

// The ids of a body's fields.
inline State state_of(std::uint8_t id) { return static_cast<State>(id); }
inline Origin origin_of(const SignalGenerate& body) { return static_cast<Origin>(body.origin); }
inline Outcome outcome_of(const SignalGenerate& body)
{
    return static_cast<Outcome>(body.result);
}
inline Disposition disposition_of(std::uint8_t id) { return static_cast<Disposition>(id); }
inline How how_of(const SignalTake& body) { return static_cast<How>(body.how); }
inline ObjectType type_of(const Call& body) { return static_cast<ObjectType>(body.type); }
constexpr bool is_pipe(ObjectType type)
{
    return type == ObjectType::pipe || type == ObjectType::fifo;
}
constexpr bool is_unix(ObjectType type)
{
    return type == ObjectType::unix_stream || type == ObjectType::unix_dgram ||
           type == ObjectType::unix_seqpacket;
}
constexpr bool is_futex(ObjectType type)
{
    return type == ObjectType::futex || type == ObjectType::futex_private;
}
inline Op op_of(const Call& body) { return static_cast<Op>(body.op); }

// An exit code, as wait(2) encodes it.
/// The signal that ended the process; 0: it exited.
constexpr unsigned ended_by(std::int32_t exit_code)
{
    return static_cast<unsigned>(exit_code) & 0x7f;
}
constexpr unsigned exit_status(std::int32_t exit_code)
{
    return static_cast<unsigned>(exit_code) >> 8 & 0xff;
}

/// Time outside of any call, by state; the parts add up to the span.
struct Between {
    std::uint64_t span_ns = 0;
    std::uint64_t running_ns = 0;
    std::uint64_t runnable_ns = 0;
    std::uint64_t sleeping_ns = 0;
    std::uint64_t polling_ns = 0;
    std::uint64_t uninterruptible_ns = 0;
    std::uint64_t killable_ns = 0;
    std::uint64_t other_ns = 0;
};
/// Time inside a call, likewise.
struct Inside {
    std::uint64_t span_ns = 0;
    std::uint64_t running_ns = 0;
    std::uint64_t runnable_ns = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t uninterruptible_ns = 0;
};

}  // namespace ipcscope::decode
