// SPDX-License-Identifier: GPL-2.0-only
#include "selftest/workload.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <limits>

#include <sched.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.hpp"

namespace ipcscope::selftest {
namespace {

volatile std::sig_atomic_t handled = 0;

void handle(int signal)
{
    const int queued = SIGRTMIN + 1;
    const int handled_signals[] = {SIGUSR1, SIGUSR2, queued};
    handled = handled + (std::ranges::find(handled_signals, signal) != std::end(handled_signals));
}

void sleep_ms(unsigned milliseconds)
{
    timespec rest{0, milliseconds * 1'000'000L};
    while (nanosleep(&rest, &rest) != 0) {
    }
}

/// Two hooks of one event must see the same: no other thread runs between them.
void stay_on_one_cpu()
{
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) {
        return;
    }
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed)) {
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
    }
}

void handle_signals()
{
    struct sigaction action {};
    action.sa_handler = handle;
    for (const int signal : {SIGUSR1, SIGUSR2, SIGRTMIN + 1}) {
        sigaction(signal, &action, nullptr);
    }
}

/// Blocks `signal` while `body` runs.
template <typename Body>
void blocked(int signal, Body body)
{
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &old);
    body();
    sigprocmask(SIG_SETMASK, &old, nullptr);
}

bool signals()
{
    for (unsigned i = 0; i < kCounts.to_handler; i++) {
        kill(getpid(), SIGUSR1);
    }
    blocked(SIGRTMIN + 1, [] {
        for (unsigned i = 0; i < kCounts.queued; i++) {
            sigqueue(getpid(), SIGRTMIN + 1, {.sival_int = static_cast<int>(i)});
        }
    });
    for (unsigned i = 0; i < kCounts.late; i++) {
        blocked(SIGUSR2, [] {
            kill(getpid(), SIGUSR2);
            sleep_ms(kLateMs);
        });
    }
    return handled == static_cast<int>(kCounts.to_handler + kCounts.queued + kCounts.late);
}

bool passes()
{
    int ends[2];
    char bytes[100] = {};
    bool ok = pipe(ends) == 0;
    for (unsigned i = 0; i < kCounts.passed; i++) {
        ok &= write(ends[1], bytes, sizeof bytes) == sizeof bytes;
        ok &= read(ends[0], bytes, sizeof bytes) == sizeof bytes;
    }
    close(ends[0]);
    close(ends[1]);
    return ok;
}

bool notifies()
{
    const int fd = eventfd(0, 0);
    eventfd_t value = 0;
    bool ok = fd >= 0;
    for (unsigned i = 0; i < kCounts.notified; i++) {
        ok &= eventfd_write(fd, 1) == 0 && eventfd_read(fd, &value) == 0 && value == 1;
    }
    close(fd);
    return ok;
}

bool sends()
{
    int ends[2];
    char bytes[100] = {};
    bool ok = true;
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        ok &= socketpair(AF_UNIX, type, 0, ends) == 0;
        for (unsigned i = 0; ok && i < kCounts.sent; i++) {
            ok &= send(ends[0], bytes, sizeof bytes, 0) == sizeof bytes;
            ok &= recv(ends[1], bytes, sizeof bytes, 0) == sizeof bytes;
        }
        close(ends[0]);
        close(ends[1]);
    }
    return ok;
}

/// A child waits in read() for each byte.
bool waits()
{
    int ends[2];
    char byte = 'x';
    bool ok = pipe(ends) == 0;
    const pid_t reader = fork();
    if (reader == 0) {
        for (unsigned i = 0; i < kCounts.waited; i++) {
            if (read(ends[0], &byte, 1) != 1) {
                _exit(1);
            }
        }
        _exit(0);
    }
    for (unsigned i = 0; i < kCounts.waited; i++) {
        sleep_ms(kLateMs);
        ok &= write(ends[1], &byte, 1) == 1;
    }
    int status = 1;
    ok &= waitpid(reader, &status, 0) == reader && status == 0;
    close(ends[0]);
    close(ends[1]);
    return ok;
}

/// The best of some rounds of `count` calls: what disturbs only adds.
template <typename Body>
double best_ns(unsigned count, Body body)
{
    double best = std::numeric_limits<double>::max();
    for (int round = 0; round < 9; round++) {
        const std::uint64_t begin = monotonic_ns();
        for (unsigned i = 0; i < count; i++) {
            body();
        }
        best = std::min(best, static_cast<double>(monotonic_ns() - begin) / count);
    }
    return best;
}

}  // namespace

bool run_workload()
{
    stay_on_one_cpu();
    handle_signals();
    return signals() && passes() && notifies() && sends() && waits();
}

Cost measure_cost()
{
    stay_on_one_cpu();
    handle_signals();
    int ends[2];
    char byte = 'x';
    if (pipe(ends) != 0) {
        return {};
    }
    const pid_t self = getpid();
    return {best_ns(300, [&] { kill(self, SIGUSR1); }), best_ns(300, [&] {
                if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) {
                    _exit(1);
                }
            })};
}

}  // namespace ipcscope::selftest
