// SPDX-License-Identifier: GPL-2.0-only
// stat_events: prime numbers of signals of each fate, and of calls of each outcome.
#include <csignal>
#include <cstdlib>
#include <ctime>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "signal_actors.hpp"
#include "workload.hpp"

namespace ipcscope::workload {
namespace {

void change_mask(int how, int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    MUST(sigprocmask(how, &set, nullptr) == 0);
}

void take_blocked(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    int taken = 0;
    MUST(sigwait(&set, &taken) == 0 && taken == signal);
}

void ignore_nothing(int) {}

/// Taken by handlers: to the process, to the thread; 23 of which 16 are kept.
void taken_signals()
{
    struct sigaction action {};
    action.sa_handler = ignore_nothing;
    for (const int signal : {SIGUSR1, SIGUSR2, SIGRTMIN}) {
        MUST(sigaction(signal, &action, nullptr) == 0);
    }
    for (int i = 0; i < 101; ++i) {
        MUST(kill(getpid(), SIGUSR1) == 0);
    }
    for (int i = 0; i < 13; ++i) {
        tgkill_(getpid(), gettid_(), SIGUSR2);
    }
    change_mask(SIG_BLOCK, SIGRTMIN);
    for (int i = 0; i < 23; ++i) {
        queue_value(getpid(), SIGRTMIN, static_cast<std::uint64_t>(i));
    }
    change_mask(SIG_UNBLOCK, SIGRTMIN);
    change_mask(SIG_BLOCK, SIGRTMIN + 1);
    for (int i = 0; i < 11; ++i) {
        queue_value(getpid(), SIGRTMIN + 1, 0);
    }
    for (int i = 0; i < 11; ++i) {
        take_blocked(SIGRTMIN + 1);
    }
}

/// 5 of a POSIX timer, each taken before the next.
void timers()
{
    change_mask(SIG_BLOCK, SIGALRM);
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGALRM;
    timer_t timer;
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    for (int i = 0; i < 5; ++i) {
        const itimerspec soon{{0, 0}, {0, 1'000'000}};
        MUST(timer_settime(timer, 0, &soon, nullptr) == 0);
        take_blocked(SIGALRM);
    }
    MUST(timer_delete(timer) == 0);
}

/// Of each 3 stops a SIGCONT ends, 2 that sigaction() discards; 1 taken, 4 refused.
void flushed_signals()
{
    change_mask(SIG_BLOCK, SIGTSTP);
    for (int i = 0; i < 3; ++i) {
        MUST(kill(getpid(), SIGTSTP) == 0);
        MUST(kill(getpid(), SIGCONT) == 0);
    }
    change_mask(SIG_BLOCK, SIGURG);
    for (int i = 0; i < 2; ++i) {
        std::signal(SIGURG, ignore_nothing);
        MUST(kill(getpid(), SIGURG) == 0);
        std::signal(SIGURG, SIG_IGN);
    }
    change_mask(SIG_BLOCK, SIGHUP);
    for (int i = 0; i < 5; ++i) {
        MUST(kill(getpid(), SIGHUP) == 0);
    }
    take_blocked(SIGHUP);
}

int block_and_sleep(Shared* shared, std::uint32_t number)
{
    change_mask(SIG_BLOCK, SIGRTMIN + 2);
    announce(shared->ready, number);
    for (;;) {
        pause();
    }
}

/// 7 children that SIGTERM ends, with 3 pending of each; one that lives on with 5.
void ended_targets()
{
    Shared* shared = share();
    for (std::uint32_t i = 1; i <= 7; ++i) {
        const pid_t pid = child("ends", [&] { return block_and_sleep(shared, i); });
        wait_until(shared->ready, i);
        for (int sent = 0; sent < 3; ++sent) {
            queue_value(pid, SIGRTMIN + 2, 0);
        }
        MUST(kill(pid, SIGTERM) == 0);
        reap(pid);
    }
    const pid_t stays = child("stays", [&] { return block_and_sleep(shared, 8); });
    wait_until(shared->ready, 8);
    for (int sent = 0; sent < 5; ++sent) {
        queue_value(stays, SIGRTMIN + 2, 0);
    }
    fact("stays", {static_cast<std::uint64_t>(stays)});
}

/// 211 writes and reads of 64 bytes, 17 reads of nothing, 1 end; 3 without a reader.
void pipe_calls()
{
    char bytes[64] = {};
    int ends[2], broken[2];
    MUST(pipe2(ends, O_NONBLOCK) == 0 && pipe(broken) == 0);
    for (int i = 0; i < 211; ++i) {
        MUST(write(ends[1], bytes, sizeof bytes) == 64 && read(ends[0], bytes, sizeof bytes) == 64);
    }
    for (int i = 0; i < 17; ++i) {
        MUST(read(ends[0], bytes, sizeof bytes) < 0);
    }
    close(ends[1]);
    MUST(read(ends[0], bytes, sizeof bytes) == 0);
    std::signal(SIGPIPE, SIG_IGN);
    close(broken[0]);
    for (int i = 0; i < 3; ++i) {
        MUST(write(broken[1], bytes, 1) < 0);
    }
    const int event = eventfd(0, 0);
    std::uint64_t number = 1;
    for (int i = 0; i < 19; ++i) {
        MUST(write(event, &number, sizeof number) == 8 && read(event, &number, sizeof number) == 8);
    }
}

/// 29 sends and receives of 64 bytes, 7 peeks before, 11 receives of nothing; 2 to an end
/// that is closed.
void socket_calls()
{
    char bytes[64] = {};
    int ends[2];
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    for (int i = 0; i < 29; ++i) {
        MUST(send(ends[0], bytes, sizeof bytes, 0) == 64);
        if (i < 7) {
            MUST(recv(ends[1], bytes, sizeof bytes, MSG_PEEK) == 64);
        }
        MUST(recv(ends[1], bytes, sizeof bytes, 0) == 64);
    }
    for (int i = 0; i < 11; ++i) {
        MUST(recv(ends[1], bytes, sizeof bytes, MSG_DONTWAIT) < 0);
    }
    close(ends[1]);
    for (int i = 0; i < 2; ++i) {
        MUST(send(ends[0], bytes, sizeof bytes, MSG_NOSIGNAL) < 0);
    }
}

}  // namespace

int stat_events(const Arguments&)
{
    name_thread("stat_events");
    taken_signals();
    timers();
    flushed_signals();
    ended_targets();
    pipe_calls();
    socket_calls();
    sleep_ms(200);   // what has been reaped is freed after a grace period
    return 0;
}

/// stat_objects NUMBER: writes one byte into each of so many pipes.
int stat_objects(const Arguments& arguments)
{
    for (int i = std::stoi(arguments.at(0)); i > 0; --i) {
        int ends[2];
        MUST(pipe(ends) == 0 && write(ends[1], "", 1) == 1);
    }
    return 0;
}

/// stat_storm COUNT: 5 processes send each other so many real-time signals, and standard
/// ones, as fast as they can.
int stat_storm(const Arguments& arguments)
{
    constexpr std::uint32_t kProcesses = 5;
    const auto count = static_cast<unsigned>(std::stoul(arguments.at(0)));
    Shared* shared = share();
    for (std::uint32_t i = 0; i < kProcesses; ++i) {
        shared->count[i] = static_cast<std::uint64_t>(child("storm", [shared, i, count] {
            std::signal(SIGRTMIN + 3, ignore_nothing);
            std::signal(SIGUSR1, ignore_nothing);
            std::uint64_t sent = 0;
            ++shared->ready;
            wait_until(shared->step, 1);
            for (unsigned n = 0; n < count; ++n) {
                const auto target = static_cast<pid_t>(shared->count[(i + 1 + n) % kProcesses]);
                const sigval value{};
                sent += sigqueue(target, SIGRTMIN + 3, value) == 0;
                MUST(kill(target, SIGUSR1) == 0);
            }
            fact("sent", {sent, count});
            ++shared->handled;
            wait_until(shared->handled, kProcesses);  // a target that is there takes all
            return 0;
        }));
    }
    wait_until(shared->ready, kProcesses);
    announce(shared->step, 1);
    for (std::uint32_t i = 0; i < kProcesses; ++i) {
        MUST(reap(static_cast<pid_t>(shared->count[i])) == 0);
    }
    sleep_ms(200);
    return 0;
}

}  // namespace ipcscope::workload
