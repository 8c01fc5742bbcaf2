// SPDX-License-Identifier: GPL-2.0-only
#include "cycles.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "device.hpp"

namespace ipcscope::kmod_test {
namespace {

constexpr const char* kProbes = "/sys/kernel/debug/kprobes/list";
constexpr const char* kLeaks = "/sys/kernel/debug/kmemleak";

constexpr unsigned kCycleTimeoutSeconds = 120;   // of a cycle, which takes 1 or 2

volatile std::sig_atomic_t ended = 0;

/// The current step of a cycle, printed if it is stuck.
struct {
    unsigned number;
    const char* step;
    pid_t reader;
} now;

[[noreturn]] void failed(const std::string& what)
{
    throw std::runtime_error(what + ": " + std::strerror(errno));
}

void print_file(const std::string& path)
{
    std::string text(2000, '\0');
    const Fd file(open(path.c_str(), O_RDONLY));
    const ssize_t bytes = file ? read(file.get(), text.data(), text.size()) : 0;
    std::fprintf(stderr, "%s:\n%.*s\n", path.c_str(), static_cast<int>(bytes), text.c_str());
}

/// SIGALRM handler for a stuck cycle.  It calls functions that are not signal-safe, but
/// ends the process.
void stuck(int)
{
    std::fprintf(stderr, "cycles: FAILED: cycle %u is stuck: %s\n", now.number, now.step);
    for (const pid_t pid : {getpid(), now.reader}) {
        print_file("/proc/" + std::to_string(pid) + "/status");
        print_file("/proc/" + std::to_string(pid) + "/stack");
    }
    _exit(1);
}

/// Makes signals, pipe calls and tasks until it is killed or its parent ends, at low
/// priority so that the cycles go on.
[[noreturn]] void make_load()
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    nice(10);
    std::signal(SIGUSR1, [](int) {});
    int ends[2];
    if (pipe(ends) != 0) _exit(1);
    char bytes[64] = {};
    while (true) {
        for (int i = 0; i < 100; i++) {
            kill(getpid(), SIGUSR1);
            if (write(ends[1], bytes, sizeof bytes) != sizeof bytes ||
                read(ends[0], bytes, sizeof bytes) != sizeof bytes) {
                _exit(1);
            }
        }
        const pid_t child = fork();
        if (child == 0) _exit(0);
        waitpid(child, nullptr, 0);
    }
}

/// Processes that make load during this object's lifetime.
class Load {
public:
    explicit Load(long processes)
    {
        for (long i = 0; i < processes; i++) {
            pids_.push_back(fork());
            if (pids_.back() == 0) make_load();
        }
    }
    ~Load()
    {
        for (pid_t pid : pids_) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
    }

private:
    std::vector<pid_t> pids_;
};

unsigned lines_of(const char* path)
{
    std::ifstream file(path);
    if (!file) failed(path);
    unsigned count = 0;
    for (std::string line; std::getline(file, line);) count++;
    return count;
}

/// Unreclaimable memory of the kernel, in KiB.
long kernel_memory()
{
    std::ofstream("/proc/sys/vm/drop_caches") << "3" << std::flush;
    std::ifstream file("/proc/meminfo");
    long sum = 0;
    std::string name;
    for (long value = 0; file >> name >> value; file.ignore(80, '\n')) {
        if (name == "SUnreclaim:" || name == "VmallocUsed:" || name == "Percpu:") {
            sum += value;
        }
    }
    return sum;
}

void load_module(const Fd& module)
{
    if (syscall(SYS_finit_module, module.get(), "", 0) != 0) failed("insmod");
}

/// Unloads the module; the result must be `wanted`: 0 or an errno.
void unload_module(int wanted)
{
    const int error = syscall(SYS_delete_module, "ipcscope", O_NONBLOCK) == 0 ? 0 : errno;
    if (error != wanted) {
        errno = error;
        failed(wanted ? "unloaded under its reader" : "rmmod");
    }
}

/// Starts a reader process and waits until its hooks run.
void start_reader()
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) failed("pipe");
    std::fflush(stdout);
    now.reader = fork();
    if (now.reader == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[1]);
        _exit(wait_as_reader());
    }
    close(ends[1]);
    char byte = 0;
    const bool mapped = read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    if (!mapped) failed("no reader");
}

void end_reader(int signal)
{
    kill(now.reader, signal);
    int status = 0;
    waitpid(now.reader, &status, 0);
    if (signal == SIGKILL ? !WIFSIGNALED(status) : status != 0) failed("the reader failed");
}

void cycle(const Fd& module, unsigned probes, int signal)
{
    alarm(kCycleTimeoutSeconds);
    now.step = "insmod";
    load_module(module);
    now.step = "the reader starts";
    start_reader();
    now.step = "rmmod under the reader";
    unload_module(EWOULDBLOCK);   // what rmmod calls "in use"
    now.step = "the reader ends";
    end_reader(signal);
    unsigned users = 1;
    std::ifstream("/sys/module/ipcscope/refcnt") >> users;
    if (users != 0) failed("still in use");
    if (lines_of(kProbes) != probes) failed("probes left");
    now.step = "rmmod";
    unload_module(0);
}

void all_cycles(unsigned count, const char* path)
{
    // Memory once the caches have been filled, and at the end.  A leak of one ring a
    // cycle would be far more than this.  KASAN keeps what was freed for a while,
    // so on a kernel with kmemleak tests/kmod/guest checks for leaks instead.
    constexpr unsigned kEarly = 4;
    const long most_kib = 512 + 1L * count;
    const bool measures_memory = count > kEarly && access(kLeaks, F_OK) != 0;
    const Fd module(open(path, O_RDONLY | O_CLOEXEC));
    if (!module) failed(path);
    std::signal(SIGALRM, stuck);
    const Load load(sysconf(_SC_NPROCESSORS_ONLN));
    const unsigned probes = lines_of(kProbes);
    long early_kib = 0;
    for (unsigned number = 1; number <= count; number++) {
        now.number = number;
        cycle(module, probes, number % 2 ? SIGKILL : SIGTERM);
        if (number == kEarly) early_kib = kernel_memory();
        if (number % 50 == 0) {
            std::printf("cycles: %u\n", number);
            std::fflush(stdout);
        }
    }
    alarm(0);
    if (!measures_memory) {
        std::printf("cycles: %u\n", count);
        return;
    }
    const long more_kib = kernel_memory() - early_kib;
    std::printf("cycles: %u, memory %+ld KiB since number %u\n", count, more_kib, kEarly);
    if (more_kib > most_kib) {
        errno = 0;
        failed("the kernel's memory grew by " + std::to_string(more_kib) + " KiB");
    }
}

}  // namespace

int wait_as_reader()
{
    struct sigaction action {};
    action.sa_handler = [](int) { ended = 1; };
    sigaction(SIGTERM, &action, nullptr);
    RunningTrace trace;
    // Lost ones count: the rings may be full by now.
    while (trace.emitted(IPCSCOPE_SIGNAL_GENERATE) + trace.lost(IPCSCOPE_SIGNAL_GENERATE) ==
           0) {
        usleep(1'000);
    }
    std::puts("mapped");
    std::fflush(stdout);
    while (!ended) {
        pollfd events{trace.device().get(), POLLIN, 0};
        poll(&events, 1, -1);
        trace.take();
    }
    trace.stop();
    return testing::Test::HasFailure() ? 1 : 0;
}

int cycles(unsigned count, const char* module)
{
    try {
        all_cycles(count, module);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "cycles: FAILED: %s\n", error.what());
        return 1;
    }
    return 0;
}

}  // namespace ipcscope::kmod_test
