// SPDX-License-Identifier: GPL-2.0-only
// Each state of a thread, held against a workload that knows how long it was in it.
#include <algorithm>

#include <sys/syscall.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

/// What a time may differ from the truth by: 1 % and 200 us.
std::uint64_t tolerance(std::uint64_t truth_ns)
{
    return truth_ns / 100 + 200'000;
}

class TimeLedger : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload(
            {}, "time_states", {ext4(), make_cgroup("conformance.frozen")});
        return trace;
    }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static ThreadLedger thread(const std::string& name)
    {
        return ledger_of(trace().capture, fact(name));
    }

    /// What the kernel's scheduler says of it; 0, 0 where it says nothing.
    static std::pair<std::uint64_t, std::uint64_t> scheduler(const std::string& name)
    {
        const std::string key = name + ".scheduler";
        if (!trace().facts.has(key)) {
            return {0, 0};
        }
        return {fact(key, 0), fact(key, 1)};
    }

    static void expect_near(std::uint64_t ns, std::uint64_t truth_ns, std::uint64_t slack_ns,
                            const std::string& what)
    {
        EXPECT_LE(ns, truth_ns + tolerance(truth_ns) + slack_ns) << what;
        EXPECT_GE(ns + tolerance(truth_ns) + slack_ns, truth_ns) << what;
    }

    /// It was `ns` in the state of its stay, of which the actor itself saw begin and
    /// end.  What it then waited for a CPU is no part of it.
    static void expect_stay(const std::string& name, std::uint64_t ns)
    {
        expect_near(ns, fact(name, 2) - fact(name, 1), scheduler(name).second, name);
    }

    /// The only slice of `state`, within the stay and nearly all of it.
    static Seen<decode::Slice> expect_slice(const std::string& name, unsigned state,
                                            std::uint64_t begin, std::uint64_t end)
    {
        const auto slices = slices_in(thread(name), state);
        EXPECT_EQ(slices.size(), 1u) << name;
        if (slices.empty()) {
            static const decode::Event none{};
            static const decode::Slice empty{};
            return {&none, &empty};
        }
        EXPECT_GE(slices[0]->start_ns, begin) << name;
        EXPECT_LE(slices[0]->start_ns, begin + tolerance(end - begin)) << name;
        EXPECT_LE(slices[0]->end_ns, end + tolerance(end - begin)) << name;
        EXPECT_GE(slices[0]->end_ns + tolerance(end - begin) + scheduler(name).second, end)
            << name;
        EXPECT_EQ(slices[0]->call, 0) << name;
        return {slices[0].event, slices[0].body};
    }
    static Seen<decode::Slice> expect_slice(const std::string& name, unsigned state)
    {
        return expect_slice(name, state, fact(name, 1), fact(name, 2));
    }
};

TEST_F(TimeLedger, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

/// Running and waiting for a CPU, as the kernel's own scheduler counts them.
TEST_F(TimeLedger, AsTheScheduler)
{
    unsigned compared = 0;
    for (const char* name :
         {"running", "busy-1", "busy-2", "starved", "real-time", "nanosleep", "futex", "poll",
          "select", "epoll_wait", "frozen-write", "stopped", "traced", "frozen", "vfork",
          "between"}) {
        const auto [ran, waited] = scheduler(name);
        if (ran == 0) {
            continue;
        }
        const TimeSum sum = thread(name).sum;
        // Its clock and ours are read some instructions apart, at each switch.
        expect_near(sum.all_running_ns(), ran, 1'000'000, std::string(name) + " ran");
        expect_near(sum.all_runnable_ns(), waited, 1'000'000, std::string(name) + " waited");
        compared++;
    }
    EXPECT_TRUE(compared == 16 || access("/proc/self/schedstat", R_OK) != 0) << compared;
}

TEST_F(TimeLedger, Running)
{
    const ThreadLedger busy = thread("running");
    EXPECT_GE(busy.sum.running_ns + tolerance(600'000'000) + scheduler("running").second,
              600'000'000u);
    std::uint64_t slices = 0;
    for (const auto& slice : slices_in(busy, IPCSCOPE_STATE_RUNNING)) {
        EXPECT_EQ(slice->syscall, IPCSCOPE_SYSCALL_NONE);
        slices += slice->end_ns - slice->start_ns;
    }
    EXPECT_GT(slices, 300'000'000u);
    EXPECT_LE(slices, busy.sum.running_ns);
}

/// Two that share a CPU: each runs for a half of the time, and waits for the other.
TEST_F(TimeLedger, RunnableBehindABusyCpu)
{
    for (const char* name : {"busy-1", "busy-2"}) {
        const TimeSum sum = thread(name).sum;
        const auto [ran, waited] = scheduler(name);
        EXPECT_GT(sum.runnable_ns, 200'000'000u) << name;
        expect_near(sum.running_ns, ran, 0, name);
        expect_near(sum.runnable_ns, waited, 0, name);
    }
}

/// Behind a real-time thread: one long wait, of which the end is that thread's.
TEST_F(TimeLedger, RunnableInOneSlice)
{
    const std::uint64_t begin = fact("hogged", 0), end = fact("hogged", 1);
    const auto slices = slices_in(thread("starved"), IPCSCOPE_STATE_RUNNABLE);
    const auto longest = std::max_element(slices.begin(), slices.end(), [](auto& a, auto& b) {
        return a->end_ns - a->start_ns < b->end_ns - b->start_ns;
    });
    ASSERT_NE(longest, slices.end());
    EXPECT_LE((*longest)->start_ns, begin);
    EXPECT_GE((*longest)->end_ns, end);
    expect_near((*longest)->end_ns - (*longest)->start_ns, end - begin, 5'000'000, "starved");
    EXPECT_GE(thread("starved").sum.runnable_ns, end - begin);
}

TEST_F(TimeLedger, Sleeping)
{
    expect_stay("nanosleep", thread("nanosleep").sum.sleeping_ns);
    EXPECT_EQ(expect_slice("nanosleep", IPCSCOPE_STATE_INTERRUPTIBLE)->syscall,
              SYS_clock_nanosleep);
    expect_stay("futex", thread("futex").sum.sleeping_ns);
    const auto woken = expect_slice("futex", IPCSCOPE_STATE_INTERRUPTIBLE);
    EXPECT_EQ(woken->syscall, SYS_futex);
    EXPECT_EQ(woken->waker_tid, fact("director"));
}

TEST_F(TimeLedger, Polling)
{
    for (const auto& [name, number] : {std::pair{"poll", SYS_poll},
                                       {"ppoll", SYS_ppoll},
                                       {"select", SYS_select},
                                       {"pselect6", SYS_pselect6},
                                       {"epoll_wait", SYS_epoll_wait},
                                       {"epoll_pwait", SYS_epoll_pwait},
                                       {"poll-woken", SYS_poll}}) {
        const ThreadLedger polls = thread(name);
        expect_stay(name, polls.sum.polling_ns);
        EXPECT_LT(polls.sum.sleeping_ns, 5'000'000u) << name;
        EXPECT_EQ(expect_slice(name, IPCSCOPE_STATE_POLLING)->syscall, number) << name;
    }
    EXPECT_EQ(expect_slice("poll-woken", IPCSCOPE_STATE_POLLING)->waker_tid,
              fact("director"));
}

TEST_F(TimeLedger, Uninterruptible)
{
    const ThreadLedger writer = thread("frozen-write");
    EXPECT_GE(writer.sum.uninterruptible_ns, fact("frozen-at-least"));
    expect_stay("frozen-write", writer.sum.uninterruptible_ns);
    const auto slices = slices_in(writer, IPCSCOPE_STATE_UNINTERRUPTIBLE);
    ASSERT_GE(slices.size(), 1u);
    EXPECT_EQ(slices[0]->syscall, SYS_write);
    EXPECT_EQ(slices[0]->waker_tid, fact("director"));
}

/// States that another process puts a thread into, and ends.
TEST_F(TimeLedger, StoppedTracedFrozen)
{
    for (const auto& [name, state] : {std::pair{"stopped", IPCSCOPE_STATE_STOPPED},
                                      {"traced", IPCSCOPE_STATE_TRACED},
                                      {"frozen", IPCSCOPE_STATE_FROZEN}}) {
        const std::string by = std::string(name) + ".by";
        const ThreadLedger held = thread(name);
        std::uint64_t slices = 0, first = UINT64_MAX, last = 0;
        for (const auto& slice : slices_in(held, state)) {
            slices += slice->end_ns - slice->start_ns;
            first = std::min<std::uint64_t>(first, slice->start_ns);
            last = std::max<std::uint64_t>(last, slice->end_ns);
            if (last == slice->end_ns && slice->end_ns >= fact(by, 1)) {
                EXPECT_EQ(slice->waker_tid, fact("director")) << name;
            }
        }
        expect_near(slices, fact(by, 1) - fact(by, 0), 0, name);
        EXPECT_EQ(held.sum.other_ns, slices) << name;
        EXPECT_GE(first, fact(by, 0)) << name;
        EXPECT_GE(last, fact(by, 1)) << name;
        expect_near(last - fact(by, 0), fact(by, 1) - fact(by, 0), 0, name);
        EXPECT_GT(held.sum.sleeping_ns, 0u) << name;   // before and after
    }
}

TEST_F(TimeLedger, Killable)
{
    expect_stay("vfork", thread("vfork").sum.killable_ns);
    const auto slice = expect_slice("vfork", IPCSCOPE_STATE_KILLABLE);
    EXPECT_EQ(slice->waker_tid, fact("vfork.by"));
    EXPECT_EQ(slice->syscall, SYS_vfork);
}

/// A call's record says what the thread did since the call before.
TEST_F(TimeLedger, BetweenTwoCalls)
{
    const auto calls = select<decode::Call>(trace().capture, [](auto& event, auto&) {
        return event.task.tid == fact("between");
    });
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_EQ(calls[1]->since_ns, calls[0].event->time_ns);
    const std::uint64_t waited = scheduler("between").second;
    expect_near(calls[1]->between_sleeping_ns, fact("between.parts", 0), waited, "sleeping");
    expect_near(calls[1]->between_polling_ns, fact("between.parts", 1), waited, "polling");
    const std::uint64_t span = calls[1]->enter_ns - calls[1]->since_ns;
    const std::uint64_t running = span - calls[1]->between_sleeping_ns -
                                  calls[1]->between_polling_ns -
                                  calls[1]->between_runnable_ns;
    expect_near(running, fact("between.parts", 2), waited, "running");
    EXPECT_EQ(calls[1]->between_uninterruptible_ns, 0u);
    EXPECT_EQ(calls[1]->between_killable_ns, 0u);
    EXPECT_EQ(calls[1]->between_other_ns, 0u);
}

/// Threads that were in a state before the trace began, and after it ended.
class AttachedTo : public testing::Test {
protected:
    /// Traces the workload asleep_before `how` for `seconds`, from when it is in the
    /// state of `letter` to /proc.
    static Trace attach(const std::string& how, char letter, const char* seconds)
    {
        Trace trace;
        const std::string directory = scratch();
        trace.file = directory + "/trace.ipcs";
        Settings settings;
        settings.facts = directory + "/facts";
        Process target(workload_words("asleep_before", {how}), settings);
        EXPECT_TRUE(wait_for_state(target.pid(), letter)) << how;
        trace.record = ipcscope({"record", "-o", trace.file, "-p",
                                 std::to_string(target.pid()), "-d", seconds});
        EXPECT_EQ(trace.record.status, 0) << trace.record.err;
        trace.facts = Facts::load(settings.facts);
        analyse(trace);
        expect_lossless(trace);
        expect_time_ledgers(trace);
        return trace;
    }

    /// All of the window in one state, in one record and one slice.
    static void expect_all(const std::string& how, char letter, unsigned state, long syscall,
                           __u64 decode::ThreadTime::*part)
    {
        const Trace trace = attach(how, letter, "1");
        const Capture& capture = trace.capture;
        const auto times = select<decode::ThreadTime>(capture, [&](auto& event, auto&) {
            return event.task.tid == trace.facts.at(how);
        });
        ASSERT_EQ(times.size(), 1u) << how;
        EXPECT_TRUE(times[0].event->unfinished);
        EXPECT_EQ(times[0].event->kind, unsigned{IPCSCOPE_THREAD_TIME});
        EXPECT_EQ(name_of(times[0].event->task), how);
        // The sweep comes to it a moment after the start.
        EXPECT_GE(times[0]->since_ns, capture.host.start_ns) << how;
        EXPECT_LT(times[0]->since_ns, capture.host.start_ns + 250'000'000) << how;
        EXPECT_EQ(times[0].event->time_ns, capture.end_ns) << how;
        EXPECT_EQ(times[0]->state, state) << how;
        EXPECT_EQ(times[0].body->*part, capture.end_ns - times[0]->since_ns) << how;
        const auto slices = slices_in(ledger_of(capture, trace.facts.at(how)), state);
        ASSERT_EQ(slices.size(), 1u) << how;
        EXPECT_EQ(slices[0]->start_ns, times[0]->since_ns) << how;
        EXPECT_EQ(slices[0]->end_ns, capture.end_ns) << how;
        EXPECT_TRUE(slices[0].event->unfinished) << how;
        if (syscall >= 0) {
            EXPECT_EQ(times[0]->syscall, syscall) << how;
            EXPECT_EQ(slices[0]->syscall, syscall) << how;
        }
    }

private:
    static bool wait_for_state(pid_t pid, char letter)
    {
        for (int tries = 0, seen = 0; tries < 500; tries++) {
            const std::string text = read_file("/proc/" + std::to_string(pid) + "/stat");
            const std::size_t at = text.rfind(") ");
            seen = at != std::string::npos && text[at + 2] == letter ? seen + 1 : 0;
            if (seen > 5) {
                return true;
            }
            usleep(20'000);
        }
        return false;
    }
};

TEST_F(AttachedTo, Poll)
{
    expect_all("in-poll", 'S', IPCSCOPE_STATE_POLLING, SYS_poll,
               &decode::ThreadTime::between_polling_ns);
}

TEST_F(AttachedTo, Nanosleep)
{
    expect_all("in-nanosleep", 'S', IPCSCOPE_STATE_INTERRUPTIBLE, SYS_clock_nanosleep,
               &decode::ThreadTime::between_sleeping_ns);
}

/// A call that was entered before the trace is no call of it; its thread is asleep.
TEST_F(AttachedTo, Read)
{
    expect_all("in-read", 'S', IPCSCOPE_STATE_INTERRUPTIBLE, SYS_read,
               &decode::ThreadTime::between_sleeping_ns);
}

TEST_F(AttachedTo, Stopped)
{
    expect_all("is-stopped", 'T', IPCSCOPE_STATE_STOPPED, -1,
               &decode::ThreadTime::between_other_ns);
}

TEST_F(AttachedTo, Running)
{
    const Trace trace = attach("runs", 'R', "1");
    const ThreadLedger thread = ledger_of(trace.capture, trace.facts.at("runs"));
    EXPECT_GT(thread.sum.span_ns, 800'000'000u);
    EXPECT_EQ(thread.sum.span_ns, thread.sum.running_ns + thread.sum.runnable_ns);
    EXPECT_GT(thread.sum.running_ns, thread.sum.span_ns / 2);
    ASSERT_FALSE(thread.records.empty());
    const auto& time = std::get<decode::ThreadTime>(thread.records.back()->body);
    EXPECT_TRUE(time.state == IPCSCOPE_STATE_RUNNING || time.state == IPCSCOPE_STATE_RUNNABLE);
}

}  // namespace
}  // namespace ipcscope::conformance
