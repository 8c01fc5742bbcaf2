// SPDX-License-Identifier: GPL-2.0-only
// Each way in which a signal is taken, but for those that the other workloads have.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

constexpr int kSigwinch = 28;

/// A child that blocks all signals; `prepare` runs first, `then` after step 1.
pid_t blocker(Shared* shared, const char* comm, const std::function<void()>& prepare,
              const std::function<void()>& then)
{
    const pid_t pid = child(comm, [&] {
        count_in(shared);
        block_all_signals(true);
        prepare();
        shared->ready++;
        sleep_until(shared->step, 1);
        then();
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(pid, 'S');
    return pid;
}

/// Blocked and ignored: queued, and thrown away as it is taken.
void ignored_as_taken()
{
    Shared* shared = share();
    const pid_t target = blocker(
        shared, "ignores-late", [] { std::signal(SIGUSR2, SIG_IGN); },
        [] { block_all_signals(false); });
    fact("ignores_late", {u(target), u(target)});
    MUST(kill(target, SIGUSR2) == 0 && kill(target, kSigwinch) == 0);
    announce(shared->step, 1);
    MUST(reap(target) == 0);
}

/// sigaction() sets pending signals to be ignored: they are gone.
void discarded()
{
    Shared* shared = share();
    const pid_t target = blocker(
        shared, "discards",
        [] {
            handle(SIGUSR1, 0);
            handle(kSigwinch, 0);
        },
        [] {
            std::signal(SIGUSR1, SIG_IGN);
            std::signal(kRtMin + 6, SIG_IGN);
            std::signal(kSigwinch, SIG_DFL);
            std::signal(SIGUSR2, SIG_IGN);   // is not pending
            block_all_signals(false);
        });
    fact("discards", {u(target), u(target)});
    MUST(kill(target, SIGUSR1) == 0 && kill(target, kSigwinch) == 0);
    for (std::uint64_t i = 0; i < 3; i++) {
        queue_value(target, kRtMin + 6, 500 + i);
    }
    announce(shared->step, 1);
    MUST(reap(target) == 0);
}

/// A timer whose signal stays pending while it expires again and again.
void timer_overrun()
{
    const pid_t target = child("overruns", [] {
        block_all_signals(true);
        sigevent event{};
        event.sigev_notify = SIGEV_SIGNAL;
        event.sigev_signo = kRtMin + 9;
        timer_t timer{};
        MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
        const itimerspec often{{0, 3'000'000}, {0, 3'000'000}};
        MUST(timer_settime(timer, 0, &often, nullptr) == 0);
        sleep_ms(100);
        const std::uint64_t wanted = 1ull << (kRtMin + 9 - 1);
        siginfo_t info{};
        MUST(syscall(SYS_rt_sigtimedwait, &wanted, &info, nullptr, sizeof wanted) ==
             kRtMin + 9);
        MUST(info.si_overrun > 0);
        fact("overruns", {u(getpid()), static_cast<std::uint64_t>(info.si_overrun)});
        timer_delete(timer);
        return 0;
    });
    MUST(reap(target) == 0);
}

// A debugger.

int stop_of(pid_t pid)
{
    int status = 0;
    MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    return WSTOPSIG(status);
}

void resume(pid_t pid, int signal)
{
    MUST(ptrace(PTRACE_CONT, pid, nullptr, reinterpret_cast<void*>(
                                               static_cast<std::intptr_t>(signal))) == 0);
}

void set_mask(pid_t pid, std::uint64_t mask)
{
    MUST(ptrace(PTRACE_SETSIGMASK, pid, reinterpret_cast<void*>(sizeof mask), &mask) == 0);
}

/// Each signal stops the tracee; then it is passed on, dropped, replaced, or put back.
void debugged()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "debugged", [] {
        handle(SIGUSR1, 0);
        handle(SIGUSR2, 0);
        handle(kRtMin + 2, SA_SIGINFO);
    });
    fact("debugged", {u(target), u(target)});
    MUST(ptrace(PTRACE_SEIZE, target, nullptr, nullptr) == 0);

    // Passed on, after a known time.
    MUST(kill(target, SIGUSR1) == 0 && stop_of(target) == SIGUSR1);
    const std::uint64_t stopped = now_ns();
    sleep_ms(60);
    fact("debugger_held", {now_ns() - stopped});
    resume(target, SIGUSR1);
    wait_until(shared->handled, 1);
    wait_state(target, 'S');

    // Dropped.
    MUST(kill(target, SIGUSR1) == 0 && stop_of(target) == SIGUSR1);
    resume(target, 0);
    wait_state(target, 'S');

    // Replaced by another.
    MUST(kill(target, SIGUSR1) == 0 && stop_of(target) == SIGUSR1);
    resume(target, SIGUSR2);
    wait_until(shared->handled, 2);
    wait_state(target, 'S');

    // Blocked meanwhile: the kernel puts it back.
    queue_value(target, kRtMin + 2, 4711);
    MUST(stop_of(target) == kRtMin + 2);
    set_mask(target, 1ull << (kRtMin + 2 - 1));
    resume(target, kRtMin + 2);
    wait_state(target, 'S');
    MUST(shared->handled == 2);
    MUST(ptrace(PTRACE_INTERRUPT, target, nullptr, nullptr) == 0);
    stop_of(target);
    set_mask(target, 0);
    resume(target, 0);
    MUST(stop_of(target) == kRtMin + 2);
    resume(target, kRtMin + 2);
    wait_until(shared->handled, 3);

    wait_state(target, 'S');
    MUST(ptrace(PTRACE_INTERRUPT, target, nullptr, nullptr) == 0);
    stop_of(target);
    MUST(ptrace(PTRACE_DETACH, target, nullptr, nullptr) == 0);
    kill_and_reap(target);
}

// Ends of processes that no signal was generated for.

void* asleep(void* page)
{
    static_cast<Shared*>(page)->ready++;
    while (true) {
        pause();
    }
}

struct Last {
    Shared* shared;
    std::function<void()> act;
};

void* acts(void* at)
{
    auto* last = static_cast<Last*>(at);
    last->shared->tid = static_cast<std::uint32_t>(gettid_());
    last->shared->ready++;
    sleep_until(last->shared->step, 1);
    last->act();
    return nullptr;
}

/// A process of three threads; the third, which is not the leader, does `act`.
int by_third_thread(const char* name, const std::function<void()>& act)
{
    Shared* shared = share();
    const pid_t target = child(name, [&] {
        pthread_t second, third;
        Last last{shared, act};
        MUST(pthread_create(&second, nullptr, asleep, shared) == 0);
        MUST(pthread_create(&third, nullptr, acts, &last) == 0);
        wait_until(shared->ready, 2);
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, 3);
    wait_state(target, 'S');
    wait_state(static_cast<pid_t>(shared->tid.load()), 'S');
    fact(name, {u(target), shared->tid});
    announce(shared->step, 1);
    return reap(target);
}

void exec_self()
{
    char self[4096] = {};
    MUST(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
    char flag[] = "--workload", workload[] = "exit_with", status[] = "5";
    char* arguments[] = {self, flag, workload, status, nullptr};
    execv(self, arguments);
    give_up("exec");
}

void fault()
{
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    auto* page = static_cast<volatile char*>(
        mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    *page = 1;
}

}  // namespace

int signal_takings(const Arguments&)
{
    name_thread("director");
    fact("director", {u(getpid())});
    ignored_as_taken();
    discarded();
    timer_overrun();
    debugged();
    MUST(WEXITSTATUS(by_third_thread("exit-group", [] { _exit(7); })) == 7);
    MUST(WEXITSTATUS(by_third_thread("thread-execs", exec_self)) == 5);
    MUST(WTERMSIG(by_third_thread("core-dump", fault)) == SIGSEGV);
    sleep_ms(500);   // tasks are freed after an RCU grace period
    return 0;
}

}  // namespace ipcscope::workload
