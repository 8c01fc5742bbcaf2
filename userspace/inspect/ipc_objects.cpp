// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/ipc_objects.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/units.hpp"
#include "inspect/descriptors.hpp"
#include "inspect/in_namespace.hpp"
#include "source/proc.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::inspect {
namespace {

namespace proc = source::proc;

// Since 4.17; glibc has them since 2.32.  They need no permission to read the object.
constexpr int kMsgStatAny = 13, kSemStatAny = 20, kShmStatAny = 15;
constexpr std::size_t kMostSemaphores = 4096;   ///< of a set that are looked at
constexpr std::size_t kMostAsked = 64;          ///< processes of a namespace, for a mount

Owner owner_of(const ipc_perm& perm) { return {perm.uid, static_cast<std::uint32_t>(perm.mode & 0777)}; }

LastUser user_of(pid_t pid)
{
    LastUser user{static_cast<std::uint32_t>(std::max(pid, 0)), {}};
    std::array<char, 4096> buffer;
    if (pid > 0) {
        const Fd process = proc::open_directory(AT_FDCWD, fmt::format("/proc/{}", pid).c_str());
        std::string_view name = process ? proc::read_file(process, "comm", buffer) : "";
        name = name.substr(0, name.rfind('\n'));
        user.comm = Comm(name);
    }
    return user;
}

std::uint64_t sysctl(const char* path)
{
    std::array<char, 64> buffer;
    std::string_view text =
        proc::read_file(proc::open_directory(AT_FDCWD, "/proc/sys"), path, buffer);
    std::uint64_t value = 0;
    proc::parse_number(proc::take_word(text), value);
    return value;
}

void look_at_queues(IpcNamespace& space)
{
    msginfo info{};
    const int last = msgctl(0, MSG_INFO, reinterpret_cast<msqid_ds*>(&info));
    for (int index = 0; index <= last; ++index) {
        msqid_ds queue{};
        const int id = msgctl(index, kMsgStatAny, &queue);
        if (id < 0) {
            continue;   // no queue has it
        }
        space.queues.push_back({id, static_cast<std::uint32_t>(queue.msg_perm.__key),
                                owner_of(queue.msg_perm), queue.msg_qnum, queue.__msg_cbytes,
                                queue.msg_qbytes, user_of(queue.msg_lspid),
                                user_of(queue.msg_lrpid)});
    }
    space.limits.push_back({"System V message queues", "kernel.msgmni", space.queues.size(),
                            sysctl("kernel/msgmni")});
}

/// What is waited for needs the right to read the set.
void look_into(SemaphoreSet& set)
{
    const std::size_t number = std::min<std::uint64_t>(set.semaphores, kMostSemaphores);
    for (std::size_t at = 0; at < number; ++at) {
        const int n = static_cast<int>(at);
        const int waiting = semctl(set.id, n, GETNCNT), for_zero = semctl(set.id, n, GETZCNT);
        if (waiting > 0 || for_zero > 0) {
            set.waited.push_back({static_cast<std::uint32_t>(at), semctl(set.id, n, GETVAL),
                                  static_cast<std::uint32_t>(std::max(waiting, 0)),
                                  static_cast<std::uint32_t>(std::max(for_zero, 0)),
                                  user_of(semctl(set.id, n, GETPID))});
        }
    }
}

void look_at_semaphores(IpcNamespace& space)
{
    union {
        seminfo* info;
        semid_ds* set;
    } argument;
    seminfo info{};
    argument.info = &info;
    const int last = semctl(0, 0, SEM_INFO, argument);
    std::uint64_t all = 0;
    for (int index = 0; index <= last; ++index) {
        semid_ds state{};
        argument.set = &state;
        const int id = semctl(index, 0, kSemStatAny, argument);
        if (id < 0) {
            continue;
        }
        SemaphoreSet& set = space.sets.emplace_back();
        set.id = id;
        set.key = static_cast<std::uint32_t>(state.sem_perm.__key);
        set.owner = owner_of(state.sem_perm);
        set.semaphores = state.sem_nsems;
        look_into(set);
        all += set.semaphores;
    }
    space.limits.push_back({"semaphore sets", "kernel.sem (SEMMNI)", space.sets.size(),
                            static_cast<std::uint64_t>(info.semmni)});
    space.limits.push_back(
        {"semaphores", "kernel.sem (SEMMNS)", all, static_cast<std::uint64_t>(info.semmns)});
}

void look_at_segments(IpcNamespace& space)
{
    shm_info info{};
    const int last = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&info));
    for (int index = 0; index <= last; ++index) {
        shmid_ds segment{};
        const int id = shmctl(index, kShmStatAny, &segment);
        if (id < 0) {
            continue;
        }
        space.segments.push_back({id, static_cast<std::uint32_t>(segment.shm_perm.__key),
                                  owner_of(segment.shm_perm), segment.shm_segsz,
                                  segment.shm_nattch, (segment.shm_perm.mode & SHM_DEST) != 0,
                                  user_of(segment.shm_cpid), user_of(segment.shm_lpid)});
    }
    space.limits.push_back({"shared memory segments", "kernel.shmmni", space.segments.size(),
                            sysctl("kernel/shmmni")});
    space.limits.push_back({"pages of shared memory", "kernel.shmall", info.shm_tot,
                            sysctl("kernel/shmall")});
}

/// "QSIZE:129        NOTIFY:2    SIGNO:0     NOTIFY_PID:8260": mq_overview(7).
std::uint64_t bytes_in(const Fd& directory, const std::string& name)
{
    std::array<char, 256> buffer;
    std::string_view text = proc::read_file(directory, name, buffer);
    constexpr std::string_view kSize = "QSIZE:";
    std::uint64_t bytes = 0;
    if (text.starts_with(kSize)) {
        text.remove_prefix(kSize.size());
        proc::parse_number(proc::take_word(text), bytes);
    }
    return bytes;
}

/// As one of the processes has them mounted; false: none of these has.
Fd mqueue_mount(const std::vector<std::uint32_t>& pids)
{
    for (const std::uint32_t pid : pids) {
        Fd mount = proc::open_directory(
            AT_FDCWD, fmt::format("/proc/{}/root/dev/mqueue", pid).c_str());
        struct statfs system {};
        if (mount && fstatfs(mount.get(), &system) == 0 && system.f_type == kMqueueMagic) {
            return mount;
        }
    }
    return Fd();
}

void look_at_posix_queues(IpcNamespace& space, const std::vector<std::uint32_t>& pids)
{
    const Fd mount = mqueue_mount(pids);
    if (!mount) {
        space.gaps.emplace_back("POSIX message queues: none of its processes that were asked has "
                                "an mqueue file system at /dev/mqueue");
        return;
    }
    for (const std::string& name : proc::names(mount)) {
        struct stat info {};
        if (fstatat(mount.get(), name.c_str(), &info, 0) == 0) {
            space.posix_queues.push_back(
                {name, {info.st_uid, info.st_mode & 0777}, bytes_in(mount, name)});
        }
    }
    std::ranges::sort(space.posix_queues, {}, &PosixQueue::name);
    space.limits.push_back({"POSIX message queues", "fs.mqueue.queues_max",
                            space.posix_queues.size(), sysctl("fs/mqueue/queues_max")});
}

void look_at(IpcNamespace& space, const std::vector<std::uint32_t>& pids)
{
    const Fd process =
        proc::open_directory(AT_FDCWD, fmt::format("/proc/{}", space.first).c_str());
    const auto entered = in_namespace(process, "ipc", [&] {
        look_at_queues(space);
        look_at_semaphores(space);
        look_at_segments(space);
        look_at_posix_queues(space, pids);
    });
    if (!entered) {
        space.gaps.push_back("System V objects: " + entered.error().message);
    }
}

}  // namespace

std::vector<IpcNamespace> ipc_namespaces()
{
    struct stat ours {};
    stat("/proc/self/ns/ipc", &ours);
    std::vector<std::uint32_t> pids = proc::processes();
    std::ranges::sort(pids);
    struct Found {
        IpcNamespace space;
        std::vector<std::uint32_t> pids;   ///< the first ones
    };
    std::map<std::pair<bool, std::uint64_t>, Found> found;   // our own first
    std::uint64_t refused = 0;
    for (const std::uint32_t pid : pids) {
        struct stat info {};
        if (stat(fmt::format("/proc/{}/ns/ipc", pid).c_str(), &info) != 0) {
            refused += errno == EACCES || errno == EPERM;
            continue;
        }
        auto& [space, members] = found[{info.st_ino != ours.st_ino, info.st_ino}];
        if (space.processes++ == 0) {
            space.id = info.st_ino;
            space.own = info.st_ino == ours.st_ino;
            space.first = pid;
            space.comm = user_of(static_cast<pid_t>(pid)).comm;
        }
        if (members.size() < kMostAsked) {
            members.push_back(pid);
        }
    }
    std::vector<IpcNamespace> spaces;
    for (auto& [key, one] : found) {
        if (one.space.own) {
            one.pids.insert(one.pids.begin(), static_cast<std::uint32_t>(getpid()));
        }
        look_at(one.space, one.pids);
        spaces.push_back(std::move(one.space));
    }
    if (refused != 0 && !spaces.empty()) {
        spaces.front().gaps.push_back(
            fmt::format("the namespace of {} that may not be looked at: run as root",
                        counted(refused, "process", "processes")));
    }
    return spaces;
}

}  // namespace ipcscope::inspect
