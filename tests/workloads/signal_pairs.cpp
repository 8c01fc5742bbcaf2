// SPDX-License-Identifier: GPL-2.0-only
// Signals of which each is to be paired with its end.
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

/// Queues `count` real-time signals while `take` waits for its start.
void queued(const char* name, int signal, unsigned count,
            const std::function<void(Shared*)>& take)
{
    Shared* shared = share();
    const pid_t target = child(name, [&] {
        count_in(shared);
        block_all_signals(true);
        shared->ready++;
        sleep_until(shared->step, 1);
        take(shared);
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(target, 'S');
    fact(name, {u(target), u(target), count});
    for (unsigned i = 0; i < count; i++) {
        queue_value(target, signal, 1000 + i);
    }
    announce(shared->step, 1);
    MUST(reap(target) == 0);
}

/// SIGQUIT to a process that sleeps in sigtimedwait() for it.
void sent_to_sleeper()
{
    Shared* shared = share();
    const pid_t target = child("in-sigwait", [&] {
        block_all_signals(true);
        shared->ready++;
        const std::uint64_t wanted = 1ull << (SIGQUIT - 1);
        MUST(syscall(SYS_rt_sigtimedwait, &wanted, nullptr, nullptr, sizeof wanted) == SIGQUIT);
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(target, 'S');
    fact("in-sigwait", {u(target)});
    kill(target, SIGQUIT);
    MUST(reap(target) == 0);
}

}  // namespace

int signal_pairs(const Arguments&)
{
    name_thread("director");
    fact("director", {u(getpid())});
    queued("rt-handler", kRtMin + 2, 97, [](Shared* shared) {
        handle(kRtMin + 2, SA_SIGINFO);
        block_all_signals(false);
        wait_until(shared->handled, 97);
    });
    queued("rt-sigwait", kRtMin + 3, 11, [](Shared*) {
        const std::uint64_t wanted = 1ull << (kRtMin + 3 - 1);
        for (std::uint64_t i = 0; i < 11; i++) {
            siginfo_t info{};
            MUST(syscall(SYS_rt_sigtimedwait, &wanted, &info, nullptr, sizeof wanted) ==
                 kRtMin + 3);
            MUST(reinterpret_cast<std::uintptr_t>(info.si_value.sival_ptr) == 1000 + i);
        }
    });
    queued("rt-signalfd", kRtMin + 4, 7, [](Shared*) {
        sigset_t wanted;
        sigemptyset(&wanted);
        sigaddset(&wanted, kRtMin + 4);
        const int fd = signalfd(-1, &wanted, SFD_CLOEXEC);
        for (std::uint64_t i = 0; i < 7; i++) {
            signalfd_siginfo info{};
            MUST(read(fd, &info, sizeof info) == sizeof info && info.ssi_ptr == 1000 + i);
        }
    });
    // Still pending when their target ends, and when the trace ends.
    queued("rt-never", kRtMin + 5, 5, [](Shared*) {});
    sent_to_sleeper();
    return 0;
}

}  // namespace ipcscope::workload
