// SPDX-License-Identifier: GPL-2.0-only
#include "signal_actors.hpp"

#include <cerrno>

#include <sys/syscall.h>
#include <unistd.h>

namespace ipcscope::workload {
namespace {

Shared* handlers_page = nullptr;   // what a handler can reach

void on_signal(int)
{
    handlers_page->handled++;
}

}  // namespace

void block_all_signals(bool block)
{
    const std::uint64_t all = ~0ull;
    MUST(syscall(SYS_rt_sigprocmask, block ? SIG_BLOCK : SIG_UNBLOCK, &all, nullptr,
                 sizeof all) == 0);
}

void count_in(Shared* shared)
{
    handlers_page = shared;
}

void handle(int signal, int flags)
{
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = flags;
    MUST(sigaction(signal, &action, nullptr) == 0);
}

pid_t sleeper(Shared* shared, const char* comm, const std::function<void()>& prepare)
{
    const std::uint32_t before = shared->ready;
    const pid_t pid = child(comm, [&] {
        count_in(shared);
        prepare();
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, before + 1);
    wait_state(pid, 'S');
    return pid;
}

void one_by_one(Shared* shared, pid_t target_tid, unsigned count,
                const std::function<void(unsigned)>& send)
{
    const std::uint32_t before = shared->handled;
    for (unsigned i = 0; i < count; i++) {
        wait_state(target_tid, 'S');
        send(i);
        wait_until(shared->handled, before + i + 1);
    }
    wait_state(target_tid, 'S');
}

void queue_value(pid_t pid, int signal, std::uint64_t value, bool must_work)
{
    sigval sent{};
    sent.sival_ptr = reinterpret_cast<void*>(value);
    const int result = sigqueue(pid, signal, sent);
    if (must_work) {
        MUST(result == 0);
    } else {
        MUST(result == -1 && errno == EAGAIN);
    }
}

void tgkill_(pid_t tgid, pid_t tid, int signal)
{
    MUST(syscall(SYS_tgkill, tgid, tid, signal) == 0);
}

void kill_and_reap(pid_t pid)
{
    MUST(kill(pid, SIGKILL) == 0);
    reap(pid);
}

/// Every field of every kind of signal record.
int signal_fields(const Arguments&)
{
    name_thread("director");
    const auto director = getpid();
    fact("director", {static_cast<std::uint64_t>(director)});
    send_plain(director);
    send_by_outcome();
    send_from_kernel();
    send_fatal();
    // Tasks are freed after an RCU grace period.
    sleep_ms(500);
    return 0;
}

}  // namespace ipcscope::workload
