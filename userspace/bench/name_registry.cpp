// SPDX-License-Identifier: GPL-2.0-only
#include "bench/name_registry.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <new>

#include <mqueue.h>
#include <semaphore.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

using Kind = NameRegistry::Kind;

bool is_sysv(Kind kind) { return kind >= Kind::sysv_shm; }

/// A key that no System V object uses, so that removing its object is safe.
key_t free_key(std::uint64_t& next)
{
    while (true) {
        // Never 0: that is IPC_PRIVATE, and such objects cannot be found by their key.
        const auto key = static_cast<key_t>(0x49000000 | (next++ & 0xffffff));
        if (shmget(key, 0, 0) < 0 && errno == ENOENT && msgget(key, 0) < 0 &&
            errno == ENOENT && semget(key, 0, 0) < 0 && errno == ENOENT) {
            return key;
        }
    }
}

void remove_object(Kind kind, const char* name, key_t key)
{
    switch (kind) {
    case Kind::none: break;
    case Kind::file: unlink(name); break;
    case Kind::posix_shm: shm_unlink(name); break;
    case Kind::posix_mq: mq_unlink(name); break;
    case Kind::posix_sem: sem_unlink(name); break;
    case Kind::sysv_shm: shmctl(shmget(key, 0, 0), IPC_RMID, nullptr); break;
    case Kind::sysv_msg: msgctl(msgget(key, 0), IPC_RMID, nullptr); break;
    case Kind::sysv_sem: semctl(semget(key, 0, 0), 0, IPC_RMID); break;
    }
}

}  // namespace

/// Shared with the cleanup process.  `kind` is set last and cleared last.
struct NameRegistry::Table {
    struct Slot {
        std::atomic<Kind> kind{Kind::none};
        key_t key = 0;
        std::array<char, 240> name{};
    };
    std::array<Slot, 256> slots;

    void remove_all()
    {
        for (Slot& slot : slots) {
            remove_object(slot.kind, slot.name.data(), slot.key);
            slot.kind = Kind::none;
        }
    }
};

namespace {

/// Signals to the cleanup process: the parent has exited (PR_SET_PDEATHSIG), or
/// ~NameRegistry has removed everything.
constexpr int kParentDeath = SIGUSR1;
constexpr int kExitRequest = SIGUSR2;

template <typename Table>
[[noreturn]] void run_cleanup_process(Table& table, pid_t parent)
{
    // The parent handles SIGINT and SIGHUP: all signals stay blocked here.
    sigset_t all, awaited;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, nullptr);
    sigemptyset(&awaited);
    sigaddset(&awaited, kParentDeath);
    sigaddset(&awaited, kExitRequest);
    prctl(PR_SET_PDEATHSIG, kParentDeath);
    prctl(PR_SET_NAME, "bench-cleanup");
    while (getppid() == parent) {
        if (sigwaitinfo(&awaited, nullptr) == kExitRequest) {
            break;
        }
    }
    table.remove_all();
    _exit(0);
}

}  // namespace

Result<std::unique_ptr<NameRegistry>> NameRegistry::start()
{
    void* memory = mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return fail(Exit::kernel, fmt::format("mmap: {}", std::strerror(errno)));
    }
    Table* table = new (memory) Table;
    const pid_t parent = getpid();
    // Blocked until the cleanup process waits for its signals.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    const pid_t child = fork();
    if (child == 0) {
        run_cleanup_process(*table, parent);
    }
    const int error = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    if (child < 0) {
        munmap(memory, sizeof(Table));
        return fail(Exit::kernel, fmt::format("fork: {}; raise ulimit -u",
                                              std::strerror(error)));
    }
    return std::unique_ptr<NameRegistry>(new NameRegistry(table, child));
}

NameRegistry::NameRegistry(Table* table, pid_t cleanup_pid)
    : table_(table), cleanup_pid_(cleanup_pid), owner_(getpid())
{
    const char* directory = std::getenv("TMPDIR");
    directory_ = directory && *directory ? directory : "/tmp";
    getrandom(&next_, sizeof(next_), 0);
}

NameRegistry::~NameRegistry()
{
    if (getpid() == owner_) {
        table_->remove_all();
        kill(cleanup_pid_, kExitRequest);
        while (waitpid(cleanup_pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    munmap(table_, sizeof(Table));
}

Result<NameRegistry::Entry> NameRegistry::reserve(Kind kind)
{
    for (unsigned i = 0; i < table_->slots.size(); i++) {
        Table::Slot& slot = table_->slots[i];
        if (slot.kind != Kind::none) {
            continue;
        }
        Entry entry;
        entry.slot_ = i;
        if (is_sysv(kind)) {
            entry.key_ = free_key(next_);
        } else {
            entry.name_ = fmt::format("{}/ipcscope-{}-{:016x}",
                                      kind == Kind::file ? directory_ : "", owner_, next_++);
        }
        if (entry.name_.size() >= slot.name.size()) {
            return fail(Exit::usage, fmt::format("TMPDIR is too long: {} bytes",
                                                 directory_.size()));
        }
        std::copy_n(entry.name_.c_str(), entry.name_.size() + 1, slot.name.begin());
        slot.key = entry.key_;
        slot.kind = kind;
        entry.names_ = this;
        return entry;
    }
    return fail(Exit::kernel, fmt::format("more than {} names at once",
                                          table_->slots.size()));
}

unsigned NameRegistry::size() const
{
    unsigned count = 0;
    for (const Table::Slot& slot : table_->slots) {
        count += slot.kind != Kind::none;
    }
    return count;
}

NameRegistry::Entry::Entry(Entry&& from) noexcept { *this = std::move(from); }

NameRegistry::Entry& NameRegistry::Entry::operator=(Entry&& from) noexcept
{
    if (this != &from) {
        remove();
        names_ = std::exchange(from.names_, nullptr);
        slot_ = from.slot_;
        name_ = std::move(from.name_);
        key_ = from.key_;
    }
    return *this;
}

void NameRegistry::Entry::remove()
{
    if (names_ && getpid() == names_->owner_) {
        Table::Slot& slot = names_->table_->slots[slot_];
        remove_object(slot.kind, slot.name.data(), slot.key);
        slot.kind = Kind::none;
    }
    names_ = nullptr;
}

}  // namespace ipcscope::bench
