// SPDX-License-Identifier: GPL-2.0-only
// Futexes whose every call is known: on memory that processes map at two addresses.
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <thread>

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr unsigned kMany = 101, kFew = 11, kWaited = 13, kTimed = 3, kUnseen = 17, kOps = 7,
                   kPrivate = 19;
constexpr std::size_t kPage = 4096, kPages = 3, kStep = 0x40;   // bytes

using Word = std::atomic<std::uint32_t>;

std::uint64_t u(long number) { return static_cast<std::uint64_t>(number); }
std::uint64_t u(const Word& word) { return reinterpret_cast<std::uint64_t>(&word); }

long futex(const Word& word, int operation, std::uint32_t value, const timespec* timeout = nullptr,
           const Word* other = nullptr, std::uint32_t value3 = 0)
{
    return syscall(SYS_futex, &word, operation, value, timeout, other, value3);
}

/// Of an operation that has a second number for its timeout.
const timespec* second(std::uintptr_t number) { return reinterpret_cast<const timespec*>(number); }

/// The last page of the memory, which each process maps for itself.
class Words {
public:
    Words(int file, off_t from) : map_(mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED,
                                            file, from))
    {
        must(map_ != MAP_FAILED, "mmap");
    }
    Word& operator[](std::size_t index) const
    {
        return *reinterpret_cast<Word*>(static_cast<char*>(map_) + index * kStep);
    }

private:
    void* map_;
};

void wakes_and_refused_waits(const Words& words)
{
    for (unsigned i = 0; i < kMany; ++i) {
        MUST(futex(words[1], FUTEX_WAKE, 3) == 0);
    }
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(futex(words[1], FUTEX_WAIT, 7) < 0 && errno == EAGAIN);
    }
    const timespec timeout{0, 10'000'000};
    for (unsigned i = 0; i < kTimed; ++i) {
        MUST(futex(words[1], FUTEX_WAIT, 0, &timeout) < 0 && errno == ETIMEDOUT);
    }
    for (unsigned i = 0; i < kOps; ++i) {
        MUST(futex(words[1], FUTEX_WAKE_OP, 2, second(1), &words[2],
                   FUTEX_OP(FUTEX_OP_SET, 0, FUTEX_OP_CMP_EQ, 9)) == 0);
    }
}

/// What is no call on memory that processes share, or none at all.
void unseen(const Words& words)
{
    alignas(4) static Word own{0};
    fact("own", {u(own)});
    for (unsigned i = 0; i < kUnseen; ++i) {
        MUST(futex(words[3], FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1) == 0);
        MUST(futex(own, FUTEX_WAKE, 1) == 0);
        MUST(futex(*reinterpret_cast<Word*>(u(words[3]) + 1), FUTEX_WAKE, 1) < 0 &&
             errno == EINVAL);
        MUST(futex(*reinterpret_cast<Word*>(kPage), FUTEX_WAKE, 1) < 0 && errno == EFAULT);
    }
}

/// Between threads; seen where private ones are traced.
void private_waits()
{
    alignas(4) static Word word{0};
    fact("private", {u(word)});
    std::atomic<pid_t> waiter{0};
    std::thread thread([&waiter] {
        name_thread("sleeper");
        waiter = gettid();
        for (unsigned i = 0; i < kPrivate; ++i) {
            MUST(futex(word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0) == 0);
        }
    });
    while (waiter == 0) {
        sleep_ms(1);
    }
    fact("sleeper", {u(waiter)});
    for (unsigned i = 0; i < kPrivate; ++i) {
        wait_state(waiter, 'S');
        sleep_ms(2);
        MUST(futex(word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1) == 1);
    }
    thread.join();
}

void waits(const Words& words, int file)
{
    const pid_t waiter = child("waits", [&] {
        const Words mine(file, 2 * kPage);
        fact("waiter_address", {u(mine[4])});
        for (unsigned i = 0; i < kWaited; ++i) {
            MUST(futex(mine[4], FUTEX_WAIT, 0) == 0);
        }
        MUST(futex(mine[4], FUTEX_WAIT_BITSET, 0, nullptr, nullptr, 0x10) == 0);
        return 0;
    });
    fact("waiter", {u(waiter)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(waiter, 'S');
        sleep_ms(10);
        MUST(futex(words[4], FUTEX_WAKE, 1) == 1);
    }
    wait_state(waiter, 'S');
    MUST(futex(words[4], FUTEX_WAKE_BITSET, 5, nullptr, nullptr, 0x20) == 0);
    MUST(futex(words[4], FUTEX_WAKE_BITSET, 5, nullptr, nullptr, 0x10) == 1);
    MUST(reap(waiter) == 0);
}

void requeues(const Words& words)
{
    const pid_t waiter = child("requeued", [&] {
        MUST(futex(words[5], FUTEX_WAIT, 0) == 0);
        return 0;
    });
    wait_state(waiter, 'S');
    MUST(futex(words[5], FUTEX_CMP_REQUEUE, 0, second(1), &words[6], 8) < 0 && errno == EAGAIN);
    MUST(futex(words[5], FUTEX_CMP_REQUEUE, 0, second(1), &words[6], 0) == 1);
    MUST(futex(words[5], FUTEX_WAKE, 1) == 0);
    MUST(futex(words[6], FUTEX_WAKE, 1) == 1);
    MUST(reap(waiter) == 0);
}

/// The word of a lock holds its owner.
void locks(const Words& words)
{
    const pid_t owner = child("owns", [&] {
        MUST(futex(words[7], FUTEX_LOCK_PI, 0) == 0);
        wait_until(words[8], 1);
        sleep_ms(20);
        MUST(futex(words[7], FUTEX_UNLOCK_PI, 0) == 0);
        return 0;
    });
    fact("owner", {u(owner)});
    while (words[7] != static_cast<std::uint32_t>(owner)) {
        sleep_ms(1);
    }
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(futex(words[7], FUTEX_TRYLOCK_PI, 0) < 0 && errno == EAGAIN);
    }
    words[8] = 1;
    MUST(futex(words[7], FUTEX_LOCK_PI, 0) == 0);
    MUST(futex(words[7], FUTEX_UNLOCK_PI, 0) == 0);
    MUST(reap(owner) == 0);
}

/// A stop breaks a wait off, and the kernel takes it up again; SIGKILL ends it.
void broken_off(const Words& words)
{
    const pid_t waiter = child("stopped", [&] {
        const timespec timeout{60, 0};
        MUST(futex(words[9], FUTEX_WAIT, 0, &timeout) == 0);
        futex(words[9], FUTEX_WAIT, 0);
        return 1;
    });
    fact("stopped", {u(waiter)});
    wait_state(waiter, 'S');
    MUST(kill(waiter, SIGSTOP) == 0);
    wait_state(waiter, 'T');
    MUST(kill(waiter, SIGCONT) == 0);
    wait_state(waiter, 'S');
    MUST(futex(words[9], FUTEX_WAKE, 1) == 1);
    wait_state(waiter, 'S');
    MUST(kill(waiter, SIGKILL) == 0);
    reap(waiter);
}

void one_on_each_memory()
{
    void* anonymous = mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
    MUST(anonymous != MAP_FAILED);
    const int id = shmget(0x2a, kPage, IPC_CREAT | IPC_EXCL | 0600);
    MUST(id >= 0);
    void* segment = shmat(id, nullptr, 0);
    MUST(segment != reinterpret_cast<void*>(-1) && shmctl(id, IPC_RMID, nullptr) == 0);
    constexpr const char* kPath = "/tmp/futex \x1b[31m";
    const int file = open(kPath, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    MUST(file >= 0 && ftruncate(file, kPage) == 0 && unlink(kPath) == 0);
    const Words unlinked(file, 0);
    for (const auto& [name, word] :
         std::array{std::pair{"anonymous", static_cast<Word*>(anonymous)},
                    std::pair{"segment", static_cast<Word*>(segment)},
                    std::pair{"unlinked", &unlinked[0]}}) {
        fact(name, {u(*word)});
        MUST(futex(*word, FUTEX_WAKE, 5) == 0);
    }
}

}  // namespace

int futex_fields(const Arguments&)
{
    name_thread("director");
    fact("director", {u(getpid())});
    const int file = memfd_create("words", MFD_CLOEXEC);
    MUST(file >= 0 && ftruncate(file, kPages * kPage) == 0);
    const Words words(file, 2 * kPage);
    fact("words", {u(words[0])});
    one_on_each_memory();   // looked up while the rest goes on
    wakes_and_refused_waits(words);
    unseen(words);
    private_waits();
    waits(words, file);
    requeues(words);
    locks(words);
    broken_off(words);
    return 0;
}

}  // namespace ipcscope::workload
