// SPDX-License-Identifier: GPL-2.0-only
#include "bench/supervisor.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "bench/cpu_relax.hpp"
#include "bench/topology.hpp"

namespace ipcscope::bench {
namespace {

constexpr int kTerminationSignals[] = {SIGINT, SIGTERM, SIGHUP};

/// A child that is killed when its parent exits and ignores SIGINT and SIGHUP.
pid_t fork_worker(const BlockedSignals& signals)
{
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) {
            _exit(1);
        }
        prctl(PR_SET_TIMERSLACK, 1);
        std::signal(SIGINT, SIG_IGN);
        std::signal(SIGHUP, SIG_IGN);
        sigprocmask(SIG_SETMASK, &signals.before(), nullptr);
    }
    return child;
}

/// All workers as threads of this process.
[[noreturn]] void run_threads(const Job& job)
{
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < workers(job.what); i++) {
        threads.emplace_back([&job, i] {
            // A failed thread would leave the others blocked: end the process.
            if (const int status = run_worker(job, i)) _exit(status);
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    _exit(0);
}

class Children {
public:
    ~Children() { kill_all(); }

    bool start(const Job& job, const BlockedSignals& signals)
    {
        const unsigned count = job.what.threads ? 1 : workers(job.what);
        for (unsigned i = 0; i < count; i++) {
            const pid_t child = fork_worker(signals);
            if (child == 0) {
                if (job.what.threads) run_threads(job);
                _exit(run_worker(job, i));
            }
            if (child < 0) return false;
            alive_.push_back(child);
        }
        return true;
    }

    /// Reaps the children that have ended.  @return false if one failed
    bool reap()
    {
        bool well = true;
        std::erase_if(alive_, [&](pid_t child) {
            int status = 0;
            if (waitpid(child, &status, WNOHANG) != child) return false;
            well &= WIFEXITED(status) && WEXITSTATUS(status) == 0;
            if (WIFSIGNALED(status)) killed_by_ = WTERMSIG(status);
            return true;
        });
        return well;
    }

    bool any() const { return !alive_.empty(); }
    int killed_by() const { return killed_by_; }

    void kill_all()
    {
        for (const pid_t child : alive_) {
            kill(child, SIGKILL);
        }
        for (const pid_t child : alive_) {
            while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
            }
        }
        alive_.clear();
    }

private:
    std::vector<pid_t> alive_;
    int killed_by_ = 0;
};

/// The first error that a worker reported.
std::string reason(const Job& job, int killed_by)
{
    for (unsigned i = 0; i < workers(job.what); i++) {
        const WorkerReport& report = job.shared.reports[i];
        if (report.error_text[0]) {
            return report.error_text.data();
        }
        if (report.error == EBADMSG) {
            return fmt::format("what arrived is not what was sent (after {} messages)",
                               report.messages);
        }
        if (report.error) {
            return fmt::format("{} (after {} messages)", std::strerror(report.error),
                               report.messages);
        }
    }
    return killed_by ? fmt::format("a worker was ended by signal {} ({})", killed_by,
                                   strsignal(killed_by))
                     : "a worker ended without an error message";
}

}  // namespace

BlockedSignals::BlockedSignals()
{
    sigemptyset(&blocked_);
    for (const int signal : kTerminationSignals) {
        // A signal that was ignored at start stays ignored (nohup, a background job).
        struct sigaction now {};
        sigaction(signal, nullptr, &now);
        if (now.sa_handler != SIG_IGN) sigaddset(&blocked_, signal);
    }
    sigaddset(&blocked_, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked_, &before_);
}

BlockedSignals::~BlockedSignals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

void BlockedSignals::take(const timespec& at_most)
{
    const int signal = sigtimedwait(&blocked_, nullptr, &at_most);
    interrupted_ |= std::find(std::begin(kTerminationSignals), std::end(kTerminationSignals),
                              signal) != std::end(kTerminationSignals);
}

void BlockedSignals::wait(std::uint64_t until_ns)
{
    const std::uint64_t now = monotonic_ns();
    const std::uint64_t left = until_ns > now ? until_ns - now : 0;
    take({static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)});
}

bool BlockedSignals::interrupted()
{
    // One SIGCHLD and each of the others may be pending.
    for (std::size_t i = 0; i <= std::size(kTerminationSignals) && !interrupted_; i++) {
        take({});
    }
    return interrupted_;
}

WorkersResult run_workers(const Job& job, BlockedSignals& signals, std::uint64_t until_ns)
{
    const std::uint64_t from_ns = monotonic_ns();
    Children children;
    if (!children.start(job, signals)) {
        return {.failed = fmt::format("fork: {}; raise ulimit -u", std::strerror(errno))};
    }
    while (children.any()) {
        signals.wait(until_ns);
        if (signals.interrupted()) {
            return {.interrupted = true};
        }
        if (!children.reap()) {
            children.kill_all();
            return {.failed = reason(job, children.killed_by())};
        }
        if (children.any() && monotonic_ns() >= until_ns) {
            return {.failed = fmt::format("no end after {:.1f} s",
                                          static_cast<double>(until_ns - from_ns) / 1e9)};
        }
    }
    return {};
}

IdleInhibitor::IdleInhibitor(const std::vector<unsigned>& cpus, const BlockedSignals& signals)
{
    for (const unsigned cpu : cpus) {
        const pid_t child = fork_worker(signals);
        if (child == 0) {
            const sched_param none{};
            if (pin(cpu) != 0 || sched_setscheduler(0, SCHED_IDLE, &none) != 0) {
                _exit(1);
            }
            while (true) {
                cpu_relax();
            }
        }
        if (child > 0) spinners_.push_back(child);
    }
}

IdleInhibitor::~IdleInhibitor()
{
    for (const pid_t child : spinners_) {
        kill(child, SIGKILL);
        while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
}

}  // namespace ipcscope::bench
