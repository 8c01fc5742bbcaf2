// SPDX-License-Identifier: GPL-2.0-only
// The report as a value: what every renderer shows, and nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aggregate/channel.hpp"
#include "aggregate/death.hpp"
#include "aggregate/lineage.hpp"
#include "aggregate/time.hpp"
#include "base/histogram.hpp"
#include "correlate/interval.hpp"
#include "source/source.hpp"

namespace ipcscope::aggregate {

using correlate::End;
using decode::Task;

struct SignalRow {
    unsigned signal = 0;
    Task sender;     ///< tid = 0: rows are per process; its name as it sent
    Task target;     ///< its name as it was sent to
    decode::Origin origin{};
    std::array<std::uint64_t, IPCSCOPE_RESULT_COUNT> outcomes{};  ///< by Outcome
    std::array<std::uint64_t, correlate::kEnds> ends{};           ///< by End
    std::uint64_t to_unkillable = 0; ///< ignored because target is its namespace's init
    std::uint64_t requeued = 0;      ///< put back after a debugger had seen them
    std::uint64_t first_ns = 0;      ///< when the first of them was generated
    std::uint64_t last_ns = 0;       ///< when the last of them was generated
    Histogram latency;               ///< generation → delivery
    /// Of those that were taken IPCSCOPE_SLICE_NS or more after they were sent: how many, by
    /// HeldBy.
    std::array<std::uint64_t, kHeldBy> held{};
    std::optional<SignalWait> longest;        ///< of those that were taken
    std::optional<SignalWait> still_pending;  ///< the first of those that are pending

    std::uint64_t at(End end) const { return ends[static_cast<std::size_t>(end)]; }
    std::uint64_t at(decode::Outcome outcome) const
    {
        return outcomes[static_cast<std::size_t>(outcome)];
    }
    std::uint64_t matched() const;
    std::uint64_t unmatched() const;
};
// Invariant: outcomes[delivered] + outcomes[info_lost] == matched() + unmatched(),
//            matched() == latency.count()

/// Runs of one signal's handler in one process (--trace handlers).
struct HandlerRow {
    Task task;                     ///< tid = 0; its name at the last
    unsigned signal = 0;
    Histogram time;                ///< of those that returned: from set-up to return
    std::uint64_t left = 0;        ///< did not return: siglongjmp()
    std::uint64_t cut = 0;         ///< the thread ended in it, or executed a program
    std::uint64_t running = 0;     ///< it was in it as the trace ended
    unsigned depth = 0;            ///< the most handlers that one of them interrupted
    std::uint64_t longest_ns = 0;  ///< when the longest began

    std::uint64_t count() const { return time.count() + left + cut + running; }
};

enum class KernelFunction : std::uint8_t {
    send,         ///< the send core, from its entry to its exit
    get_signal,   ///< get_signal(), from its entry to the delivery
};

/// Calls of a kernel function.
struct CallRow {
    KernelFunction function{};
    std::uint64_t count = 0;
    Histogram latency;
};

/// Calls of one operation on an object.
struct CallStats {
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t uninterruptible_ns = 0;
    std::uint64_t blocked_count = 0;   ///< calls that slept: on full, empty, …
    std::uint64_t nonblocking = 0;
    std::uint64_t peeks = 0;           ///< MSG_PEEK: of their bytes none is counted
    std::uint64_t eagain = 0;
    std::uint64_t epipe = 0;           ///< output: the other end is gone
    std::uint64_t interrupted = 0;     ///< ended by a signal
    std::uint64_t timeouts = 0;        ///< ETIMEDOUT: ended by their own timeout
    std::uint64_t errors = 0;          ///< any other -errno
    std::uint64_t unfinished = 0;      ///< still inside when the trace ended
    Histogram latency;                 ///< of finished calls

    void add(const decode::Event& event, const decode::Call& call);
};

struct ChannelSide : CallStats {
    std::uint64_t polled_ns = 0;       ///< in poll for it, before calls
    std::uint64_t runnable_ns = 0;
    std::uint64_t eof = 0;             ///< reads: no writer left, 0 bytes
    /// All processes that are known to hold this end were traced, so that no call is
    /// missing here but those that were lost.
    bool traced = false;
};

struct ChannelEnd {
    Task task;                         ///< tid = 0: per process; its name at its last call
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    std::uint64_t blocked_ns = 0;
    std::uint64_t polled_ns = 0;
    bool holds_only = false;           ///< open, but no call was seen
    bool traced = false;               ///< so that it made no call that is not here
    std::uint32_t only_tid = 0;        ///< the thread that made its calls; 0: several, none
    std::int64_t taken = 0;            ///< of a semaphore: taken less put back
    std::uint64_t taken_ns = 0;        ///< when it was last taken
    bool undone = false;               ///< as its process exits, by SEM_UNDO
    std::uint64_t first_call_ns = 0;
    std::uint64_t last_call_ns = 0;
    std::uint64_t held_ns = 0;         ///< when it was last seen to hold the end open
    std::uint64_t eof = 0;             ///< reads: no writer left
    std::uint64_t broken = 0;          ///< writes: no reader left
    std::uint64_t broken_ns = 0;       ///< the first of them; 0: none
    bool wants_more = false;           ///< its last call moved a part of what it asked for, or was refused
    bool cut = false;                  ///< likewise a write that may block: a signal, or EPIPE, cut it
    std::uint64_t short_calls = 0;     ///< moved less than they asked for, but something
    std::uint64_t beyond_ring = 0;     ///< of these: asked for all that the ring can hold, or more
    std::uint64_t asked_bytes = 0;     ///< by the largest call
    // Refused with EAGAIN:
    std::uint64_t refused = 0;
    std::uint64_t refused_ns = 0;      ///< from the first of a row of them to the next success
    std::uint64_t longest_row = 0;     ///< the most retries that followed each other at once
    std::uint64_t retries = 0;         ///< that did up to now: within 10 ms, without a poll between
    std::uint64_t row = 0;             ///< refused since the last that was not
    std::uint64_t row_since_ns = 0;
};

/// One direction of an IPC object: a pipe, what one socket receives, a queue, ….
struct ChannelRow {
    decode::ObjectType type{};
    ObjectId object;                   ///< a socket: that which receives
    std::uint64_t sender = 0;          ///< a socket: its peer, that was last seen to send
    bool listens = false;              ///< a socket: connections come to it, and are accepted
    SafeText path;                     ///< where known: of a FIFO, of a socket
    std::uint32_t ring_slots = 0;      ///< of a pipe, the largest seen
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    ChannelSide reads;
    ChannelSide writes;
    std::uint64_t full_ns = 0;         ///< time in which a writer was blocked, or in poll for it
    std::uint64_t empty_ns = 0;        ///< time in which a reader was
    /// Occupancy at entry of each call, in eighths of its limit: [0] empty, …,
    /// [8] full.
    std::array<std::uint64_t, 9> occupancy{};
    std::vector<ChannelEnd> readers;   ///< take out
    std::vector<ChannelEnd> writers;   ///< put in
    bool is_pipe() const { return object.type == IPCSCOPE_OBJECT_PIPE; }   ///< or a FIFO

    /// A semaphore: used as a mutex, as far as calls show: who took it put it back.
    bool mutex = false;
};

struct OpRow : CallStats {
    decode::Op op{};
};

struct ObjectUser {
    Task task;                         ///< tid = 0: per process; its name at its last call
    std::uint64_t count = 0;
    std::uint64_t blocked_ns = 0;
};

/// A Unix-domain socket.
struct SocketEnd {
    std::uint64_t object = 0;      ///< inode; 0: there is none, or it is not known
    SafeText address;              ///< empty: it has none, or it is not known
    std::vector<Task> holders;     ///< tid = 0: processes that have it open, as last seen
};

/// What one or more of the passed descriptors were of.
struct PassedFile {
    decode::FdReceived file;       ///< the last: its number, its object
    std::uint64_t count = 0;
};

/// File descriptors that one process passed to another.
struct FdPass {
    Task sender;                   ///< tid = 0; tgid = 0: not known
    Task receiver;
    std::uint64_t messages = 0;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;    ///< the rest had no room, and was closed
    std::vector<PassedFile> files; ///< by what they were of, the last kMostFiles
};

/// What was sent on a socket.
struct SocketRow {
    decode::ObjectType type{};
    SocketEnd from;
    SocketEnd to;
    Task sender;                   ///< tid = 0: of the last send
    Task receiver;                 ///< of the last receive; tgid = 0: none was seen
    std::uint64_t sends = 0;       ///< that succeeded
    std::uint64_t bytes = 0;
    /// From a send's entry to the return of the receive that took the last of its bytes.
    Histogram latency;
    Histogram queued;              ///< of it: from the send's return to that receive's entry
    Histogram woken;               ///< of it: from the wake-up by the send to the return
    std::uint64_t unmatched = 0;   ///< sends of which the receive is not known, or was not made
    /// Sends, and receives, that another one overlaps: whose bytes come first is not known.
    std::uint64_t concurrent = 0;
    std::vector<FdPass> passes;
    std::uint64_t fds_not_received = 0;   ///< sent, and never taken until the end
};

/// An IPC object other than a pipe.
/// What was sent to a POSIX message queue with one priority.
struct PriorityRow {
    std::uint32_t priority = 0;
    std::uint64_t sent = 0;
    std::uint64_t received = 0;        ///< of what was seen to be sent
    Histogram waited;                  ///< from the send's return to that of its receive
    std::uint64_t waiting = 0;         ///< at the trace's end
    std::uint64_t waits_ns = 0;        ///< then, the oldest of these
    /// The most messages of a higher priority that were sent after one and received before.
    std::uint64_t overtaken = 0;
    std::uint64_t overtaken_ns = 0;    ///< how long that one waited
};

struct ObjectRow {
    decode::ObjectType type{};
    std::uint64_t object = 0;          ///< eventfd: its id in /proc/PID/fdinfo
    std::uint32_t dev = 0;
    SafeText name;                     ///< of a POSIX message queue where known
    std::uint64_t first_ns = 0;
    std::uint64_t last_ns = 0;
    std::vector<OpRow> ops;            ///< those that were called
    std::vector<ObjectUser> users;     ///< by calls, descending
    SocketEnd socket;                  ///< of a Unix-domain socket, itself ...
    SocketEnd peer;                    ///< ... and its other end, as last seen
    /// Of a POSIX message queue that was sent two or more, the highest first.
    std::vector<PriorityRow> priorities;
};

/// A process between pipes.
struct StageRow {
    Task task;                               ///< its name at its last call
    std::vector<std::uint64_t> reads_from;   ///< inodes
    std::vector<std::uint64_t> writes_to;
    std::uint64_t span_ns = 0;               ///< that it took part in the pipeline
    std::uint64_t waiting_for_input_ns = 0;  ///< a thread blocked reading, or in poll for it
    std::uint64_t waiting_for_output_ns = 0; ///< writing, likewise
    /// No thread waited for these pipes, or in poll for what is not known, or has no
    /// records: its own work, its sleep, its waits for others.
    std::uint64_t not_waiting_ns = 0;
    unsigned rank = 0;                       ///< the most pipes between it and a first stage
    /// Of its threads that read or write pipes, one after the other: with n threads
    /// up to n times the span.
    Time time;
};

/// Stages that are joined by pipes, by rank; those of one rank stand side by side.
struct Pipeline {
    std::vector<StageRow> stages;
    /// The time from the birth of its first process to the end of its last one, where some of
    /// its stages take part in others before or after it; 0: none does.
    std::uint64_t span_ns = 0;
};

/// A traced process; the sum over its threads.
struct ProcessRow {
    /// Off the CPU in S, D or K in one system call, outside of traced calls: the stays of
    /// IPCSCOPE_SLICE_NS or more, which have records.
    struct Sleep {
        std::uint16_t syscall = 0;
        std::uint64_t ns = 0;
    };
    Task task;                     ///< tid = 0; its name in its last record
    std::uint64_t threads = 0;     ///< that records account for
    Time time;
    std::vector<Sleep> sleeps;     ///< of its first kMostSleeps system calls, the longest first
};
inline constexpr std::size_t kMostSleeps = 16;

/// What a thread waited on one channel, as far as the same thread ended it: the sum.
struct WaitRow {
    ObjectId channel;
    bool output = false;           ///< for room to write; else for data to read
    Task waiter;
    Task waker;                    ///< tid = 0: not known, or a signal
    std::uint64_t count = 0;
    std::uint64_t total_ns = 0;    ///< in calls, and in poll for them
    std::uint64_t polled_ns = 0;   ///< of it
    std::uint64_t unfinished_ns = 0;   ///< of it, not over when the trace ended
    std::uint64_t longest_ns = 0;
};

/// One sleep of kLongWait_ns or more in a call on a channel.
struct LongWait {
    enum class Ended : std::uint8_t {
        woken,         ///< there was data, or room
        end_of_file,
        broken,        ///< EPIPE: no reader was left
        signal,        ///< a signal broke it off; a write may have written a part
        timeout,       ///< its own timeout broke it off
        unfinished,    ///< the trace ended
    };
    ObjectId channel;
    bool output = false;
    Task waiter;                   ///< the thread
    Task process;                  ///< tid = 0
    Task waker;                    ///< tid = 0: not known
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    Ended ended{};
    bool before_trace = false;     ///< it had begun before the trace
    std::uint32_t requested = 0;   ///< bytes that the call asked for
    decode::Op op{};               ///< open: of a FIFO, `output`: of its write end
    /// More than 1: each but the last was ended by its timeout, and made again at once.
    std::uint32_t calls = 1;

    std::uint64_t length_ns() const { return end_ns - start_ns; }
    /// It ended without what it waited for.
    bool is_broken_off() const { return ended == Ended::signal || ended == Ended::timeout; }
};
inline constexpr std::uint64_t kLongWait_ns = 100'000'000;

/// What a thread was in the wait graph: a waiter, and one that others waited for.
struct ActorRow {
    Task task;
    std::uint64_t waited_ns = 0;       ///< some of the time for pipes
    std::uint64_t waited_for_ns = 0;   ///< by others, summed; without its start-up
    std::uint64_t alone_ns = 0;        ///< time in which others waited for it, but it for none
};

/// A stay of a process in STOPPED, TRACED or FROZEN; of its threads, one stay.
struct StopRow {
    /// A signal: who sent it, when.
    struct By {
        unsigned signal = 0;
        Task sender;
        decode::Origin origin{};
        std::uint32_t terminal = 0;   ///< as DeathSend has it
        std::uint64_t at_ns = 0;
    };
    Task process;                  ///< tid = 0
    decode::State state{};
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;
    bool unfinished = false;       ///< it went on as the trace ended
    std::uint32_t waker_tid = 0;   ///< TRACED: the thread that ended it; 0: not known
    std::optional<By> stopped_by;  ///< STOPPED: the last stop signal before it, if seen
    std::optional<By> continued_by;   ///< the SIGCONT that ended it
};

/// A sleep of kLongWait_ns or more of a thread in a system call that says what for.
struct SleepRow {
    enum class In : std::uint8_t {
        poll,          ///< poll(), ppoll(), or a poll of which the call is not known
        select,
        epoll_wait,
        wait,          ///< wait4(), waitid(): for a child
        other,         ///< another system call, not one that is traced
    };
    Task process;                  ///< tid = 0
    std::uint32_t tid = 0;
    In in{};
    std::uint16_t syscall = 0;
    std::uint64_t start_ns = 0;
    std::uint64_t end_ns = 0;

    bool polls() const { return in != In::wait && in != In::other; }
};

/// A thread that was in D or K, in a system call, as the trace ended.
struct StuckRow {
    Task process;                  ///< tid = 0
    std::uint32_t tid = 0;
    decode::State state{};
    std::uint16_t syscall = 0;
    std::uint64_t start_ns = 0;    ///< the trace's, where it was so already
    std::uint64_t end_ns = 0;
};

/// What is known of a process's life.
struct LifeRow {
    Task process;                  ///< tid = 0; its last name
    std::uint32_t ppid = 0;        ///< who made it; 0: not known
    std::uint64_t born_ns = 0;     ///< 0: before the trace, or not seen
    std::uint64_t exec_ns = 0;     ///< its last exec; 0: not seen
    Comm before_exec;              ///< its name until then, where it was another
    std::uint64_t exit_ns = 0;     ///< its last thread was gone; 0: not seen
    std::int32_t exit_code = 0;    ///< as wait(2) encodes it
};

struct CpuLoss {
    unsigned cpu = 0;
    unsigned cause = 0;            ///< IPCSCOPE_LOST_…
    unsigned kind = 0;             ///< IPCSCOPE_SIGNAL_GENERATE …
    std::uint64_t count = 0;
};

struct KindLoss {
    std::uint64_t generated = 0;
    std::uint64_t shown = 0;
    std::uint64_t filtered = 0;
    std::uint64_t lost = 0;
};

struct LossLedger {
    std::uint64_t generated = 0;   ///< shown + filtered + lost
    std::uint64_t shown = 0;       ///< events that reached this report
    std::uint64_t filtered = 0;
    std::array<std::uint64_t, IPCSCOPE_LOST_COUNT> lost{};    ///< by cause
    std::vector<CpuLoss> by_cpu;   ///< only those that are not 0
    std::array<KindLoss, IPCSCOPE_KIND_COUNT> kinds{};        ///< [0] is unused
    std::uint64_t malformed = 0;   ///< records that could not be decoded
    std::uint64_t late = 0;        ///< events out of order beyond the window
    bool exact = false;            ///< generated = shown + filtered + lost holds
};

/// Rows that were given up because a table was full: those that had not changed for
/// the longest time; of kills and deaths, the quickest.
struct Evicted {
    std::uint64_t signals = 0;
    std::uint64_t channels = 0;
    std::uint64_t channel_ends = 0;
    std::uint64_t processes = 0;
    std::uint64_t kills = 0;
    std::uint64_t objects = 0;
    std::uint64_t sockets = 0;
    std::uint64_t stops = 0;
    std::uint64_t lives = 0;
    std::uint64_t waits = 0;
    std::uint64_t deaths = 0;
    std::uint64_t handlers = 0;

    std::uint64_t total() const
    {
        return signals + channels + channel_ends + processes + kills + objects + sockets +
               stops + lives + waits +
               deaths + handlers;
    }
};

/// The most rows of each table.
inline constexpr std::size_t kMostSignals = 8192;
inline constexpr std::size_t kMostChannels = 8192;
inline constexpr std::size_t kMostChannelEnds = 128;   ///< of each side of a pipe
inline constexpr std::size_t kMostProcesses = 16384;
inline constexpr std::size_t kMostKills = 1024;
inline constexpr std::size_t kMostObjects = 8192;
inline constexpr std::size_t kMostObjectUsers = 64;   ///< of each object
inline constexpr std::size_t kMostLives = 1u << 16;
inline constexpr std::size_t kMostHandlers = 8192;

struct Report {
    source::Host host;
    bool restricted = false;       ///< only some processes were traced
    bool ended = true;             ///< false: the trace still runs
    bool complete = true;          ///< false: the capture has no end
    std::string incomplete_why;
    std::uint64_t end_ns = 0;
    std::vector<SignalRow> signals;     ///< by count, descending
    bool has_handlers = false;          ///< --trace handlers
    std::vector<HandlerRow> handlers;   ///< by their time, descending
    std::vector<CallRow> calls;
    std::vector<ChannelRow> channels;  ///< by bytes, descending
    std::vector<ObjectRow> objects;     ///< by calls, descending
    std::vector<SocketRow> sockets;     ///< by sends, descending
    std::vector<Pipeline> pipelines;
    std::vector<ProcessRow> processes;  ///< by time not asleep, descending
    std::vector<correlate::KillInterval> kills;  ///< by time
    std::vector<WaitRow> waits;         ///< by time, descending
    std::vector<LongWait> long_waits;   ///< by their beginning
    std::vector<ActorRow> actors;       ///< by thread number
    std::vector<StopRow> stops;         ///< by process, then by time
    std::vector<LifeRow> lives;         ///< by process number
    std::vector<SleepRow> sleeps;       ///< by process, then by time
    std::vector<StuckRow> stuck;        ///< in the order of their records
    std::vector<Death> deaths;          ///< by time
    std::vector<Unreaped> unreaped;     ///< by the parent's number
    std::vector<Lineage> lineages;      ///< by process number, then by time
    std::uint64_t orphans_group_exit = 0;
    std::uint64_t orphans_unknown = 0;
    Evicted evicted;
    LossLedger loss;
};

}  // namespace ipcscope::aggregate
