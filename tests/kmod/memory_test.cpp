// SPDX-License-Identifier: GPL-2.0-only
// The mapped memory: what may be done with it, and what a hostile reader does.
#include <cerrno>
#include <random>
#include <thread>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "device.hpp"
#include "lab.h"

namespace ipcscope::kmod_test {
namespace {

/// errno of a mapping, 0 where it succeeds (it is taken away again).
int map_error(const Fd& device, std::uint64_t offset, std::size_t bytes, int protection,
              int flags = MAP_SHARED)
{
    void* data = mmap(nullptr, bytes, protection, flags, device.get(),
                      static_cast<off_t>(offset));
    if (data == MAP_FAILED) {
        return errno;
    }
    munmap(data, bytes);
    return 0;
}

TEST(Memory, MapWithOneFault)
{
    cpus();
    const Fd device = open_device();
    EXPECT_EQ(map_error(device, 0, status_bytes(), PROT_READ), EINVAL) << "before START";
    ipcscope_start start = valid_start();
    ASSERT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);

    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS, status_bytes(), PROT_READ), 0);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS, status_bytes() + 4096, PROT_READ), EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS, status_bytes(), PROT_READ | PROT_WRITE),
              EPERM);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS, status_bytes(), PROT_READ | PROT_EXEC),
              EPERM);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS, status_bytes(), PROT_READ, MAP_PRIVATE),
              EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_STATUS + 4096, 4096, PROT_READ), EINVAL);

    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_CONSUMER, consumer_bytes(), PROT_READ | PROT_WRITE),
              0);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_CONSUMER, consumer_bytes(),
                        PROT_READ | PROT_WRITE | PROT_EXEC),
              EPERM);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_CONSUMER, consumer_bytes(), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE),
              EINVAL);

    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0), kRing, PROT_READ), 0);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0), kRing / 2, PROT_READ), EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0), 2 * kRing, PROT_READ), EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0), kRing, PROT_WRITE), EPERM);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0) + 4096, kRing, PROT_READ), EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(cpus()), kRing, PROT_READ), EINVAL);
    EXPECT_EQ(map_error(device, IPCSCOPE_MAP_RING(0x7ffffffd), kRing, PROT_READ), EINVAL);
}

TEST(Memory, NeverWritable)
{
    const RunningTrace trace;
    void* status = const_cast<ipcscope_status*>(&trace.status());
    EXPECT_EQ(mprotect(status, 4096, PROT_READ | PROT_WRITE), -1);
    EXPECT_EQ(errno, EACCES);
    EXPECT_EQ(mprotect(status, 4096, PROT_READ | PROT_EXEC), -1);
    EXPECT_EQ(errno, EACCES);
    // Not through another way to the same pages either.
    const Fd memory(open("/proc/self/mem", O_RDWR));
    const std::uint64_t junk = ~0ull;
    EXPECT_EQ(pwrite(memory.get(), &junk, sizeof junk,
                     static_cast<off_t>(reinterpret_cast<std::uintptr_t>(status))),
              -1);
    EXPECT_EQ(trace.status().ring_bytes, kRing);
}

/// mremap, fork and partial munmap: the pages stay valid while a mapping exists.
TEST(Memory, Permutations)
{
    RunningTrace trace;
    void* ring = mmap(nullptr, kRing, PROT_READ, MAP_SHARED, trace.device().get(),
                      static_cast<off_t>(IPCSCOPE_MAP_RING(0)));
    ASSERT_NE(ring, MAP_FAILED);
    EXPECT_EQ(mremap(ring, kRing, 2 * kRing, MREMAP_MAYMOVE), MAP_FAILED) << "it grew";
    void* elsewhere = mmap(nullptr, kRing, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ring = mremap(ring, kRing, kRing, MREMAP_MAYMOVE | MREMAP_FIXED, elsewhere);
    ASSERT_NE(ring, MAP_FAILED);
    EXPECT_EQ(madvise(ring, kRing, MADV_DONTFORK), 0);
    // Newer kernels refuse it for what cannot grow; the child then has no ring.
    EXPECT_TRUE(madvise(ring, kRing, MADV_DOFORK) == 0 || errno == EINVAL);
    EXPECT_EQ(munmap(static_cast<char*>(ring) + 4096, 4096), 0);
    EXPECT_EQ(mprotect(ring, 4096, PROT_NONE), 0);
    EXPECT_EQ(mprotect(ring, 4096, PROT_READ), 0);
    const std::uint64_t beat = trace.status().heartbeat_ns;
    EXPECT_EQ(in_child([&] {
                  // The child has the areas, and stops the trace of its parent.
                  const bool same = trace.status().heartbeat_ns >= beat;
                  ipcscope_stop stop{};
                  return same && request(trace.device(), IPCSCOPE_IOC_STOP, &stop) == 0 ? 0 : 1;
              }),
              0);
    ipcscope_stop stop{};
    EXPECT_EQ(request(trace.device(), IPCSCOPE_IOC_STOP, &stop), EINVAL);
    pollfd events{trace.device().get(), POLLIN, 0};
    EXPECT_EQ(poll(&events, 1, 0), 1);
    EXPECT_TRUE(events.revents & POLLHUP);
    EXPECT_EQ(munmap(ring, 4096), 0);
    EXPECT_EQ(munmap(static_cast<char*>(ring) + 8192, kRing - 8192), 0);
}

/// `count` writes of a byte to a pipe and reads from it: as many events each.
void round_trips(unsigned count)
{
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    char byte = 'x';
    for (unsigned i = 0; i < count; i++) {
        ASSERT_EQ(write(ends[1], &byte, 1), 1);
        ASSERT_EQ(read(ends[0], &byte, 1), 1);
    }
    close(ends[0]);
    close(ends[1]);
}

/// A reader is never traced: another process makes the events.
template <typename Body>
void child_makes(unsigned count, Body meanwhile)
{
    const pid_t pid = fork();
    if (pid == 0) {
        round_trips(count);
        _exit(0);
    }
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
        meanwhile();
    }
    EXPECT_EQ(status, 0);
}

/// Calls on pipes, by what was done: reads, writes.
struct PipeCalls {
    std::uint64_t reads = 0;
    std::uint64_t writes = 0;

    void count(const Record& record)
    {
        if (record.header().kind != IPCSCOPE_CALL_PIPE) return;
        const auto& call = record.as<ipcscope_call>();
        reads += call.op == IPCSCOPE_OP_READ;
        writes += call.op == IPCSCOPE_OP_WRITE;
    }
};

ipcscope_start pipes_only()
{
    ipcscope_start start = valid_start();
    start.families = IPCSCOPE_FAMILY_PIPES;
    return start;
}

TEST(Memory, EveryRecordOnce)
{
    constexpr unsigned kCount = 4999;
    RunningTrace trace(pipes_only());
    PipeCalls calls;
    const auto count = [&] {
        for (const Record& record : trace.take()) calls.count(record);
    };
    child_makes(kCount, count);
    trace.stop();
    count();
    EXPECT_EQ(calls.reads + calls.writes, trace.emitted(IPCSCOPE_CALL_PIPE));
    EXPECT_EQ(calls.reads + calls.writes + trace.lost(IPCSCOPE_CALL_PIPE), 2 * kCount);
    EXPECT_LE(calls.reads, kCount);
    EXPECT_LE(calls.writes, kCount);
}

/// A CPU that goes offline and online under load: its ring stays, and what it
/// had made is read.
TEST(Memory, CpuHotplug)
{
    constexpr unsigned kCount = 9973;
    const auto online = [](char wanted) {
        const Fd file(open("/sys/devices/system/cpu/cpu1/online", O_WRONLY));
        return write(file.get(), &wanted, 1) == 1;
    };
    RunningTrace trace(pipes_only());
    PipeCalls calls;
    unsigned switches = 0;
    const auto count = [&] {
        for (const Record& record : trace.take()) calls.count(record);
    };
    // A switch takes a while, a child perhaps not: as many as it needs.
    std::uint64_t made = 0;
    while (switches < 4 && made < 100 * kCount) {
        child_makes(kCount, [&] {
            EXPECT_TRUE(online(switches++ % 2 ? '1' : '0'));
            count();
        });
        made += kCount;
    }
    EXPECT_TRUE(switches % 2 == 0 || online('1'));
    EXPECT_GE(switches, 4u);
    trace.stop();
    count();
    EXPECT_EQ(calls.reads + calls.writes + trace.lost(IPCSCOPE_CALL_PIPE), 2 * made);
}

void stay_on(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    ASSERT_EQ(sched_setaffinity(0, sizeof set, &set), 0);
}

/// NMIs to a CPU that is busy with records, each with a hook in it: an event while
/// one is written is lost, by that cause, and no record has suffered.
TEST(Memory, HooksInNmis)
{
    constexpr unsigned kCount = 4999, kNmis = 10, kMost = 2'000;
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    const Fd lab(open(kLab, O_RDWR));
    ipcscope_start start = pipes_only();
    start.ring_bytes = 8 << 20;   // nothing is lost but by an NMI
    RunningTrace trace(start);
    PipeCalls calls;
    unsigned sent = 0, came = 0, made = 0;
    const auto count = [&] {
        for (const Record& record : trace.take()) {
            calls.count(record);
            // The idle task is never freed.
            came += record.header().kind == IPCSCOPE_THREAD_FREE && record.header().tid == 0;
        }
    };
    const ipcscope_ledger& ledger = trace.cpu(0).ledger;
    const auto busy = [&] {
        return ledger.kind[IPCSCOPE_THREAD_FREE].lost[IPCSCOPE_LOST_RING_BUSY];
    };
    stay_on(0);   // the children, too
    while (busy() == 0 && sent < kMost) {
        child_makes(kCount, [&] {
            stay_on(1);
            ipcscope_lab_nmi order{0, kNmis};
            ASSERT_EQ(ioctl(lab.get(), IPCSCOPE_LAB_IOC_NMI, &order), 0) << errno;
            sent += kNmis;
            count();
        });
        made += kCount;
        stay_on(0);
    }
    trace.stop();
    count();
    sched_setaffinity(0, sizeof before, &before);
    EXPECT_GT(busy(), 0u) << "of " << sent << " NMIs none came while a record was written";
    EXPECT_EQ(came + busy(), sent);
    EXPECT_EQ(calls.reads, made);
    EXPECT_EQ(calls.writes, made);
}

/// A million random positions while records are made: some are lost, none is
/// uncounted, and nothing outside of the ring is touched (KASAN would report it).
TEST(Memory, HostilePositions)
{
    constexpr unsigned kCount = 4999;
    constexpr unsigned kWrites = 1'000'000;
    RunningTrace trace(pipes_only());
    unsigned written = 0;
    std::mt19937_64 random(20260101);
    child_makes(kCount, [&] {
        for (unsigned i = 0; i < 5000; i++, written++) {
            const unsigned cpu = static_cast<unsigned>(random() % cpus());
            const std::uint64_t near = trace.cpu(cpu).position + random() % 4096 - 2048;
            // Of all the numbers, and around what would be right.
            const std::uint64_t position = random() % 2 ? random() : near;
            __atomic_store_n(&trace.consumer(cpu).position, position, __ATOMIC_RELAXED);
            // The words beside it mean nothing to the module.
            trace.consumer(cpu).pad[random() % 7] = random();
        }
    });
    while (written++ < kWrites) {
        trace.consumer(static_cast<unsigned>(random() % cpus())).position = random();
    }
    trace.stop();
    EXPECT_EQ(trace.emitted(IPCSCOPE_CALL_PIPE) + trace.lost(IPCSCOPE_CALL_PIPE), 2 * kCount);
}

/// The wakeup mark wakes a reader long before its timeout.
TEST(Memory, PollWakes)
{
    ipcscope_start start = pipes_only();
    start.wakeup_bytes = 8192;
    RunningTrace trace(start);
    pollfd events{trace.device().get(), POLLIN, 0};
    EXPECT_EQ(poll(&events, 1, 0), 0);
    std::thread maker([] {
        EXPECT_EQ(in_child([] {
                      const timespec nap{0, 200'000'000};
                      nanosleep(&nap, nullptr);
                      round_trips(499);
                      return 0;
                  }),
                  0);
    });
    const std::uint64_t begin = monotonic_ns();
    EXPECT_EQ(poll(&events, 1, 30'000), 1);
    EXPECT_TRUE(events.revents & POLLIN);
    EXPECT_LT(monotonic_ns() - begin, 20'000'000'000u);
    maker.join();
    trace.take();
    events.revents = 0;
    EXPECT_EQ(poll(&events, 1, 0), 0);
}

TEST(Memory, HeartbeatAdvances)
{
    const RunningTrace trace;
    const std::uint64_t first = __atomic_load_n(&trace.status().heartbeat_ns, __ATOMIC_RELAXED);
    EXPECT_LE(first, monotonic_ns());
    const timespec nap{1, 500'000'000};
    nanosleep(&nap, nullptr);
    EXPECT_GT(__atomic_load_n(&trace.status().heartbeat_ns, __ATOMIC_RELAXED), first);
}

}  // namespace
}  // namespace ipcscope::kmod_test
