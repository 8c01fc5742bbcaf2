// SPDX-License-Identifier: GPL-2.0-only
// The records that the module makes of scripted children, byte by byte as they are
// in the rings.  A reader is never traced: children do it all.
#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <thread>

#include <poll.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "device.hpp"

namespace ipcscope::kmod_test {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

void sleep_ms(long ms)
{
    const timespec nap{0, ms * static_cast<long>(kMs)};
    nanosleep(&nap, nullptr);
}

/// Rings that lose nothing.
ipcscope_start large_start()
{
    ipcscope_start start = valid_start();
    start.ring_bytes = 8 << 20;
    return start;
}

/// What a child did under a trace of its own, and how it ended.
struct ChildTrace {
    pid_t pid = 0;
    int status = 0;
    std::uint64_t start_ns = 0;
    std::uint64_t stop_ns = 0;
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> emitted{};
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> lost{};
    Records records;

    /// Of one kind about one thread, in the order of time.
    template <typename T>
    std::vector<T> of(unsigned kind, pid_t tid) const
    {
        std::vector<T> found;
        for (const Record& record : records) {
            if (record.header().kind == kind &&
                record.header().tid == static_cast<std::uint32_t>(tid)) {
                found.push_back(record.as<T>());
            }
        }
        return found;
    }
    std::vector<ipcscope_signal_take> takes() const
    {
        return of<ipcscope_signal_take>(IPCSCOPE_SIGNAL_TAKE, pid);
    }
    /// The one generation of a signal to the child.
    ipcscope_signal_generate generation(int sig) const
    {
        ipcscope_signal_generate found{};
        unsigned count = 0;
        for (const Record& record : records) {
            if (record.header().kind != IPCSCOPE_SIGNAL_GENERATE) continue;
            const auto& made = record.as<ipcscope_signal_generate>();
            if (made.sig == sig && made.target_tgid == static_cast<std::uint32_t>(pid)) {
                found = made;
                ++count;
            }
        }
        EXPECT_EQ(count, 1u) << "signal " << sig;
        return found;
    }
};

void finish(ChildTrace& run, RunningTrace& trace)
{
    trace.stop();
    run.records = trace.take();
    std::map<unsigned, std::uint64_t> last_ns;
    for (const Record& record : run.records) {
        EXPECT_GE(record.header().time_ns, last_ns[record.header().cpu])
            << "a ring is out of order at kind " << record.header().kind;
        last_ns[record.header().cpu] = record.header().time_ns;
    }
    std::stable_sort(run.records.begin(), run.records.end(),
                     [](const Record& a, const Record& b) {
                         return a.header().time_ns < b.header().time_ns;
                     });
    run.start_ns = trace.status().start_ns;
    run.stop_ns = trace.status().stop_ns;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        run.emitted[kind] = trace.emitted(kind);
        run.lost[kind] = trace.lost(kind);
    }
}

/// Runs `body` in a child, `meanwhile` here with its pid, until it has ended and
/// has been freed.
ChildTrace trace_child(const std::function<int()>& body,
                const std::function<void(pid_t)>& meanwhile = [](pid_t) {},
                const ipcscope_start& start = large_start())
{
    ChildTrace run;
    RunningTrace trace(start);
    run.pid = fork();
    if (run.pid == 0) _exit(body());
    meanwhile(run.pid);
    EXPECT_EQ(waitpid(run.pid, &run.status, 0), run.pid);
    sleep_ms(100);   // an RCU grace period frees it
    finish(run, trace);
    return run;
}

void on_signal(int) {}

int take_by_handler()
{
    std::signal(SIGUSR1, on_signal);
    return kill(getpid(), SIGUSR1);
}

TEST(Records, SignalToHandler)
{
    const ChildTrace run = trace_child(take_by_handler);
    const ipcscope_signal_generate made = run.generation(SIGUSR1);
    EXPECT_EQ(made.header.tid, static_cast<std::uint32_t>(run.pid));
    EXPECT_EQ(made.result, IPCSCOPE_RESULT_DELIVERED);
    EXPECT_EQ(made.disposition, IPCSCOPE_DISPOSITION_HANDLER);
    EXPECT_EQ(made.target_state, IPCSCOPE_STATE_RUNNING);
    EXPECT_EQ(made.ret, 0);
    EXPECT_EQ(made.shared, 1);
    // 7.3 sends without siginfo, and makes it up for the receiver.
    EXPECT_EQ(made.sender_pid, made.has_info ? static_cast<std::uint32_t>(run.pid) : 0u);
    EXPECT_LT(made.enter_ns, made.header.time_ns);
    ASSERT_EQ(run.takes().size(), 1u);
    const ipcscope_signal_take take = run.takes()[0];
    EXPECT_EQ(take.sig, SIGUSR1);
    EXPECT_EQ(take.how, IPCSCOPE_TAKE_HANDLER);
    EXPECT_EQ(take.sender_pid, static_cast<std::uint32_t>(run.pid));
    EXPECT_GT(take.enter_ns, made.header.time_ns);
    EXPECT_GT(take.dequeued_ns, take.enter_ns);
    EXPECT_GE(take.header.time_ns, take.dequeued_ns);
}

int block(int sig, sigset_t& set)
{
    sigemptyset(&set);
    sigaddset(&set, sig);
    return sigprocmask(SIG_BLOCK, &set, nullptr);
}

/// Each way to take a signal, and the record of it.
TEST(Records, HowSignalsAreTaken)
{
    struct Case {
        const char* name;
        int how;
        int disposition;
        std::function<int()> body;
    };
    const auto by_sigwait = [] {
        sigset_t set;
        int sig = 0;
        return block(SIGUSR1, set) | raise(SIGUSR1) | sigwait(&set, &sig);
    };
    const auto by_signalfd = [] {
        sigset_t set;
        signalfd_siginfo info{};
        if (block(SIGUSR1, set) | raise(SIGUSR1)) return 1;
        return read(signalfd(-1, &set, 0), &info, sizeof info) == sizeof info ? 0 : 1;
    };
    const auto discard = [] {
        sigset_t set;
        if (block(SIGUSR1, set) | raise(SIGUSR1)) return 1;
        return std::signal(SIGUSR1, SIG_IGN) == SIG_ERR ? 1 : 0;
    };
    const Case cases[] = {
        {"sigwait", IPCSCOPE_TAKE_SIGWAIT, IPCSCOPE_DISPOSITION_UNKNOWN, by_sigwait},
        {"signalfd", IPCSCOPE_TAKE_SIGNALFD, IPCSCOPE_DISPOSITION_UNKNOWN, by_signalfd},
        {"sigaction", IPCSCOPE_TAKE_DISCARDED, IPCSCOPE_DISPOSITION_IGNORE, discard},
        {"handler", IPCSCOPE_TAKE_HANDLER, IPCSCOPE_DISPOSITION_HANDLER, take_by_handler},
    };
    for (const Case& test : cases) {
        const ChildTrace run = trace_child(test.body);
        EXPECT_EQ(run.status, 0) << test.name;
        const auto takes = run.takes();
        ASSERT_EQ(takes.size(), 1u) << test.name;
        EXPECT_EQ(takes[0].how, test.how) << test.name;
        EXPECT_EQ(takes[0].disposition, test.disposition) << test.name;
        EXPECT_EQ(takes[0].sig, SIGUSR1) << test.name;
        EXPECT_EQ(takes[0].enter_ns != 0, test.how == IPCSCOPE_TAKE_HANDLER) << test.name;
        EXPECT_EQ(takes[0].dequeued_ns == 0, test.how == IPCSCOPE_TAKE_DISCARDED) << test.name;
    }
}

/// SIGTERM kills both threads by a SIGKILL that was never generated.
TEST(Records, GroupExit)
{
    const ChildTrace run = trace_child([] {
        std::thread other([] { pause(); });
        sleep_ms(50);
        kill(getpid(), SIGTERM);
        other.join();
        return 1;
    });
    EXPECT_TRUE(WIFSIGNALED(run.status));
    unsigned count = 0;
    for (const Record& record : run.records) {
        if (record.header().kind != IPCSCOPE_SIGNAL_TAKE ||
            record.header().tgid != static_cast<std::uint32_t>(run.pid)) {
            continue;
        }
        const auto& take = record.as<ipcscope_signal_take>();
        EXPECT_EQ(take.sig, SIGKILL);
        EXPECT_EQ(take.how, IPCSCOPE_TAKE_GROUP_EXIT);
        EXPECT_EQ(take.group, IPCSCOPE_GROUP_EXIT);
        EXPECT_EQ(take.group_signal, SIGTERM);
        ++count;
    }
    EXPECT_EQ(count, 2u);
    const auto exits = run.of<ipcscope_thread_time>(IPCSCOPE_THREAD_EXIT, run.pid);
    ASSERT_EQ(exits.size(), 1u);
    EXPECT_EQ(exits[0].exit_code, SIGTERM);
}

/// The debugger drops one signal and lets the next one through.
TEST(Records, Debugger)
{
    const ChildTrace run = trace_child(
        [] {
            std::signal(SIGUSR1, on_signal);
            ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
            return raise(SIGUSR1) | raise(SIGUSR1);
        },
        [](pid_t pid) {
            int status = 0;
            waitpid(pid, &status, 0);
            sleep_ms(20);
            ptrace(PTRACE_CONT, pid, nullptr, nullptr);
            waitpid(pid, &status, 0);
            ptrace(PTRACE_CONT, pid, nullptr, SIGUSR1);
        });
    EXPECT_EQ(run.status, 0);
    const auto takes = run.takes();
    ASSERT_EQ(takes.size(), 2u);
    EXPECT_EQ(takes[0].how, IPCSCOPE_TAKE_DEBUGGER);
    EXPECT_EQ(takes[0].traced, 1);
    EXPECT_GT(takes[0].header.time_ns - takes[0].dequeued_ns, 10 * kMs);
    EXPECT_EQ(takes[1].how, IPCSCOPE_TAKE_HANDLER);
    EXPECT_EQ(takes[1].traced, 1);
}

/// Born, another program, ended, freed: each once, and named before all else.
TEST(Records, LifeOfAProcess)
{
    const ChildTrace run = trace_child([] { return execl("/bin/true", "true", nullptr); });
    const auto threads = run.of<ipcscope_thread>(IPCSCOPE_THREAD, run.pid);
    // A record in the middle of the exec has the new name before it.
    ASSERT_GE(threads.size(), 2u);
    EXPECT_EQ(threads[0].reason, IPCSCOPE_THREAD_FORK);
    EXPECT_STREQ(reinterpret_cast<const char*>(threads[0].comm), "kmod_test");
    EXPECT_EQ(threads[0].ppid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(threads[0].ns_pid, static_cast<std::uint32_t>(run.pid));
    EXPECT_EQ(threads[0].uid, 0u);
    EXPECT_EQ(threads.back().reason, IPCSCOPE_THREAD_EXEC);
    EXPECT_STREQ(reinterpret_cast<const char*>(threads.back().comm), "true");
    EXPECT_EQ(threads.back().start_ns, threads[0].start_ns);
    EXPECT_LE(threads[0].start_ns, threads[0].header.time_ns);
    const auto exits = run.of<ipcscope_thread_time>(IPCSCOPE_THREAD_EXIT, run.pid);
    ASSERT_EQ(exits.size(), 1u);
    EXPECT_EQ(exits[0].state, IPCSCOPE_STATE_DEAD);
    EXPECT_EQ(exits[0].group_dead, 1);
    const auto freed = run.of<ipcscope_header>(IPCSCOPE_THREAD_FREE, run.pid);
    ASSERT_EQ(freed.size(), 1u);
    EXPECT_GE(freed[0].time_ns, exits[0].header.time_ns);
}

/// A thread that is not the leader executes a program: it goes on as the leader, and
/// its time with it.
TEST(Records, ExecOfAnotherThread)
{
    const ChildTrace run = trace_child([] {
        std::thread([] { execl("/bin/true", "true", nullptr); }).join();
        return 1;
    });
    EXPECT_EQ(run.status, 0);
    unsigned execs = 0, exits = 0;
    for (const Record& record : run.records) {
        if (record.header().tgid != static_cast<std::uint32_t>(run.pid)) continue;
        exits += record.header().kind == IPCSCOPE_THREAD_EXIT;
        execs += record.header().kind == IPCSCOPE_THREAD &&
                 record.as<ipcscope_thread>().reason == IPCSCOPE_THREAD_EXEC;
    }
    EXPECT_EQ(execs, 1u);
    EXPECT_EQ(exits, 2u);
}

TEST(Records, Renamed)
{
    const ChildTrace run = trace_child([] {
        pthread_setname_np(pthread_self(), "renamed");
        return take_by_handler();
    });
    const auto threads = run.of<ipcscope_thread>(IPCSCOPE_THREAD, run.pid);
    ASSERT_EQ(threads.size(), 2u);
    EXPECT_EQ(threads[1].reason, IPCSCOPE_THREAD_RENAME);
    EXPECT_STREQ(reinterpret_cast<const char*>(threads[1].comm), "renamed");
    EXPECT_LE(threads[1].header.time_ns, run.generation(SIGUSR1).header.time_ns);
}

std::uint64_t split_sum(const ipcscope_call_split& call)
{
    return call.blocked_ns + call.runnable_ns + call.uninterruptible_ns +
           call.between_runnable_ns + call.between_sleeping_ns + call.between_polling_ns +
           call.between_uninterruptible_ns + call.between_killable_ns + call.between_other_ns;
}

/// A child's records account for its life without a gap; a sleep in poll(), one in
/// nanosleep() and a wait for the pipe are where they belong.
TEST(Records, TimeWithoutAGap)
{
    constexpr std::uint64_t kSlept = 100 * kMs;   // of 200: a CPU may come late
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const ChildTrace run = trace_child(
        [&] {
            char byte = 'x';
            poll(nullptr, 0, 200);
            if (write(ends[1], &byte, 1) != 1 || read(ends[0], &byte, 1) != 1) return 1;
            sleep_ms(200);
            return read(ends[0], &byte, 1) == 1 ? 0 : 1;
        },
        [&](pid_t) {
            in_child([&] {
                sleep_ms(600);
                return write(ends[1], "y", 1) == 1 ? 0 : 1;
            });
        });
    close(ends[0]);
    close(ends[1]);
    EXPECT_EQ(run.status, 0);
    std::vector<ipcscope_call_split> calls;
    std::uint64_t last_ns = 0;
    for (const Record& record : run.records) {
        if (record.header().kind != IPCSCOPE_CALL_PIPE ||
            record.header().tid != static_cast<std::uint32_t>(run.pid)) {
            continue;
        }
        ipcscope_call_split call{};
        std::memcpy(&call, &record.header(), record.size());
        EXPECT_TRUE(last_ns == 0 || call.since_ns == last_ns);
        EXPECT_LE(split_sum(call), call.header.time_ns - call.since_ns);
        last_ns = call.header.time_ns;
        calls.push_back(call);
    }
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_EQ(calls[0].op, IPCSCOPE_OP_WRITE);
    EXPECT_GE(calls[0].between_polling_ns, kSlept);
    EXPECT_EQ(calls[0].tail.pipe.used_slots, 0u);
    EXPECT_EQ(calls[1].op, IPCSCOPE_OP_READ);
    EXPECT_EQ(calls[1].ret, 1);
    EXPECT_EQ(calls[1].tail.pipe.used_slots, 1u);
    EXPECT_GE(calls[2].between_sleeping_ns, kSlept);
    EXPECT_GT(calls[2].blocked_ns, 0u);
    EXPECT_EQ(calls[2].sleeps, 1);
    EXPECT_NE(calls[2].waker_tid, 0u);
    const auto exits = run.of<ipcscope_thread_time>(IPCSCOPE_THREAD_EXIT, run.pid);
    ASSERT_EQ(exits.size(), 1u);
    EXPECT_EQ(exits[0].since_ns, last_ns);
}

/// Long stays have records of their own, by state and system call.
TEST(Records, Slices)
{
    const ChildTrace run = trace_child(
        [] {
            poll(nullptr, 0, 200);
            sleep_ms(200);
            raise(SIGSTOP);
            return 0;
        },
        [](pid_t pid) {
            int status = 0;
            waitpid(pid, &status, WUNTRACED);
            sleep_ms(200);
            in_child([pid] { return kill(pid, SIGCONT); });
        });
    std::map<unsigned, ipcscope_slice> stays;
    for (const auto& slice : run.of<ipcscope_slice>(IPCSCOPE_SLICE, run.pid)) {
        if (slice.end_ns - slice.start_ns > 50 * kMs) stays[slice.state] = slice;
    }
    EXPECT_EQ(stays.count(IPCSCOPE_STATE_POLLING), 1u);
    EXPECT_EQ(stays[IPCSCOPE_STATE_POLLING].syscall, SYS_poll);
    EXPECT_EQ(stays.count(IPCSCOPE_STATE_INTERRUPTIBLE), 1u);
    EXPECT_TRUE(stays[IPCSCOPE_STATE_INTERRUPTIBLE].syscall == SYS_clock_nanosleep ||
                stays[IPCSCOPE_STATE_INTERRUPTIBLE].syscall == SYS_nanosleep);
    EXPECT_EQ(stays.count(IPCSCOPE_STATE_STOPPED), 1u);
    EXPECT_NE(stays[IPCSCOPE_STATE_STOPPED].waker_tid, 0u);
}

/// A thread that slept before the trace and sleeps still is known from the sweep.
TEST(Records, AsleepAllTheTime)
{
    const pid_t pid = fork();
    if (pid == 0) {
        poll(nullptr, 0, -1);
        _exit(0);
    }
    ASSERT_TRUE(wait_state(pid, 'S'));
    RunningTrace trace(large_start());
    sleep_ms(50);
    unsigned times = 0, slices = 0;
    for (const Record& record : trace.unfinished(trace.stop())) {
        EXPECT_EQ(record.header().flags, IPCSCOPE_UNFINISHED);
        EXPECT_NE(record.header().tgid, static_cast<std::uint32_t>(getpid())) << "the reader";
        if (record.header().tid != static_cast<std::uint32_t>(pid)) continue;
        if (record.header().kind == IPCSCOPE_SLICE) {
            slices += record.as<ipcscope_slice>().state == IPCSCOPE_STATE_POLLING;
            continue;
        }
        ASSERT_EQ(record.header().kind, IPCSCOPE_THREAD_TIME);
        const auto& time = record.as<ipcscope_thread_time>();
        EXPECT_EQ(time.state, IPCSCOPE_STATE_POLLING);
        EXPECT_EQ(time.syscall, SYS_poll);
        EXPECT_GE(time.since_ns, trace.status().start_ns);
        EXPECT_GE(time.between_polling_ns, 49 * kMs);
        EXPECT_EQ(time.header.time_ns, time.since_ns + time.between_polling_ns);
        ++times;
    }
    EXPECT_EQ(times, 1u);
    EXPECT_EQ(slices, 1u);
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
}

/// Every record that the ledger has is there once, and within the window.
TEST(Records, LedgerAndWindow)
{
    const ChildTrace run = trace_child(
        [] {
            char byte = 0;
            int ends[2];
            if (pipe(ends) != 0) return 1;
            std::signal(SIGUSR1, on_signal);
            for (int i = 0; i < 300; ++i) {
                if (kill(getpid(), SIGUSR1) != 0 || write(ends[1], &byte, 1) != 1 ||
                    read(ends[0], &byte, 1) != 1) {
                    return 1;
                }
                const pid_t child = i % 10 ? 0 : fork();
                if (child == 0 && i % 10 == 0) _exit(0);
                if (child > 0) waitpid(child, nullptr, 0);
            }
            return 0;
        });
    EXPECT_EQ(run.status, 0);
    std::array<std::uint64_t, IPCSCOPE_KIND_COUNT> seen{};
    for (const Record& record : run.records) {
        const ipcscope_header& header = record.header();
        ASSERT_LT(header.kind, IPCSCOPE_KIND_COUNT);
        ++seen[header.kind];
        EXPECT_GE(header.time_ns, run.start_ns);
        EXPECT_LT(header.time_ns, run.stop_ns);
        EXPECT_EQ(header.lost_before, 0u);
    }
    EXPECT_EQ(seen, run.emitted);
    EXPECT_EQ(run.lost, decltype(run.lost){});
    // SIGCHLD is ignored as it is sent, or, where the C library blocks signals in fork()
    // (glibc since 2.41), as it is taken.
    const auto takes = run.takes();
    const auto handled = std::ranges::count(takes, SIGUSR1, &ipcscope_signal_take::sig);
    EXPECT_EQ(handled, 300);
    for (const ipcscope_signal_take& take : takes) {
        EXPECT_TRUE(take.sig == SIGUSR1 ||
                    (take.sig == SIGCHLD && take.how == IPCSCOPE_TAKE_IGNORED));
    }
    EXPECT_EQ(run.of<ipcscope_call>(IPCSCOPE_CALL_PIPE, run.pid).size(), 600u);
    const auto threads = run.of<ipcscope_thread>(IPCSCOPE_THREAD, run.pid);
    EXPECT_EQ(threads.size(), 1u);
}

/// More threads than there is room for: what is lost is counted, as that.
TEST(Records, TableFull)
{
    ipcscope_start start = large_start();
    start.max_threads = 1;
    start.families = IPCSCOPE_FAMILY_PIPES;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const ChildTrace run = trace_child([&] { return write(ends[1], "x", 1) == 1 ? 0 : 1; },
                                [](pid_t) {}, start);
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.emitted[IPCSCOPE_CALL_PIPE] + run.lost[IPCSCOPE_CALL_PIPE], 1u);
    EXPECT_GT(run.lost[IPCSCOPE_THREAD_TIME], 0u);
    EXPECT_EQ(run.of<ipcscope_thread_time>(IPCSCOPE_THREAD_EXIT, run.pid).size(), 1u);
}

}  // namespace
}  // namespace ipcscope::kmod_test
