// SPDX-License-Identifier: GPL-2.0-only
// What a process has to do with others at one moment: its signals, what its threads
// wait for, and who else has each of its IPC objects.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/comm.hpp"

namespace ipcscope::inspect {

enum class Kind : std::uint8_t {
    pipe,
    fifo,
    unix_stream,
    unix_dgram,
    unix_seqpacket,
    eventfd,
    signalfd,
    epoll,
    pidfd,
    message_queue,
    shared_memory,
};
inline constexpr std::size_t kKinds = 11;
constexpr bool is_unix(Kind kind)
{
    return kind >= Kind::unix_stream && kind <= Kind::unix_seqpacket;
}

/// The same for each process that has it.
struct Object {
    Kind kind = Kind::pipe;  ///< of all Unix-domain sockets unix_stream: a link does not say
    std::uint64_t dev = 0;   ///< of a file: major << 20 | minor; else 0
    std::uint64_t id = 0;    ///< inode; of an eventfd, a signalfd, … of its own kind
    friend auto operator<=>(const Object&, const Object&) = default;
};

/// A thread in a system call that has to do with an object.
struct Waiter {
    std::uint32_t tid = 0;
    Comm comm;
    std::string_view call;   ///< "read"
};

/// A process that has the object, or what is connected with it.
struct Holder {
    std::uint32_t pid = 0;
    Comm comm;
    std::vector<std::uint32_t> descriptors;   ///< empty: it has it mapped
    bool reads = false;
    bool writes = false;
    bool peer = false;       ///< it has the other socket of the connection
    std::vector<Waiter> waiting;
};

struct Eventfd {
    std::uint64_t count = 0;
    bool semaphore = false;
};
struct Signalfd {
    std::uint64_t mask = 0;   ///< bit 0: signal 1
};
struct Epoll {
    std::vector<std::uint32_t> watched;   ///< descriptors
};
struct Pidfd {
    std::int64_t pid = 0;   ///< -1: it has ended, and was reaped; 0: not in our namespace
};
struct UnixSocket {
    bool listening = false;
    std::optional<std::uint64_t> peer;   ///< inode; nullopt: none, or not known
    /// Bytes that wait to be received; of one that listens, connections to be accepted.
    std::optional<std::uint32_t> received;
    /// Of one that listens: most connections that may wait.
    std::uint32_t backlog = 0;
};
using State = std::variant<std::monostate, Eventfd, Signalfd, Epoll, Pidfd, UnixSocket>;

/// An object that the process has open, or mapped shared and writable.
struct Item {
    Object object;
    Kind kind = Kind::pipe;
    std::vector<std::uint32_t> descriptors;   ///< all that are of it, in order
    bool reads = false;
    bool writes = false;
    std::string name;       ///< bytes: a path, an address, or empty
    std::uint64_t bytes = 0;   ///< of a mapping
    State state;
    std::vector<Waiter> waiting;   ///< threads of the process itself
    std::vector<Holder> others;

    /// Whether the process, or one that was found, reads it, or has the other socket.
    bool is_read() const { return reads || has(&Holder::reads); }
    bool is_written() const { return writes || has(&Holder::writes); }
    bool has_peer() const { return has(&Holder::peer); }

private:
    bool has(bool Holder::*what) const
    {
        return std::ranges::any_of(others, [&](const Holder& one) { return one.*what; });
    }
};

struct Thread {
    std::uint32_t tid = 0;
    Comm comm;
    char state = '?';              ///< as in /proc: R S D I T t Z X
    std::string_view call;         ///< "read"; empty: in none, or not known
    std::optional<std::uint32_t> number;      ///< of that system call
    std::vector<std::uint32_t> descriptors;   ///< that the call is about
    std::string wait_channel;      ///< empty: it does not sleep, or not known
    std::uint64_t pending = 0;     ///< signals to this thread alone; bit 0: signal 1
    std::uint64_t blocked = 0;
    /// Of one in D, kernel functions, the innermost first; empty: not known.
    std::vector<std::string> stack;
};

/// Parts that could not be read, each as a sentence for a person.
using Gaps = std::vector<std::string>;

struct Process {
    std::uint32_t pid = 0;
    std::uint32_t ppid = 0;
    Comm comm, parent;
    std::uint32_t uid = 0;
    std::string cgroup;              ///< path, of version 2
    std::uint32_t tracer = 0;        ///< 0: none
    std::uint64_t pending = 0;       ///< signals to the process
    std::uint64_t ignored = 0;
    std::uint64_t caught = 0;
    std::uint64_t queued = 0;        ///< signals queued of its user
    std::uint64_t queue_limit = 0;   ///< its RLIMIT_SIGPENDING
    std::vector<Thread> threads;     ///< the leader first
    std::size_t all_threads = 0;
    std::size_t all_descriptors = 0;
    std::vector<Item> items;
    Gaps gaps;
};

}  // namespace ipcscope::inspect
