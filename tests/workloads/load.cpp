// SPDX-License-Identifier: GPL-2.0-only
// More events than the rings hold, and families of tasks for the filters.
#include <csignal>
#include <cstdlib>

#include <pthread.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {
namespace {

std::uint64_t u(pid_t pid) { return static_cast<std::uint64_t>(pid); }

class Pipe {
public:
    Pipe() { MUST(pipe(ends_) == 0); }
    ~Pipe() { close(ends_[0]); close(ends_[1]); }
    void round_trip() const
    {
        char byte = 1;
        MUST(write(ends_[1], &byte, 1) == 1 && read(ends_[0], &byte, 1) == 1);
    }

private:
    int ends_[2];
};

void round_trips(unsigned count)
{
    const Pipe pipe;
    for (unsigned i = 0; i < count; i++) {
        pipe.round_trip();
    }
}

void signal_self(int signal, unsigned count)
{
    std::signal(signal, SIG_IGN);
    for (unsigned i = 0; i < count; i++) {
        MUST(kill(getpid(), signal) == 0);
    }
}

void stop_collector()
{
    MUST(kill(getppid(), SIGSTOP) == 0);
    wait_state(getppid(), 'T');
}

/// Continues it and waits until it has emptied its rings; then an event on each
/// CPU, so that each says how many were lost before it.
void continue_collector(pid_t collector)
{
    MUST(kill(collector, SIGCONT) == 0);
    sleep_ms(1500);
    for (int cpu = 0; cpu < 2; cpu++) {
        pin_to_cpu(cpu);
        round_trips(5);
    }
}

void one_worker(Shared* shared, int cpu, std::uint64_t until_ns)
{
    pin_to_cpu(cpu);
    std::signal(SIGUSR1, SIG_IGN);
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigaction(SIGRTMIN, &action, nullptr);
    const Pipe pipe;
    std::uint64_t rounds = 0;
    for (; now_ns() < until_ns; rounds++) {
        for (int i = 0; i < 4; i++) {
            pipe.round_trip();
        }
        MUST(kill(getpid(), SIGUSR1) == 0 && kill(getpid(), SIGRTMIN) == 0);
    }
    shared->count[cpu] = rounds;
}

struct Family {
    Shared* shared = share();
};

void* family_thread(void* at)
{
    Shared* shared = static_cast<Family*>(at)->shared;
    name_thread("second");
    shared->tid = static_cast<std::uint32_t>(gettid_());
    sleep_until(shared->step, 1);
    round_trips(11);
    return nullptr;
}

bool exists(const std::string& path)
{
    struct stat info {};
    return stat(path.c_str(), &info) == 0;
}

}  // namespace

/// exit_together COUNT: families of children that exit at the same moment, more than there are CPUs:
/// they preempt each other on their way out.
int exit_together(const Arguments& arguments)
{
    constexpr std::uint32_t kFamily = 7;
    const auto families = static_cast<std::uint32_t>(std::atoi(arguments.at(0).c_str()));
    Shared* shared = share();
    for (std::uint32_t family = 1; family <= families; family++) {
        pid_t pids[kFamily];
        for (pid_t& pid : pids) {
            pid = child("exits", [shared, family] {
                shared->ready++;
                sleep_until(shared->step, family);
                return 0;
            });
        }
        wait_until(shared->ready, family * kFamily);
        announce(shared->step, family);
        for (const pid_t pid : pids) {
            MUST(reap(pid) == 0);
        }
    }
    fact("exits", {families * kFamily});
    return 0;
}

/// many_threads COUNT: a process of so many idle threads, and a SIGKILL.
int many_threads(const Arguments& arguments)
{
    const auto count = static_cast<std::uint32_t>(std::stoul(arguments.at(0)));
    Shared* shared = share();
    const pid_t target = child("many", [shared, count] {
        pthread_attr_t small;
        pthread_attr_init(&small);
        MUST(pthread_attr_setstacksize(&small, 65536) == 0);
        for (std::uint32_t i = 1; i < count; i++) {
            pthread_t thread;
            MUST(pthread_create(&thread, &small, [](void* page) -> void* {
                     static_cast<Shared*>(page)->ready++;
                     while (true) {
                         pause();
                     }
                 }, shared) == 0);
        }
        shared->ready++;
        while (true) {
            pause();
        }
        return 0;
    });
    wait_until(shared->ready, count);
    wait_state(target, 'S');
    sleep_ms(300);
    fact("many", {u(target), count});
    MUST(kill(target, SIGKILL) == 0);
    reap(target);
    sleep_ms(1000);   // until the last of them is off its CPU, and freed
    return 0;
}

/// overload TRIPS SIGNALS: on CPU 0, while the collector stands still.
int overload(const Arguments& arguments)
{
    const auto trips = static_cast<unsigned>(std::stoul(arguments.at(0)));
    const auto signals = static_cast<unsigned>(std::stoul(arguments.at(1)));
    const pid_t collector = getppid();
    name_thread("overload");
    pin_to_cpu(0);
    stop_collector();
    round_trips(trips);
    signal_self(SIGUSR1, signals);
    continue_collector(collector);
    return 0;
}

/// flood SECONDS STOPPED: two CPUs as fast as they can; the collector stands
/// still for STOPPED of the SECONDS.
int flood(const Arguments& arguments)
{
    const auto seconds = static_cast<unsigned>(std::stoul(arguments.at(0)));
    const auto stopped = static_cast<unsigned>(std::stoul(arguments.at(1)));
    const pid_t collector = getppid();
    Shared* shared = share();
    const std::uint64_t until = now_ns() + seconds * 1'000'000'000ull;
    pid_t workers[2];
    for (int cpu = 0; cpu < 2; cpu++) {
        workers[cpu] = child("worker", [=] { one_worker(shared, cpu, until); return 0; });
    }
    sleep_ms(seconds * 1000 / 3);
    stop_collector();
    sleep_ms(stopped * 1000);
    MUST(kill(collector, SIGCONT) == 0);
    for (pid_t worker : workers) {
        MUST(reap(worker) == 0);
    }
    sleep_ms(1000);
    for (int cpu = 0; cpu < 2; cpu++) {
        pin_to_cpu(cpu);
        round_trips(5);
    }
    fact("flood", {u(getpid()), shared->count[0], shared->count[1]});
    return 0;
}

/// filter_tree DIRECTORY: a process, its thread, child and grandchild, each with
/// its own prime number of round trips; begins when there is a file "go".
int filter_tree(const Arguments& arguments)
{
    const std::string& directory = arguments.at(0);
    name_thread("root-task");
    Family family;
    pthread_t thread;
    MUST(pthread_create(&thread, nullptr, family_thread, &family) == 0);
    wait_until(family.shared->tid, 1);
    fact("family", {u(getpid()), family.shared->tid});
    while (!exists(directory + "/go")) {
        sleep_ms(20);
    }
    round_trips(13);
    signal_self(SIGUSR1, 7);
    signal_self(SIGUSR2, 5);
    announce(family.shared->step, 1);
    pthread_join(thread, nullptr);
    const pid_t kid = child("kid", [] {
        round_trips(17);
        return reap(child("grandkid", [] { round_trips(19); return 0; }));
    });
    MUST(reap(kid) == 0);
    fact("kid", {u(kid)});
    close(creat((directory + "/done").c_str(), 0666));
    sleep_ms(60'000);   // until the test ends us, after the trace
    return 0;
}

}  // namespace ipcscope::workload
