// SPDX-License-Identifier: GPL-2.0-only
// /dev/ipcscope as a raw reader sees it, with nothing between a test and the
// module.
#pragma once

#include <cstdint>
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

/// Opened; a failure of the test where it cannot be.
Fd open_device();

/// errno of an ioctl, 0 where it succeeds.
int request(const Fd& device, unsigned long number, void* argument);

/// What START takes: all families, no filter.
ipcscope_start good_start();

/// Bytes of the status area and of the consumers', in whole pages.
std::size_t status_bytes();
std::size_t consumer_bytes();
unsigned cpus();

/// A running trace: mapped, read by hand.
class Running {
public:
    explicit Running(const ipcscope_start& start = good_start());
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    const Fd& device() const { return device_; }
    const ipcscope_status& status() const;
    const ipcscope_cpu& cpu(unsigned number) const;
    ipcscope_consumer& consumer(unsigned number) const;

    /// All that the rings hold, each record's bytes; takes them.
    std::vector<std::vector<std::byte>> take();
    /// Sum over CPUs and causes.
    std::uint64_t emitted(unsigned kind) const;
    std::uint64_t lost(unsigned kind) const;
    std::uint32_t stop();

private:
    Fd device_;
    std::uint64_t ring_bytes_ = 0;
    std::byte* status_ = nullptr;
    std::byte* consumers_ = nullptr;
    std::vector<std::byte*> rings_;
};

/// Runs `body` in a child; its exit status, as a shell tells it.
int in_child(const std::function<int()>& body);

/// Until /proc tells that state of a process; false after 5 s.
bool wait_state(pid_t pid, char state);

}  // namespace ipcscope::kmod_test
