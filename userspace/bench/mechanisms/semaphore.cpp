// SPDX-License-Identifier: GPL-2.0-only
// Semaphores: POSIX ones without and with a name, System V ones.  One for each
// direction; they carry no bytes, only the fact.
#include <array>
#include <cstring>
#include <fstream>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/sem.h>

#include <fmt/format.h>

#include "bench/latency.hpp"
#include "bench/mechanisms/io.hpp"
#include "bench/mechanisms/mechanisms.hpp"
#include "bench/name_registry.hpp"

namespace ipcscope::bench {
namespace {

class PosixPort final : public LoopedPort<PosixPort> {
public:
    PosixPort(sem_t* in, sem_t* out, WaitMode waiting)
        : in_(in), out_(out), take_(waiting == WaitMode::spin ? sem_trywait : sem_wait)
    {
    }

    int send(std::span<const std::byte>) override { return sem_post(out_) == 0 ? 0 : errno; }
    int receive(std::span<std::byte>) override
    {
        while (take_(in_) != 0) {
            if (!again(errno)) return errno;
        }
        return 0;
    }

private:
    sem_t* in_;
    sem_t* out_;
    int (*take_)(sem_t*);
};

/// [0] from a to b, [1] back.
class PosixChannel : public Channel {
public:
    explicit PosixChannel(WaitMode waiting) : waiting_(waiting) {}

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<PosixPort>(semaphore(a ? 1 : 0), semaphore(a ? 0 : 1), waiting_);
    }

    int drained() override
    {
        for (int i = 0; i < 2; i++) {
            int value = 0;
            if (sem_getvalue(semaphore(i), &value) != 0) return errno;
            if (value != 0) return EBADMSG;
        }
        return 0;
    }

protected:
    virtual sem_t* semaphore(int direction) = 0;

private:
    WaitMode waiting_;
};

class UnnamedChannel final : public PosixChannel {
public:
    static Result<std::unique_ptr<Channel>> create(const Setup& setup)
    {
        void* memory = mmap(nullptr, sizeof(Pair), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) {
            return fail(Exit::kernel, fmt::format("mmap: {}", std::strerror(errno)));
        }
        return std::unique_ptr<Channel>(
            new UnnamedChannel(setup.waiting, static_cast<Pair*>(memory)));
    }
    ~UnnamedChannel() override { munmap(pair_, sizeof(Pair)); }

private:
    struct Pair {
        alignas(64) sem_t there;
        alignas(64) sem_t back;
    };

    UnnamedChannel(WaitMode waiting, Pair* pair) : PosixChannel(waiting), pair_(pair)
    {
        sem_init(&pair->there, 1, 0);
        sem_init(&pair->back, 1, 0);
    }
    sem_t* semaphore(int direction) override
    {
        return direction == 0 ? &pair_->there : &pair_->back;
    }

    Pair* pair_;
};

class NamedChannel final : public PosixChannel {
public:
    static Result<std::unique_ptr<Channel>> create(const Setup& setup)
    {
        auto made = std::unique_ptr<NamedChannel>(new NamedChannel(setup.waiting));
        for (std::size_t i = 0; i < 2; i++) {
            auto name = setup.names.reserve(NameRegistry::Kind::posix_sem);
            if (!name) {
                return tl::unexpected(name.error());
            }
            sem_t* semaphore = sem_open(name->name().c_str(), O_CREAT | O_EXCL, 0600, 0);
            if (semaphore == SEM_FAILED) {
                return fail(Exit::kernel, fmt::format("sem_open: {}; mount a tmpfs on "
                                                      "/dev/shm", std::strerror(errno)));
            }
            made->semaphores_[i] = semaphore;
            made->names_[i] = std::move(*name);
        }
        return made;
    }
    ~NamedChannel() override
    {
        for (sem_t* semaphore : semaphores_) {
            if (semaphore) sem_close(semaphore);
        }
    }

private:
    explicit NamedChannel(WaitMode waiting) : PosixChannel(waiting) {}
    // cppcheck-suppress CastIntegerToAddressAtReturn ; it takes the array for ints
    sem_t* semaphore(int direction) override { return semaphores_[direction]; }

    std::array<sem_t*, 2> semaphores_{};
    std::array<NameRegistry::Entry, 2> names_;
};

/// A set of two semaphores: number 0 from a to b, 1 back.
class SysvPort final : public LoopedPort<SysvPort> {
public:
    SysvPort(int set, unsigned short in, unsigned short out, WaitMode waiting)
        : set_(set), take_{in, -1,
                           static_cast<short>(waiting == WaitMode::spin ? IPC_NOWAIT : 0)},
          give_{out, 1, 0}
    {
    }

    int send(std::span<const std::byte>) override { return move(give_); }
    int receive(std::span<std::byte>) override { return move(take_); }

private:
    int move(sembuf& operation)
    {
        while (semop(set_, &operation, 1) != 0) {
            if (!again(errno)) return errno;
        }
        return 0;
    }

    int set_;
    sembuf take_;
    sembuf give_;
};

class SysvChannel final : public Channel {
public:
    static Result<std::unique_ptr<Channel>> create(const Setup& setup)
    {
        auto name = setup.names.reserve(NameRegistry::Kind::sysv_sem);
        if (!name) {
            return tl::unexpected(name.error());
        }
        const int set = semget(name->key(), 2, IPC_CREAT | IPC_EXCL | 0600);
        if (set < 0) {
            return fail(Exit::kernel, fmt::format("semget: {}{}", std::strerror(errno),
                                                  errno == ENOSPC ? more_sets() : ""));
        }
        return std::unique_ptr<Channel>(
            new SysvChannel(set, std::move(*name), setup.waiting));
    }

    Result<std::unique_ptr<Port>> port(End end, const Peer&) override
    {
        const bool a = end == End::a;
        return std::make_unique<SysvPort>(set_, a ? 1 : 0, a ? 0 : 1, waiting_);
    }

    int drained() override
    {
        return semctl(set_, 0, GETVAL) == 0 && semctl(set_, 1, GETVAL) == 0 ? 0 : EBADMSG;
    }

private:
    SysvChannel(int set, NameRegistry::Entry name, WaitMode waiting)
        : set_(set), name_(std::move(name)), waiting_(waiting)
    {
    }

    /// kernel.sem is four numbers; the last is the most sets.
    static std::string more_sets()
    {
        std::ifstream file("/proc/sys/kernel/sem");
        unsigned long per_set = 0, in_all = 0, per_call = 0, sets = 0;
        file >> per_set >> in_all >> per_call >> sets;
        return fmt::format(": sysctl kernel.sem='{} {} {} {}'", per_set, in_all + 32,
                           per_call, sets + 16);
    }

    int set_;
    NameRegistry::Entry name_;
    WaitMode waiting_;
};

constexpr Mechanism kMechanisms[] = {
    {.name = "posix-sem", .title = "POSIX semaphore, unnamed", .family = Family::semaphore,
     .spins = true, .traced_by = IPCSCOPE_FAMILY_FUTEX, .create = UnnamedChannel::create},
    {.name = "posix-sem-named", .title = "POSIX semaphore, named",
     .family = Family::semaphore, .spins = true,
     .traced_by = IPCSCOPE_FAMILY_FUTEX, .create = NamedChannel::create},
    {.name = "sysv-sem", .title = "System V semaphore", .family = Family::semaphore,
     .spins = true, .traced_by = IPCSCOPE_FAMILY_SYSV, .create = SysvChannel::create},
};

}  // namespace

std::span<const Mechanism> semaphore_mechanisms() { return kMechanisms; }

}  // namespace ipcscope::bench
