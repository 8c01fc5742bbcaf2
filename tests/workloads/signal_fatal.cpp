// SPDX-License-Identifier: GPL-2.0-only
// Signals that end processes.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "signal_actors.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

void* asleep(void* page)
{
    static_cast<Shared*>(page)->ready++;
    while (true) {
        pause();
    }
}

/// `signal` to a process of three threads.
void to_three_threads(const char* name, int signal)
{
    Shared* shared = share();
    const pid_t target = child(name, [shared] {
        for (int i = 0; i < 2; i++) {
            pthread_t thread;
            MUST(pthread_create(&thread, nullptr, asleep, shared) == 0);
        }
        wait_until(shared->ready, 2);
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, 3);
    wait_state(target, 'S');
    fact(name, {u(target), u(target), 3});
    MUST(kill(target, signal) == 0);
    MUST(WTERMSIG(reap(target)) == signal);
}

}  // namespace

void send_fatal()
{
    to_three_threads("by-term", SIGTERM);
    to_three_threads("by-kill9", SIGKILL);
    const pid_t target = sleeper(share(), "one-by-kill9", [] {});
    fact("one-by-kill9", {u(target), u(target), 1});
    kill_and_reap(target);
}

}  // namespace ipcscope::workload
