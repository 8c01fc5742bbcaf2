// SPDX-License-Identifier: GPL-2.0-only
// Direct access to /dev/ipcscope, without the collector's code.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <ipcscope/transport.h>

#include "base/fd.hpp"

namespace ipcscope::kmod_test {

inline constexpr const char* kDevice = "/dev/" IPCSCOPE_DEVICE;
inline constexpr const char* kLab = "/dev/ipcscope_lab";
inline constexpr std::uint64_t kRing = 64 << 10;

/// Opens the device; the test fails if that fails.
Fd open_device();

/// errno of an ioctl, 0 where it succeeds.
int request(const Fd& device, unsigned long number, void* argument);

/// A valid START request: all families that have hooks, no filter.
ipcscope_start valid_start();

/// Bytes of the status area and of the consumers', in whole pages.
std::size_t status_bytes();
std::size_t consumer_bytes();
unsigned cpus();

/// A record as its bytes.
class Record {
public:
    explicit Record(std::vector<std::byte> bytes) : bytes_(std::move(bytes)) {}

    const ipcscope_header& header() const { return as<ipcscope_header>(); }
    /// As what its kind says; its size must be enough.
    template <typename T>
    const T& as() const
    {
        if (bytes_.size() < sizeof(T)) std::abort();
        return *reinterpret_cast<const T*>(bytes_.data());
    }
    std::size_t size() const { return bytes_.size(); }

private:
    std::vector<std::byte> bytes_;
};

using Records = std::vector<Record>;

/// A running trace: mapped, read by hand.
class RunningTrace {
public:
    explicit RunningTrace(const ipcscope_start& start = valid_start());
    ~RunningTrace();
    RunningTrace(const RunningTrace&) = delete;
    RunningTrace& operator=(const RunningTrace&) = delete;

    const Fd& device() const { return device_; }
    const ipcscope_status& status() const;
    const ipcscope_cpu& cpu(unsigned number) const;
    ipcscope_consumer& consumer(unsigned number) const;

    /// Consumes all records of the rings, ring by ring.
    Records take();
    /// Sum over CPUs and causes.
    std::uint64_t emitted(unsigned kind) const;
    std::uint64_t lost(unsigned kind) const;
    std::uint32_t stop();
    /// After stop(): what IOC_UNFINISHED has.
    Records unfinished(std::uint32_t count) const;

private:
    Fd device_;
    std::uint64_t ring_bytes_ = 0;
    std::byte* status_ = nullptr;
    std::byte* consumers_ = nullptr;
    std::vector<std::byte*> rings_;
};

/// Runs `body` in a child; its exit status, as in a shell.
int in_child(const std::function<int()>& body);

/// Waits until /proc shows that state of a process; false after 5 s.
bool wait_state(pid_t pid, char state);

}  // namespace ipcscope::kmod_test
