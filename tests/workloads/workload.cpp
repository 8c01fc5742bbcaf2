// SPDX-License-Identifier: GPL-2.0-only
#include "workload.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace ipcscope::workload {

void fact(std::string_view name, std::initializer_list<std::uint64_t> numbers)
{
    const char* path = std::getenv("IPCSCOPE_FACTS");
    if (!path) {
        return;
    }
    std::string line(name);
    for (std::uint64_t number : numbers) {
        line += ' ' + std::to_string(number);
    }
    line += '\n';
    // One write to a regular file: whole lines, whichever process appends.
    const int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    must(fd >= 0 && write(fd, line.data(), line.size()) ==
                        static_cast<ssize_t>(line.size()), "write a fact");
    close(fd);
}

void give_up(const std::string& why)
{
    std::fprintf(stderr, "workload: %s\n", why.c_str());
    _exit(125);
}

void must(bool what, const char* text)
{
    if (!what) {
        give_up(std::string(text) + ": " + std::strerror(errno));
    }
}

Shared* share()
{
    void* page = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(page != MAP_FAILED, "mmap");
    return new (page) Shared{};
}

void wait_until(const std::atomic<std::uint32_t>& word, std::uint32_t at_least)
{
    for (unsigned tries = 0; word.load() < at_least; tries++) {
        if (tries > 60'000) {
            give_up("an actor did not get ready");
        }
        sleep_ms(1);
    }
}

void announce(std::atomic<std::uint32_t>& word, std::uint32_t value)
{
    word = value;
    syscall(SYS_futex, &word, FUTEX_WAKE, 1 << 20, nullptr, nullptr, 0);
}

void sleep_until(std::atomic<std::uint32_t>& word, std::uint32_t at_least)
{
    while (true) {
        const std::uint32_t now = word.load();
        if (now >= at_least) {
            return;
        }
        syscall(SYS_futex, &word, FUTEX_WAIT, now, nullptr, nullptr, 0);
    }
}

void sleep_ms(unsigned milliseconds)
{
    timespec rest{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, &rest) == EINTR) {
    }
}

std::uint64_t now_ns()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u +
           static_cast<std::uint64_t>(now.tv_nsec);
}

pid_t gettid_()
{
    return static_cast<pid_t>(syscall(SYS_gettid));
}

pid_t child(const char* comm, const std::function<int()>& body)
{
    const pid_t pid = fork();
    MUST(pid >= 0);
    if (pid == 0) {
        name_thread(comm);
        _exit(body());
    }
    return pid;
}

char state_of(pid_t tid)
{
    char text[512] = {};
    // /proc/TID also knows threads that the directory does not list.
    const int fd = open(("/proc/" + std::to_string(tid) + "/stat").c_str(),
                        O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    const ssize_t size = read(fd, text, sizeof text - 1);
    close(fd);
    const char* close_paren = size > 0 ? std::strrchr(text, ')') : nullptr;
    return close_paren && close_paren[1] == ' ' ? close_paren[2] : '\0';
}

void wait_state(pid_t tid, char letter)
{
    // A task sets its state before it leaves the CPU: look again a little later.
    for (unsigned tries = 0, seen = 0; seen < 2; tries++) {
        seen = state_of(tid) == letter ? seen + 1 : 0;
        if (tries > 10'000) {
            give_up("task " + std::to_string(tid) + " is not in state " + letter +
                    " but " + state_of(tid));
        }
        sleep_ms(seen > 0 ? 10 : 1);
    }
}

int reap(pid_t pid)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0) {
        must(errno == EINTR, "waitpid");
    }
    return status;
}

void pin_to_cpu(int cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), &set);
    MUST(sched_setaffinity(0, sizeof set, &set) == 0);
}

void name_thread(const char* comm)
{
    prctl(PR_SET_NAME, comm);
}

}  // namespace ipcscope::workload
