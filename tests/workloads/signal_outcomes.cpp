// SPDX-License-Identifier: GPL-2.0-only
// Signals that are not simply delivered, and targets that do not sleep.
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

void ignored()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "ignores", [] { std::signal(SIGUSR2, SIG_IGN); });
    fact("ignored", {u(target), u(target), 19});
    for (int i = 0; i < 19; i++) {
        MUST(kill(target, SIGUSR2) == 0);
    }
    kill_and_reap(target);
}

void coalesced()
{
    Shared* shared = share();
    const pid_t target = child("coalesces", [shared] {
        count_in(shared);
        handle(SIGUSR1, 0);
        block_all_signals(true);
        shared->ready++;
        sleep_until(shared->step, 1);
        block_all_signals(false);
        MUST(shared->handled == 1);
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(target, 'S');
    fact("coalesce", {u(target), u(target), 23});
    for (int i = 0; i < 23; i++) {
        MUST(kill(target, SIGUSR1) == 0);
    }
    announce(shared->step, 1);
    MUST(reap(target) == 0);
}

/// A user of its own: the limit counts what is pending of one user.
void beyond_the_limit()
{
    Shared* shared = share();
    const pid_t target = child("at-the-limit", [shared] {
        block_all_signals(true);
        const rlimit five{5, 5};
        MUST(setrlimit(RLIMIT_SIGPENDING, &five) == 0 && setuid(54321) == 0);
        shared->ready++;
        sleep_until(shared->step, 1);
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(target, 'S');
    fact("limit", {u(target), u(target)});
    for (std::uint64_t i = 0; i < 7; i++) {
        queue_value(target, kRtMin + 5, i, i < 5);
    }
    for (int i = 0; i < 3; i++) {
        MUST(kill(target, kRtMin + 6) == 0);
    }
    for (int i = 0; i < 2; i++) {
        queue_value(target, SIGUSR1, 77);
    }
    kill_and_reap(target);
}

void stopped()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "stops", [] { handle(SIGUSR1, 0); });
    fact("stopped", {u(target), u(target), 5});
    MUST(kill(target, SIGSTOP) == 0);
    wait_state(target, 'T');
    for (int i = 0; i < 5; i++) {
        MUST(kill(target, SIGUSR1) == 0);
    }
    MUST(kill(target, SIGCONT) == 0);
    wait_until(shared->handled, 1);
    kill_and_reap(target);
}

void spinning()
{
    Shared* shared = share();
    const pid_t target = child("spins", [shared] {
        count_in(shared);
        handle(kRtMin + 7, 0);
        pin_to_cpu(1);
        while (shared->handled < 7) {
            shared->ready = 1 + shared->handled;   // outside of its handler
        }
        sleep_until(shared->step, 1);
        return 0;
    });
    fact("spinning", {u(target), u(target), 7});
    for (unsigned i = 0; i < 7; i++) {
        wait_until(shared->ready, 1 + i);
        MUST(kill(target, kRtMin + 7) == 0);
    }
    wait_until(shared->handled, 7);
    announce(shared->step, 1);
    MUST(reap(target) == 0);
}

void traced()
{
    Shared* shared = share();
    const pid_t target = sleeper(shared, "is-traced", [] { handle(SIGUSR1, 0); });
    fact("traced", {u(target), u(target), 1});
    MUST(ptrace(PTRACE_SEIZE, target, nullptr, nullptr) == 0);
    MUST(ptrace(PTRACE_INTERRUPT, target, nullptr, nullptr) == 0);
    int status = 0;
    MUST(waitpid(target, &status, 0) == target && WIFSTOPPED(status));
    wait_state(target, 't');
    MUST(kill(target, SIGUSR1) == 0);
    MUST(ptrace(PTRACE_DETACH, target, nullptr, nullptr) == 0);
    wait_until(shared->handled, 1);
    kill_and_reap(target);
}

void to_a_zombie()
{
    const pid_t target = child("is-dead", [] { return 0; });
    wait_state(target, 'Z');
    fact("zombie", {u(target), u(target), 3});
    for (int i = 0; i < 3; i++) {
        MUST(kill(target, SIGUSR1) == 0);
    }
    reap(target);
}

/// PID 1 of a pid namespace, and what its own children send to it.
void namespace_init()
{
    Shared* shared = share();
    MUST(unshare(CLONE_NEWPID) == 0);   // of children, not of ourselves
    const pid_t target = child("ns-init", [shared] {
        count_in(shared);
        handle(SIGUSR1, 0);
        shared->ready++;
        sleep_until(shared->step, 1);
        const pid_t inner = child("ns-child", [] {
            sleep_ms(100);   // until init waits for us
            for (int i = 0; i < 3; i++) {
                MUST(kill(1, SIGUSR2) == 0);   // no handler: ignored
            }
            MUST(kill(1, SIGUSR1) == 0);
            return 0;
        });
        MUST(inner == 2);
        reap(inner);
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, 1);
    wait_state(target, 'S');
    fact("init", {u(target), u(target), 17});
    for (int i = 0; i < 17; i++) {
        MUST(kill(target, SIGTERM) == 0);
    }
    announce(shared->step, 1);
    wait_until(shared->ready, 2);
    wait_state(target, 'S');
    kill_and_reap(target);
}

}  // namespace

void send_by_outcome()
{
    ignored();
    coalesced();
    beyond_the_limit();
    stopped();
    spinning();
    traced();
    to_a_zombie();
    // In a child: a process whose children's namespace is dead cannot fork.
    const pid_t other = child("ns-director", [] {
        fact("ns_director", {u(getpid())});
        namespace_init();
        return 0;
    });
    MUST(reap(other) == 0);
}

}  // namespace ipcscope::workload
