// SPDX-License-Identifier: GPL-2.0-only
// Signals between tasks, by every system call that sends one.
#include <ctime>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

void by_kill()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "by-kill", [] {
        handle(SIGUSR1, SA_RESTART | SA_NODEFER);
    });
    fact("user", {u(target), u(target), 13});
    one_by_one(shared, target, 13, [&](unsigned) { MUST(kill(target, SIGUSR1) == 0); });
    kill_and_reap(target);
}

void* thread_body(void* page)
{
    auto* shared = static_cast<Shared*>(page);
    name_thread("second thread");
    shared->tid = static_cast<std::uint32_t>(gettid_());
    while (true) {
        pause();
    }
}

void to_a_thread()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "by-tgkill", [shared] {
        handle(SIGUSR2, SA_SIGINFO);
        // Long enough for a record of its own: beside a record of another thread the
        // process has the name that its leader was last recorded by.
        sleep_ms(20);
        pthread_t thread;
        MUST(pthread_create(&thread, nullptr, thread_body, shared) == 0);
        wait_until(shared->tid, 1);
    });
    const auto tid = static_cast<pid_t>(shared->tid.load());
    fact("tkill", {u(target), u(tid), 11});
    one_by_one(shared, tid, 11, [&](unsigned) { tgkill_(target, tid, SIGUSR2); });

    fact("tqueue", {u(target), u(tid), 3});
    one_by_one(shared, tid, 3, [&](unsigned i) {
        siginfo_t info{};
        info.si_signo = SIGUSR2;
        info.si_code = SI_QUEUE;
        info.si_pid = getpid();
        info.si_value.sival_ptr = reinterpret_cast<void*>(0x700000000ull + i);
        MUST(syscall(SYS_rt_tgsigqueueinfo, target, tid, SIGUSR2, &info) == 0);
    });
    kill_and_reap(target);
}

void by_sigqueue()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "by-sigqueue", [] {
        handle(kRtMin + 4, SA_SIGINFO | SA_RESTART);
    });
    fact("queue", {u(target), u(target), 17});
    one_by_one(shared, target, 17, [&](unsigned i) {
        queue_value(target, kRtMin + 4, 0xffff'0000'0000'0000ull + i);
    });
    kill_and_reap(target);
}

/// Every number once, to a target that blocks all and takes each by sigwait.
void every_number()
{
    Shared* shared = share();
    const pid_t target = child("every-number", [shared] {
        block_all_signals(true);
        shared->ready++;
        std::uint64_t wanted = ~0ull;
        for (std::uint32_t step = 1; ; step++) {
            sleep_until(shared->step, step);
            siginfo_t info{};
            const timespec now{0, 0};
            const long signal = syscall(SYS_rt_sigtimedwait, &wanted, &info, &now,
                                        sizeof wanted);
            MUST(signal > 0 && signal == info.si_signo);
            announce(shared->done, step);
        }
        return 0;
    });
    wait_until(shared->ready, 1);
    fact("every", {u(target), u(target), 62});
    std::uint32_t step = 0;
    for (int signal = 1; signal <= 64; signal++) {
        if (signal == SIGKILL || signal == SIGSTOP) {
            continue;
        }
        wait_state(target, 'S');
        MUST(kill(target, signal) == 0);
        announce(shared->step, ++step);
        wait_until(shared->done, step);
    }
    kill_and_reap(target);
}

}  // namespace

void send_plain(pid_t)
{
    by_kill();
    to_a_thread();
    by_sigqueue();
    every_number();
}

}  // namespace ipcscope::workload
