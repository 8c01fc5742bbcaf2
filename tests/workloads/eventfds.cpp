// SPDX-License-Identifier: GPL-2.0-only
// Eventfds whose every call is known.
#include <cerrno>
#include <fstream>
#include <string>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr unsigned kFew = 13, kMany = 103, kWaited = 17;

/// fact: NAME id, which /proc shows.  None is closed: the kernel would use its id again.
int make(const char* name, unsigned count, int flags)
{
    const int fd = eventfd(count, flags | EFD_CLOEXEC);
    MUST(fd >= 0);
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(fd));
    std::uint64_t id = 0;
    bool found = false;
    for (std::string word; info >> word;) {
        if (word == "eventfd-id:" && info >> id) {
            found = true;
        }
    }
    MUST(found);
    fact(name, {id});
    return fd;
}

void put(int fd, std::uint64_t value) { MUST(write(fd, &value, sizeof value) == sizeof value); }

std::uint64_t get(int fd)
{
    std::uint64_t value = 0;
    MUST(read(fd, &value, sizeof value) == sizeof value);
    return value;
}

/// One thread: each write before its read.
void in_turn()
{
    const int fd = make("in_turn", 0, 0);
    for (unsigned i = 0; i < kMany; ++i) {
        put(fd, 1);
        MUST(get(fd) == 1);
    }
}

void semaphore()
{
    const int fd = make("semaphore", kFew, EFD_SEMAPHORE);
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(get(fd) == 1);
    }
}

void errors()
{
    const int fd = make("errors", 0, EFD_NONBLOCK);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < kFew; ++i) {
        MUST(read(fd, &value, sizeof value) < 0 && errno == EAGAIN);
    }
    value = UINT64_MAX;
    MUST(write(fd, &value, sizeof value) < 0 && errno == EINVAL);
    MUST(read(fd, &value, 4) < 0 && errno == EINVAL);
}

/// A child sleeps in each read.
void blocked()
{
    const int fd = make("blocked", 0, 0);
    const pid_t reader = child("waits", [&] {
        for (unsigned i = 0; i < kWaited; ++i) {
            get(fd);
        }
        return 0;
    });
    fact("blocked_by", {static_cast<std::uint64_t>(reader)});
    for (unsigned i = 0; i < kWaited; ++i) {
        wait_state(reader, 'S');
        sleep_ms(10);
        put(fd, 1);
    }
    MUST(reap(reader) == 0);
}

}  // namespace

int eventfd_fields(const Arguments&)
{
    name_thread("director");
    fact("director", {static_cast<std::uint64_t>(getpid())});
    in_turn();
    semaphore();
    errors();
    blocked();
    return 0;
}

}  // namespace ipcscope::workload
