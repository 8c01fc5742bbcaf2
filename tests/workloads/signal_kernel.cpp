// SPDX-License-Identifier: GPL-2.0-only
// Signals that no task sends: timers, faults, children.
#include <csetjmp>

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

void posix_timer()
{
    Shared* shared = share();
    const pid_t target = child("has-timer", [shared] {
        count_in(shared);
        handle(kRtMin + 8, 0);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = kRtMin + 8;
        event.sigev_value.sival_ptr = reinterpret_cast<void*>(0x1234'5678'9abcull);
        timer_t timer{};
        MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
        for (std::uint32_t i = 1; i <= 13; i++) {
            const itimerspec once{{0, 0}, {0, 3'000'000}};
            MUST(timer_settime(timer, 0, &once, nullptr) == 0);
            wait_until(shared->handled, i);
        }
        timer_delete(timer);
        return 0;
    });
    fact("timer", {u(target), u(target), 13});
    MUST(reap(target) == 0);
}

void alarm_clock()
{
    Shared* shared = share();
    const pid_t target = child("has-alarm", [shared] {
        count_in(shared);
        handle(SIGALRM, SA_RESTART);
        for (std::uint32_t i = 1; i <= 3; i++) {
            const itimerval once{{0, 0}, {0, 3'000}};
            MUST(setitimer(ITIMER_REAL, &once, nullptr) == 0);
            wait_until(shared->handled, i);
        }
        return 0;
    });
    fact("alarm", {u(target), u(target), 3});
    MUST(reap(target) == 0);
}

sigjmp_buf back;   // one faulting process

void on_fault(int)
{
    siglongjmp(back, 1);
}

void faults()
{
    Shared* shared = share();
    const pid_t target = child("faults", [shared] {
        auto* page = static_cast<volatile char*>(
            mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        struct sigaction action {};
        action.sa_handler = on_fault;
        MUST(sigaction(SIGSEGV, &action, nullptr) == 0);
        while (shared->handled < 5) {
            if (sigsetjmp(back, 1) == 0) {
                *page = 1;
            }
            shared->handled++;
        }
        return 0;
    });
    fact("fault", {u(target), u(target), 5});
    MUST(reap(target) == 0);
}

void fatal_fault()
{
    const pid_t target = child("dies-of-fault", [] {
        const rlimit none{0, 0};
        setrlimit(RLIMIT_CORE, &none);
        auto* page = static_cast<volatile char*>(
            mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        *page = 1;
        return 0;
    });
    fact("fatal_fault", {u(target), u(target), 1});
    MUST(WTERMSIG(reap(target)) == SIGSEGV);
}

void dying_children()
{
    // fork() blocks all signals until it returns, since glibc 2.41: SIGCHLD would
    // be kept pending, not ignored, where the child were faster than that.
    Shared* shared = share();
    for (std::uint32_t i = 0; i < 7; i++) {
        const pid_t pid = child("exits", [i, shared] {
            sleep_until(shared->step, i + 1);
            return static_cast<int>(i + 3);
        });
        announce(shared->step, i + 1);
        fact("exits", {u(pid), i + 3});
        MUST(WEXITSTATUS(reap(pid)) == static_cast<int>(i + 3));
    }
}

}  // namespace

void send_from_kernel()
{
    posix_timer();
    alarm_clock();
    faults();
    fatal_fault();
    dying_children();
}

}  // namespace ipcscope::workload
