// SPDX-License-Identifier: GPL-2.0-only
// System V and POSIX objects of each IPC namespace, and how near their limits are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/comm.hpp"
#include "inspect/process.hpp"

namespace ipcscope::inspect {

struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t mode = 0;    ///< permissions, such as 0600
};
struct LastUser {
    std::uint32_t pid = 0;     ///< 0: none, or none in our pid namespace
    Comm comm;                 ///< empty: it is gone
};

struct SysvQueue {
    std::int32_t id = 0;
    std::uint32_t key = 0;
    Owner owner;
    std::uint64_t messages = 0, bytes = 0, most_bytes = 0;
    LastUser sender, receiver;
};
/// A semaphore that threads wait for.
struct Semaphore {
    std::uint32_t number = 0;  ///< in its set
    std::int32_t value = 0;
    std::uint32_t waiting = 0;           ///< threads that want to decrement it
    std::uint32_t waiting_for_zero = 0;
    LastUser last;
};
struct SemaphoreSet {
    std::int32_t id = 0;
    std::uint32_t key = 0;
    Owner owner;
    std::uint64_t semaphores = 0;
    std::vector<Semaphore> waited;
};
struct Segment {
    std::int32_t id = 0;
    std::uint32_t key = 0;
    Owner owner;
    std::uint64_t bytes = 0, attached = 0;
    bool destroyed = false;    ///< it goes when the last process detaches
    LastUser creator, last;
};
struct PosixQueue {
    std::string name;          ///< bytes, without the slash
    Owner owner;
    std::uint64_t bytes = 0;   ///< in it
};
struct Limit {
    std::string_view what;     ///< "message queues"
    std::string_view sysctl;   ///< "kernel.msgmni"
    std::uint64_t used = 0, most = 0;
    bool is_near() const { return most != 0 && used >= most - most / 10; }
};

struct IpcNamespace {
    std::uint64_t id = 0;      ///< inode of /proc/PID/ns/ipc
    bool own = false;          ///< it is ours
    std::uint64_t processes = 0;
    std::uint32_t first = 0;   ///< lowest PID in it
    Comm comm;                 ///< of that process
    std::vector<SysvQueue> queues;
    std::vector<SemaphoreSet> sets;
    std::vector<Segment> segments;
    std::vector<PosixQueue> posix_queues;
    std::vector<Limit> limits;
    Gaps gaps;
};

/// All IPC namespaces that processes are in, our own first.
std::vector<IpcNamespace> ipc_namespaces();

}  // namespace ipcscope::inspect
