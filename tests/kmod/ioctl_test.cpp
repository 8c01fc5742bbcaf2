// SPDX-License-Identifier: GPL-2.0-only
// The requests: each with one fault, in each state.
#include <cerrno>
#include <cstring>
#include <functional>
#include <string>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "device.hpp"

namespace ipcscope::kmod_test {
namespace {

void* const kBadPointer = reinterpret_cast<void*>(8);

TEST(Open, OnlyOwner)
{
    struct stat info {};
    ASSERT_EQ(stat(kDevice, &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0600u);
    EXPECT_EQ(info.st_uid, 0u);
}

/// The file's mode is not sufficient: open() also needs the capability.
TEST(Open, NeedsCapability)
{
    ASSERT_EQ(chmod(kDevice, 0666), 0);
    EXPECT_EQ(in_child([] {
                  if (setuid(65534) != 0) return 250;
                  return open(kDevice, O_RDWR) < 0 ? errno : 0;
              }),
              EPERM);
    ASSERT_EQ(chmod(kDevice, 0600), 0);
    EXPECT_EQ(in_child([] {
                  if (setuid(65534) != 0) return 250;
                  return open(kDevice, O_RDWR) < 0 ? errno : 0;
              }),
              EACCES);
}

TEST(Open, OneReader)
{
    Fd first = open_device();
    EXPECT_EQ(open(kDevice, O_RDWR), -1);
    EXPECT_EQ(errno, EBUSY);
    first.reset();
    EXPECT_TRUE(open_device());
}

/// delete_module() fails with EWOULDBLOCK for a module in use.
TEST(Open, HoldsModule)
{
    const Fd device = open_device();
    EXPECT_EQ(syscall(SYS_delete_module, "ipcscope", O_NONBLOCK), -1);
    EXPECT_EQ(errno, EWOULDBLOCK);
}

TEST(Open, MappingHoldsModule)
{
    void* kept = nullptr;
    {
        cpus();
        const Fd device = open_device();
        ipcscope_start start = valid_start();
        ASSERT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);
        kept = mmap(nullptr, status_bytes(), PROT_READ, MAP_SHARED, device.get(), 0);
        ASSERT_NE(kept, MAP_FAILED);
    }
    // The file is closed, the mapping is not: the trace goes on.
    EXPECT_EQ(syscall(SYS_delete_module, "ipcscope", O_NONBLOCK), -1);
    EXPECT_EQ(errno, EWOULDBLOCK);
    EXPECT_EQ(open(kDevice, O_RDWR), -1);
    EXPECT_EQ(errno, EBUSY);
    EXPECT_GT(static_cast<ipcscope_status*>(kept)->heartbeat_ns, 0u);
    EXPECT_EQ(munmap(kept, status_bytes()), 0);
    EXPECT_TRUE(open_device());
}

TEST(Ioctl, About)
{
    const Fd device = open_device();
    ipcscope_about about{};
    ASSERT_EQ(request(device, IPCSCOPE_IOC_ABOUT, &about), 0);
    EXPECT_EQ(about.transport, IPCSCOPE_TRANSPORT_VERSION);
    EXPECT_EQ(about.schema, IPCSCOPE_SCHEMA_VERSION);
    EXPECT_EQ(about.cpus, static_cast<unsigned>(sysconf(_SC_NPROCESSORS_CONF)));
    EXPECT_EQ(about.reserved[0] | about.reserved[1], 0u);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_ABOUT, kBadPointer), EFAULT);
}

TEST(Ioctl, UnknownRequests)
{
    const Fd device = open_device();
    char space[4096] = {};
    EXPECT_EQ(request(device, 0, space), ENOTTY);
    EXPECT_EQ(request(device, ~0ul, space), ENOTTY);
    for (unsigned number = 0; number < 256; number++) {
        // Right number, wrong size or direction: another request.
        EXPECT_EQ(request(device, _IOC(_IOC_READ, IPCSCOPE_IOC_MAGIC, number, 8), space), ENOTTY)
            << number;
        EXPECT_EQ(request(device, _IO(IPCSCOPE_IOC_MAGIC, number), space), ENOTTY) << number;
    }
}

struct StartFault {
    const char* name;
    int error;
    std::function<void(ipcscope_start&)> make;
};

TEST(Ioctl, StartWithOneFault)
{
    const StartFault faults[] = {
        {"transport", EPROTO, [](auto& s) { s.transport++; }},
        {"schema", EPROTO, [](auto& s) { s.schema++; }},
        {"no family", EINVAL, [](auto& s) { s.families = 0; }},
        {"unknown family", EINVAL, [](auto& s) { s.families = 0x80000000; }},
        {"a followed one must match", EINVAL,
         [](auto& s) { s.filters = 1u << IPCSCOPE_FILTER_FOLLOWED; }},
        {"unknown filter", EINVAL, [](auto& s) { s.filters = 0x80000000; }},
        {"follow", EINVAL, [](auto& s) { s.follow = 3; }},
        {"no threads", EINVAL, [](auto& s) { s.max_threads = 0; }},
        {"too many threads", EINVAL,
         [](auto& s) { s.max_threads = IPCSCOPE_THREADS_MAX + 1; }},
        {"more threads than there is memory", ENOMEM,
         [](auto& s) { s.max_threads = IPCSCOPE_THREADS_MAX; }},
        {"no ring", EINVAL, [](auto& s) { s.ring_bytes = 0; }},
        {"small ring", EINVAL, [](auto& s) { s.ring_bytes = 2048, s.wakeup_bytes = 1; }},
        {"odd ring", EINVAL, [](auto& s) { s.ring_bytes = kRing + 4096; }},
        {"large ring", EINVAL, [](auto& s) { s.ring_bytes = 2 * IPCSCOPE_RING_MAX; }},
        {"more than there is", ENOMEM, [](auto& s) { s.ring_bytes = IPCSCOPE_RING_MAX; }},
        {"never awake", EINVAL, [](auto& s) { s.wakeup_bytes = 0; }},
        {"awake too late", EINVAL, [](auto& s) { s.wakeup_bytes = kRing + 1; }},
        {"reserved", EINVAL, [](auto& s) { s.reserved = 1; }},
        {"sums without rows", EINVAL, [](auto& s) { s.stat_pending = 1; }},
        {"by without rows", EINVAL, [](auto& s) { s.stat_by = IPCSCOPE_STAT_BY_PID; }},
        {"rows without slots", EINVAL, [](auto& s) { s.stat_rows = 1; }},
        {"too many rows", EINVAL,
         [](auto& s) { s.stat_rows = IPCSCOPE_STAT_ROWS_MAX + 1, s.stat_pending = 1; }},
        {"too many slots", EINVAL,
         [](auto& s) { s.stat_rows = 1, s.stat_pending = IPCSCOPE_STAT_PENDING_MAX + 1; }},
        {"unknown key", EINVAL,
         [](auto& s) {
             s.stat_rows = s.stat_pending = 1;
             s.stat_by = IPCSCOPE_STAT_BY_COUNT;
         }},
        {"more rows than there is memory", ENOMEM,
         [](auto& s) {
             s.stat_rows = IPCSCOPE_STAT_ROWS_MAX;
             s.stat_pending = IPCSCOPE_STAT_PENDING_MAX;
         }},
    };
    const Fd device = open_device();
    for (const StartFault& fault : faults) {
        ipcscope_start start = valid_start();
        fault.make(start);
        EXPECT_EQ(request(device, IPCSCOPE_IOC_START, &start), fault.error) << fault.name;
    }
    EXPECT_EQ(request(device, IPCSCOPE_IOC_START, kBadPointer), EFAULT);
    // None of them has left anything: it still starts, once.
    ipcscope_start start = valid_start();
    EXPECT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_START, &start), EINVAL);
}

TEST(Ioctl, FilterWithOneFault)
{
    const Fd device = open_device();
    const auto answer = [&](std::uint32_t type, std::uint64_t id, const char* comm,
                            std::uint32_t reserved = 0) {
        ipcscope_filter filter{};
        filter.type = type;
        filter.reserved = reserved;
        filter.id = id;
        for (std::size_t i = 0; i < sizeof filter.comm && comm[i]; i++) {
            filter.comm[i] = comm[i];
        }
        return request(device, IPCSCOPE_IOC_FILTER, &filter);
    };
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TGID, 1, ""), 0);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TGID, 1, "", 1), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_COUNT, 1, ""), EINVAL);
    EXPECT_EQ(answer(~0u, 1, ""), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TID, 1ull << 22, ""), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TID, ~0ull, ""), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TID, (1ull << 22) - 1, ""), 0);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_FOLLOWED, 1, "name"), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_COMM, 0, ""), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_COMM, 1, "name"), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_COMM, 0, "sixteen-bytes-xx"), EINVAL);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_CGROUP, 1, "name"), EINVAL);
    for (unsigned i = 0; i < IPCSCOPE_FILTER_NAMES; i++) {
        ASSERT_EQ(answer(IPCSCOPE_FILTER_COMM, 0, "fifteen-bytes-x"), 0) << i;
        ASSERT_EQ(answer(IPCSCOPE_FILTER_CGROUP, i, ""), 0) << i;
    }
    EXPECT_EQ(answer(IPCSCOPE_FILTER_COMM, 0, "one-more"), ENOSPC);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_CGROUP, 1, ""), ENOSPC);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_FILTER, kBadPointer), EFAULT);
    ipcscope_start start = valid_start();
    ASSERT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);
    EXPECT_EQ(answer(IPCSCOPE_FILTER_TGID, 2, ""), EINVAL);
}

TEST(Ioctl, StopAndUnfinished)
{
    const Fd device = open_device();
    ipcscope_stop stop{};
    ipcscope_unfinished query{};
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), EINVAL);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, &query), EINVAL);
    ipcscope_start start = valid_start();
    ASSERT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, &query), EINVAL);
    stop.reserved = 1;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), EINVAL);
    stop = {.unfinished = 1};
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), EINVAL);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, kBadPointer), EFAULT);
    stop = {};
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), 0);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), EINVAL);
    EXPECT_GT(stop.unfinished, 0u) << "no thread of the machine but ours";
    query.index = stop.unfinished;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, &query), EINVAL);
    query.index = ~0u;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, &query), EINVAL);
    query = {};
    query.reserved = 1;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, &query), EINVAL);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_UNFINISHED, kBadPointer), EFAULT);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_START, &start), EINVAL);
}

/// In any order, each index gives the same record.
TEST(Ioctl, UnfinishedInAnyOrder)
{
    RunningTrace trace;
    const std::uint32_t count = trace.stop();
    const Records forward = trace.unfinished(count);
    for (std::uint32_t index = count; index-- > 0;) {
        ipcscope_unfinished query{};
        query.index = index;
        ASSERT_EQ(request(trace.device(), IPCSCOPE_IOC_UNFINISHED, &query), 0);
        EXPECT_EQ(std::memcmp(query.record, &forward[index].header(), forward[index].size()), 0)
            << index;
    }
}

TEST(Ioctl, Hooks)
{
    const Fd device = open_device();
    ipcscope_about about{};
    ASSERT_EQ(request(device, IPCSCOPE_IOC_ABOUT, &about), 0);
    ipcscope_hook hook{};
    hook.index = about.hooks;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_HOOK, &hook), EINVAL);
    hook.index = ~0u;
    EXPECT_EQ(request(device, IPCSCOPE_IOC_HOOK, &hook), EINVAL);
    EXPECT_EQ(request(device, IPCSCOPE_IOC_HOOK, kBadPointer), EFAULT);
    unsigned absent = 0;   // functions that this kernel has not
    const auto attached = [&] {
        unsigned count = 0;
        absent = 0;
        for (unsigned index = 0; index < about.hooks; index++) {
            hook = {};
            hook.index = index;
            EXPECT_EQ(request(device, IPCSCOPE_IOC_HOOK, &hook), 0);
            EXPECT_NE(hook.name[0], 0);
            EXPECT_NE(hook.target[0], 0);
            count += hook.flags & IPCSCOPE_HOOK_ATTACHED;
            absent += hook.error == -ENOENT && !(hook.flags & IPCSCOPE_HOOK_REQUIRED);
        }
        return count;
    };
    EXPECT_EQ(attached(), 0u) << "hooked before a reader asks";
    ipcscope_start start = valid_start();
    ASSERT_EQ(request(device, IPCSCOPE_IOC_START, &start), 0);
    EXPECT_EQ(attached() + absent, about.hooks);
    EXPECT_LE(absent, 1u) << "only unix_stream_sendpage, since 6.5";
    ipcscope_stop stop{};
    ASSERT_EQ(request(device, IPCSCOPE_IOC_STOP, &stop), 0);
    EXPECT_EQ(attached(), 0u);
}

}  // namespace
}  // namespace ipcscope::kmod_test
