// SPDX-License-Identifier: GPL-2.0-only
// The workload interface: what a mechanism has to do to be measured.
//
//   Mechanism  what it is called and can do; makes a Channel
//   Channel    made by the supervisor before the workers exist: descriptors,
//              names, mappings, which the workers inherit
//   Port       one worker's end of a channel: sends and receives
//
//   supervisor          worker a                worker b
//   create(setup) ──┬── port(a, peer b)         port(b, peer a)
//                   └── send ──────────────────► receive
//                       receive ◄────────────── send
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/family.hpp"
#include "base/result.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

class NameRegistry;
struct Job;
struct WorkerReport;

enum class End { a, b };
constexpr End other(End end) { return end == End::a ? End::b : End::a; }

/// The supervisor's requirements for a channel.
struct Setup {
    std::size_t message_bytes = 0;
    WaitMode waiting = WaitMode::block;
    bool threads = false;      ///< the ends are threads of one process
    bool one_direction = false;  ///< a sends, b receives, nothing comes back
    unsigned producers = 1;    ///< ports at end a
    unsigned consumers = 1;    ///< ports at end b
    NameRegistry& names;       ///< for objects that outlive their process
};

/// The worker at the other end.  Where both ends are one thread, itself.
struct Peer {
    pid_t pid = 0;
    pid_t tid = 0;
};

/// One worker's end.  Not shared between threads.
class Port {
public:
    virtual ~Port() = default;

    /// Sends one message to the other end; blocks (or spins) until the mechanism
    /// has taken all of it.  Interrupted calls are retried.
    /// @return 0 or an errno
    virtual int send(std::span<const std::byte> message) = 0;

    /// Waits for one message and fills `message`, whose size is what was sent.
    /// @return 0 or an errno; EBADMSG if the received message cannot be the one sent
    /// (another size, another signal, a count that does not fit)
    virtual int receive(std::span<std::byte> message) = 0;

    /// This end's loop of a job's round trips (latency.hpp); the port's last use.
    /// @return 0 or an errno
    virtual int round_trips(const Job& job, End end, WorkerReport& report);
};

class Channel {
public:
    virtual ~Channel() = default;

    /// The port of a worker; called in that worker, after its peer exists and
    /// before either sends.
    virtual Result<std::unique_ptr<Port>> port(End end, const Peer& peer) = 0;

    /// After all workers have ended well: nothing is left over that should have
    /// been received.  @return 0 or an errno (EBADMSG: something is left)
    virtual int drained() { return 0; }
};

/// Group in the textbook comparison.
enum class Family {
    shared_memory,
    eventfd,
    futex,
    semaphore,
    pipe,
    unix_socket,
    tcp,
    message_queue,
    signal,
};

struct Mechanism {
    std::string_view name;      ///< "shm-futex": lower case, digits, hyphens
    std::string_view title;     ///< "POSIX shared memory, futex", one line
    Family family;
    /// Bytes that a message may have; both 0: it carries none, only the fact.
    std::size_t min_message = 0;
    std::size_t max_message = 0;
    /// Largest message under the kernel's default limits; larger ones are measured
    /// only if the user asks for their size.
    std::size_t default_max = SIZE_MAX;
    /// Bytes that one thread can send before it receives: the mechanism's capacity.
    std::size_t single_thread_max = SIZE_MAX;
    bool threads = true;        ///< works between threads of one process
    bool spins = false;         ///< WaitMode::spin is possible
    bool blocks = true;         ///< WaitMode::block is possible
    bool throughput = false;    ///< messages can be under way without an answer
    bool mpmc = false;          ///< several producers and consumers
    bool single_thread = true;  ///< one thread can do both ends (Metric::call)
    /// As another, but for how the memory is mapped: measured by name, or where all are.
    bool other_mapping = false;
    FamilyMask traced_by = 0;   ///< families of hooks that see its calls

    /// Exit::kernel where the kernel or a limit forbids it, naming the sysctl or
    /// ulimit and the value needed; Exit::usage where the setup cannot be had.
    Result<std::unique_ptr<Channel>> (*create)(const Setup& setup);
};

/// All mechanisms, in the order of the list; the table is in mechanisms/table.cpp.
std::span<const Mechanism> mechanisms();
const Mechanism* find_mechanism(std::string_view name);

}  // namespace ipcscope::bench
