// SPDX-License-Identifier: GPL-2.0-only
#include "device.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ipcscope::kmod_test {
namespace {

std::size_t pages(std::size_t bytes)
{
    return (bytes + 4095) / 4096 * 4096;
}

std::byte* map(const Fd& device, std::uint64_t offset, std::size_t bytes, int protection)
{
    void* data = mmap(nullptr, bytes, protection, MAP_SHARED, device.get(),
                      static_cast<off_t>(offset));
    EXPECT_NE(data, MAP_FAILED) << std::strerror(errno);
    return static_cast<std::byte*>(data);
}

}  // namespace

Fd open_device()
{
    Fd device(open(kDevice, O_RDWR | O_CLOEXEC));
    EXPECT_TRUE(device) << kDevice << ": " << std::strerror(errno);
    return device;
}

int request(const Fd& device, unsigned long number, void* argument)
{
    return ioctl(device.get(), number, argument) < 0 ? errno : 0;
}

unsigned cpus()
{
    static const unsigned number = [] {
        ipcscope_about about{};
        const Fd device = open_device();
        EXPECT_EQ(request(device, IPCSCOPE_IOC_ABOUT, &about), 0);
        return about.cpus;
    }();
    return number;
}

ipcscope_start valid_start()
{
    ipcscope_start start{};
    start.transport = IPCSCOPE_TRANSPORT_VERSION;
    start.schema = IPCSCOPE_SCHEMA_VERSION;
    start.signal_mask = ~0ull;
    start.families = IPCSCOPE_FAMILY_HOOKED;
    start.max_threads = 4096;
    start.ring_bytes = kRing;
    start.wakeup_bytes = kRing / 4;
    return start;
}

std::size_t status_bytes()
{
    return pages(sizeof(ipcscope_status) + cpus() * sizeof(ipcscope_cpu));
}

std::size_t consumer_bytes()
{
    return pages(cpus() * sizeof(ipcscope_consumer));
}

RunningTrace::RunningTrace(const ipcscope_start& start)
{
    cpus();   // opens the device itself, so before us
    device_ = open_device();
    ipcscope_start copy = start;
    EXPECT_EQ(request(device_, IPCSCOPE_IOC_START, &copy), 0);
    ring_bytes_ = start.ring_bytes;
    status_ = map(device_, IPCSCOPE_MAP_STATUS, status_bytes(), PROT_READ);
    consumers_ = map(device_, IPCSCOPE_MAP_CONSUMER, consumer_bytes(), PROT_READ | PROT_WRITE);
    for (unsigned number = 0; number < cpus(); number++) {
        rings_.push_back(map(device_, IPCSCOPE_MAP_RING(number), ring_bytes_, PROT_READ));
    }
}

RunningTrace::~RunningTrace()
{
    for (std::byte* ring : rings_) {
        munmap(ring, ring_bytes_);
    }
    munmap(consumers_, consumer_bytes());
    munmap(status_, status_bytes());
}

const ipcscope_status& RunningTrace::status() const
{
    return *reinterpret_cast<const ipcscope_status*>(status_);
}

const ipcscope_cpu& RunningTrace::cpu(unsigned number) const
{
    return reinterpret_cast<const ipcscope_cpu*>(status_ + sizeof(ipcscope_status))[number];
}

ipcscope_consumer& RunningTrace::consumer(unsigned number) const
{
    return reinterpret_cast<ipcscope_consumer*>(consumers_)[number];
}

Records RunningTrace::take()
{
    Records records;
    for (unsigned number = 0; number < rings_.size(); number++) {
        std::uint64_t at = consumer(number).position;
        const std::uint64_t end = __atomic_load_n(&cpu(number).position, __ATOMIC_ACQUIRE);
        const auto copy = [&](void* to, std::uint64_t from, std::size_t bytes) {
            for (std::size_t i = 0; i < bytes; i++) {
                static_cast<std::byte*>(to)[i] = rings_[number][(from + i) % ring_bytes_];
            }
        };
        while (at < end) {
            ipcscope_header header{};
            copy(&header, at, sizeof header);
            if (header.size < sizeof header || header.size > end - at) {
                ADD_FAILURE() << "size " << header.size << " of kind " << header.kind;
                break;
            }
            std::vector<std::byte> bytes(header.size);
            copy(bytes.data(), at, header.size);
            records.emplace_back(std::move(bytes));
            at += header.size;
        }
        __atomic_store_n(&consumer(number).position, at, __ATOMIC_RELEASE);
    }
    return records;
}

std::uint64_t RunningTrace::emitted(unsigned kind) const
{
    std::uint64_t sum = 0;
    for (unsigned number = 0; number < rings_.size(); number++) {
        sum += cpu(number).ledger.kind[kind].emitted;
    }
    return sum;
}

std::uint64_t RunningTrace::lost(unsigned kind) const
{
    std::uint64_t sum = 0;
    for (unsigned number = 0; number < rings_.size(); number++) {
        for (std::uint64_t cause : cpu(number).ledger.kind[kind].lost) {
            sum += cause;
        }
    }
    return sum;
}

std::uint32_t RunningTrace::stop()
{
    ipcscope_stop stop{};
    EXPECT_EQ(request(device_, IPCSCOPE_IOC_STOP, &stop), 0);
    return stop.unfinished;
}

Records RunningTrace::unfinished(std::uint32_t count) const
{
    Records records;
    for (std::uint32_t index = 0; index < count; index++) {
        ipcscope_unfinished query{};
        query.index = index;
        EXPECT_EQ(request(device_, IPCSCOPE_IOC_UNFINISHED, &query), 0) << index;
        const auto* bytes = reinterpret_cast<const std::byte*>(query.record);
        const auto* header = reinterpret_cast<const ipcscope_header*>(bytes);
        EXPECT_LE(header->size, sizeof query.record) << index;
        records.emplace_back(std::vector<std::byte>(bytes, bytes + header->size));
    }
    return records;
}

int in_child(const std::function<int()>& body)
{
    const pid_t pid = fork();
    if (pid == 0) {
        _exit(body());
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool wait_state(pid_t pid, char state)
{
    for (int tries = 0; tries < 250; tries++) {
        std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
        std::string line;
        std::getline(file, line);
        const std::size_t at = line.rfind(") ");
        if (at != std::string::npos && line[at + 2] == state) {
            return true;
        }
        const timespec nap{0, 20'000'000};
        nanosleep(&nap, nullptr);
    }
    ADD_FAILURE() << "process " << pid << " is not in state " << state;
    return false;
}

}  // namespace ipcscope::kmod_test
