// SPDX-License-Identifier: GPL-2.0-only
// Threads that are in each state for a known time: actors on CPU 1, their director
// on CPU 0.
//
// fact NAME: tid, begin and end of the stay as the actor measured it.
// fact NAME.scheduler: ns that it ran and that it waited for a CPU, in its whole
// life, by /proc/TID/schedstat.
#include <csignal>
#include <cstdio>

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

constexpr long kMs = 1'000'000;

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

std::string read_text(const std::string& path)
{
    char text[256] = {};
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const ssize_t size = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    close(fd);
    return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

void write_text(const std::string& path, const std::string& text)
{
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    MUST(fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    close(fd);
}

/// An actor: one stay, measured by itself.
pid_t actor(const char* name, const std::function<void()>& stay)
{
    return child(name, [&] {
        pin_to_cpu(1);
        const std::uint64_t begin = now_ns();
        stay();
        const std::uint64_t end = now_ns();
        fact(name, {u(getpid()), begin, end});
        return 0;
    });
}

/// Waits for its end, and asks the kernel's scheduler about its life.
void finish(const char* name, pid_t pid)
{
    // Asleep: looking at its state again and again would cut its time in pieces.
    siginfo_t ended{};
    MUST(waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) == 0);
    wait_state(pid, 'Z');
    unsigned long long ran = 0, waited = 0;
    const std::string text = read_text("/proc/" + std::to_string(pid) + "/schedstat");
    if (std::sscanf(text.c_str(), "%llu %llu", &ran, &waited) == 2 && ran > 0) {
        fact(std::string(name) + ".scheduler", {ran, waited});
    }
    MUST(reap(pid) == 0);
}

void alone(const char* name, const std::function<void()>& stay)
{
    finish(name, actor(name, stay));
}

void nanosleep_ms(long milliseconds)
{
    const timespec rest{0, milliseconds * kMs};
    MUST(syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &rest, nullptr) == 0);
}

void busy_until(std::uint64_t end)
{
    while (now_ns() < end) {
    }
}

void busy_ms(std::uint64_t milliseconds)
{
    busy_until(now_ns() + milliseconds * kMs);
}

void on_the_cpu()
{
    alone("running", [] { busy_ms(600); });

    Shared* shared = share();
    const auto competes = [shared] {
        pin_to_cpu(1);
        sleep_until(shared->step, 1);
        busy_ms(800);
    };
    const pid_t first = actor("busy-1", competes), second = actor("busy-2", competes);
    wait_state(first, 'S');
    wait_state(second, 'S');
    announce(shared->step, 1);
    finish("busy-1", first);
    finish("busy-2", second);
}

/// A real-time thread takes the CPU for 0.4 s: one long wait for it.
void behind_a_busy_cpu()
{
    Shared* shared = share();
    const pid_t starved = actor("starved", [shared] {
        shared->ready++;
        busy_ms(900);
    });
    wait_until(shared->ready, 1);
    sleep_ms(100);
    const pid_t hog = actor("real-time", [] {
        const sched_param first{10};
        MUST(sched_setscheduler(0, SCHED_FIFO, &first) == 0);
        const std::uint64_t begin = now_ns();
        busy_ms(400);
        fact("hogged", {begin, now_ns()});
    });
    finish("real-time", hog);
    finish("starved", starved);
}

void asleep()
{
    alone("nanosleep", [] { nanosleep_ms(500); });
    // Woken by the director.
    Shared* shared = share();
    const pid_t sleeper = actor("futex", [shared] { sleep_until(shared->step, 1); });
    wait_state(sleeper, 'S');
    sleep_ms(400);
    announce(shared->step, 1);
    finish("futex", sleeper);
}

void polls()
{
    alone("poll", [] { MUST(syscall(SYS_poll, nullptr, 0, 500) == 0); });
    alone("ppoll", [] {
        timespec rest{0, 300 * kMs};
        MUST(syscall(SYS_ppoll, nullptr, 0, &rest, nullptr, 8) == 0);
    });
    alone("select", [] {
        timeval rest{0, 300'000};
        MUST(syscall(SYS_select, 0, nullptr, nullptr, nullptr, &rest) == 0);
    });
    alone("pselect6", [] {
        timespec rest{0, 300 * kMs};
        MUST(syscall(SYS_pselect6, 0, nullptr, nullptr, nullptr, &rest, nullptr) == 0);
    });
    alone("epoll_wait", [] {
        epoll_event event{};
        const int fd = epoll_create1(EPOLL_CLOEXEC);
        MUST(syscall(SYS_epoll_wait, fd, &event, 1, 300) == 0);
    });
    alone("epoll_pwait", [] {
        epoll_event event{};
        const int fd = epoll_create1(EPOLL_CLOEXEC);
        MUST(syscall(SYS_epoll_pwait, fd, &event, 1, 300, nullptr, 8) == 0);
    });
    const int counter = eventfd(0, EFD_CLOEXEC);
    const pid_t waits = actor("poll-woken", [counter] {
        pollfd wanted{counter, POLLIN, 0};
        MUST(syscall(SYS_poll, &wanted, 1, -1) == 1);
    });
    wait_state(waits, 'S');
    sleep_ms(400);
    const std::uint64_t one = 1;
    MUST(write(counter, &one, sizeof one) == sizeof one);
    finish("poll-woken", waits);
    close(counter);
}

/// A writer to a frozen file system sleeps in D.
void uninterruptible(const std::string& directory)
{
    const int files = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const int fd = open((directory + "/timed").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    MUST(files >= 0 && fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0);
    MUST(ioctl(files, FIFREEZE, 0) == 0);
    const pid_t writer = actor("frozen-write", [fd] { MUST(write(fd, "x", 1) == 1); });
    wait_state(writer, 'D');
    const std::uint64_t since = now_ns();
    sleep_ms(500);
    fact("frozen-at-least", {now_ns() - since});
    MUST(ioctl(files, FITHAW, 0) == 0);
    finish("frozen-write", writer);
    close(fd);
    close(files);
}

/// A stay that the director begins and ends; `hold` returns when it began.
/// fact NAME.by: when it began and ended.
void held(const char* name, const std::function<std::uint64_t(pid_t)>& hold,
          const std::function<void(pid_t)>& release)
{
    Shared* shared = share();
    const pid_t target = actor(name, [shared] { sleep_until(shared->step, 1); });
    wait_state(target, 'S');
    const std::uint64_t begin = hold(target);
    sleep_ms(500);
    const std::uint64_t end = now_ns();
    release(target);
    fact(std::string(name) + ".by", {begin, end});
    wait_state(target, 'S');
    announce(shared->step, 1);
    finish(name, target);
}

void stopped()
{
    held("stopped",
         [](pid_t pid) {
             const std::uint64_t begin = now_ns();
             MUST(kill(pid, SIGSTOP) == 0);
             return begin;
         },
         [](pid_t pid) { MUST(kill(pid, SIGCONT) == 0); });
}

void traced()
{
    held("traced",
         [](pid_t pid) {
             int status = 0;
             MUST(ptrace(PTRACE_SEIZE, pid, nullptr, nullptr) == 0);
             const std::uint64_t begin = now_ns();
             MUST(ptrace(PTRACE_INTERRUPT, pid, nullptr, nullptr) == 0);
             MUST(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
             return begin;
         },
         [](pid_t pid) { MUST(ptrace(PTRACE_DETACH, pid, nullptr, nullptr) == 0); });
}

/// `cgroup`: of version 2, empty.
void frozen(const std::string& cgroup)
{
    held("frozen",
         [&](pid_t pid) {
             write_text(cgroup + "/cgroup.procs", std::to_string(pid));
             const std::uint64_t begin = now_ns();
             write_text(cgroup + "/cgroup.freeze", "1");
             for (int tries = 0;
                  read_text(cgroup + "/cgroup.events").find("frozen 1") == std::string::npos;
                  tries++) {
                 MUST(tries < 5000);
                 sleep_ms(1);
             }
             return begin;
         },
         [&](pid_t) { write_text(cgroup + "/cgroup.freeze", "0"); });
}

void killable()
{
    Shared* shared = share();
    alone("vfork", [shared] {
        const pid_t borrower = vfork();
        if (borrower == 0) {
            shared->tid = static_cast<std::uint32_t>(gettid_());
            nanosleep_ms(500);
            _exit(0);
        }
        MUST(borrower > 0 && reap(borrower) == 0);
    });
    fact("vfork.by", {shared->tid});
}

/// All of it between two calls on a pipe.
void between_calls()
{
    int ends[2];
    MUST(pipe2(ends, O_CLOEXEC) == 0);
    const int fd = ends[1];
    alone("between", [fd] {
        MUST(write(fd, "x", 1) == 1);
        std::uint64_t at[4] = {now_ns()};
        nanosleep_ms(300);
        at[1] = now_ns();
        MUST(syscall(SYS_poll, nullptr, 0, 300) == 0);
        at[2] = now_ns();
        busy_ms(300);
        at[3] = now_ns();
        MUST(write(fd, "x", 1) == 1);
        fact("between.parts", {at[1] - at[0], at[2] - at[1], at[3] - at[2]});
    });
    close(ends[0]);
    close(ends[1]);
}

}  // namespace

/// time_states DIRECTORY CGROUP: a file system that can be frozen, an empty cgroup.
int time_states(const Arguments& arguments)
{
    name_thread("director");
    pin_to_cpu(0);
    fact("director", {u(getpid())});
    on_the_cpu();
    behind_a_busy_cpu();
    asleep();
    polls();
    uninterruptible(arguments.at(0));
    stopped();
    traced();
    frozen(arguments.at(1));
    killable();
    between_calls();
    return 0;
}

/// asleep_before HOW: sleeps from before the trace until it is killed.
int asleep_before(const Arguments& arguments)
{
    const std::string& how = arguments.at(0);
    name_thread(how.c_str());
    fact(how, {u(getpid())});
    if (how == "in-poll") {
        syscall(SYS_poll, nullptr, 0, -1);
    } else if (how == "in-nanosleep") {
        sleep_ms(600'000);
    } else if (how == "in-read") {
        int ends[2];
        char byte;
        MUST(pipe(ends) == 0 && read(ends[0], &byte, 1) == 1);
    } else if (how == "is-stopped") {
        raise(SIGSTOP);
        sleep_ms(600'000);
    } else if (how == "runs") {
        pin_to_cpu(1);
        while (true) {
        }
    }
    return 0;
}

}  // namespace ipcscope::workload
