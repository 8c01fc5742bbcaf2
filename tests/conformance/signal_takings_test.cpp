// SPDX-License-Identifier: GPL-2.0-only
// How a signal was taken: what a debugger, sigaction(), exec and exit do to it.
#include <algorithm>

#include "signal_suite.hpp"

namespace ipcscope::conformance {
namespace {

class SignalTakings : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = record_workload({}, "signal_takings");
        return trace;
    }
    static const Capture& capture() { return trace().capture; }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static std::uint32_t director() { return static_cast<std::uint32_t>(fact("director")); }
    static Json row_of(const std::string& name, unsigned signal)
    {
        return signal_row(trace().report, director(), fact(name), signal);
    }
    static decode::SignalTake by_director(unsigned signal, unsigned how)
    {
        auto expected = expected_take(signal, how);
        expected.sender_pid = director();
        if (how == IPCSCOPE_TAKE_HANDLER) {
            expected.sa_flags = SA_RESTORER_;
        }
        return expected;
    }
    /// SIGKILLs of a process that ends as a group, which none generated.
    static void expect_group(const std::string& name, unsigned group, unsigned signal,
                             std::size_t threads)
    {
        EXPECT_EQ(shown(taken(capture(), fact(name), 9)),
                  std::vector<std::string>(threads, show(expected_group_exit(group, signal))))
            << name;
        EXPECT_EQ(generated(capture(), 0, fact(name), 9).size(), 0u) << name;
    }
};

TEST_F(SignalTakings, EveryTotalIsExact)
{
    expect_lossless(trace());
}

TEST_F(SignalTakings, IgnoredAsTaken)
{
    auto chosen = by_director(12, IPCSCOPE_TAKE_IGNORED);
    chosen.disposition = IPCSCOPE_DISPOSITION_IGNORE;
    auto by_default = by_director(28, IPCSCOPE_TAKE_IGNORED);
    by_default.disposition = IPCSCOPE_DISPOSITION_DEFAULT;
    auto takings = taken(capture(), fact("ignores_late"), 12);
    ASSERT_EQ(takings.size(), 1u);
    chosen.sa_flags = takings[0]->sa_flags;   // the C library's signal() chooses them
    EXPECT_EQ(shown(takings), std::vector{show(chosen)});
    EXPECT_EQ(shown(taken(capture(), fact("ignores_late"), 28)),
              std::vector{show(by_default)});
    EXPECT_EQ(row_of("ignores_late", 12)["ends"]["ignored"], 1);
    EXPECT_EQ(row_of("ignores_late", 28)["ends"]["ignored"], 1);
}

/// One record a call of sigaction(), however many were pending.
TEST_F(SignalTakings, Discarded)
{
    const std::uint64_t target = fact("discards");
    for (unsigned signal : {10u, 38u, 28u}) {
        const auto takings = taken(capture(), target, signal);
        ASSERT_EQ(takings.size(), 1u) << signal;
        EXPECT_EQ(takings[0]->how, IPCSCOPE_TAKE_DISCARDED) << signal;
        EXPECT_EQ(takings[0].event->task.tid, target);
        EXPECT_EQ(row_of("discards", signal)["latency_ns"]["count"], 0) << signal;
    }
    EXPECT_EQ(taken(capture(), target, 12).size(), 0u);
    EXPECT_EQ(row_of("discards", 10)["unmatched"]["discarded"], 1);
    EXPECT_EQ(row_of("discards", 28)["unmatched"]["discarded"], 1);
    EXPECT_EQ(row_of("discards", 38)["unmatched"]["discarded"], 3);
}

TEST_F(SignalTakings, TimerOverrun)
{
    const auto takings = taken(capture(), fact("overruns"), 41);
    ASSERT_GE(takings.size(), 1u);
    EXPECT_EQ(takings[0]->how, IPCSCOPE_TAKE_SIGWAIT);
    EXPECT_EQ(takings[0]->overrun, static_cast<std::int32_t>(fact("overruns", 1)));
}

/// Passed on, dropped and replaced.
TEST_F(SignalTakings, Debugger)
{
    const std::uint64_t target = fact("debugged");
    auto passed = by_director(10, IPCSCOPE_TAKE_HANDLER);
    passed.traced = 1;
    auto dropped = by_director(10, IPCSCOPE_TAKE_DEBUGGER);
    dropped.traced = 1;
    const auto takings = taken(capture(), target, 10);
    ASSERT_EQ(takings.size(), 3u);
    for (std::size_t i = 1; i < 3; i++) {
        EXPECT_EQ(show(*takings[i].body), show(dropped)) << i;
        EXPECT_NE(takings[i]->dequeued_ns, 0u);
    }
    EXPECT_EQ(show(*takings[0].body), show(passed));
    EXPECT_GE(takings[0].event->time_ns - takings[0]->dequeued_ns, fact("debugger_held"));

    const auto replaced = taken(capture(), target, 12);
    ASSERT_EQ(replaced.size(), 1u);
    EXPECT_EQ(replaced[0]->how, IPCSCOPE_TAKE_HANDLER);
    EXPECT_EQ(replaced[0]->dequeued_ns, 0u);
    EXPECT_EQ(replaced[0]->sender_pid, director());
    EXPECT_EQ(generated(capture(), 0, target, 12).size(), 0u);

    const Json row = row_of("debugged", 10);
    EXPECT_EQ(row["outcomes"]["delivered"], 3);
    EXPECT_EQ(row["ends"]["handler"], 1);
    EXPECT_EQ(row["ends"]["debugger"], 2);
}

/// Put back by the kernel: generated anew, by the thread that took it.
TEST_F(SignalTakings, Requeued)
{
    const std::uint64_t target = fact("debugged");
    const auto takings = taken(capture(), target, 34);
    ASSERT_EQ(takings.size(), 2u);
    EXPECT_EQ(takings[0]->how, IPCSCOPE_TAKE_DEBUGGER);
    EXPECT_EQ(takings[1]->how, IPCSCOPE_TAKE_HANDLER);
    const auto made = generated(capture(), 0, target, 34);
    ASSERT_EQ(made.size(), 2u);
    EXPECT_EQ(made[0]->requeued, 0);
    EXPECT_EQ(made[0].event->task.tgid, director());
    EXPECT_EQ(made[1]->requeued, 1);
    EXPECT_EQ(made[1].event->task.tgid, target);
    EXPECT_EQ(made[1]->blocked, 1);
    for (int i = 0; i < 2; i++) {
        EXPECT_EQ(takings[i]->traced, 1) << i;
        EXPECT_EQ(takings[i]->value, 4711u) << i;
        EXPECT_EQ(takings[i]->si_code, SI_QUEUE_) << i;
        EXPECT_EQ(made[i]->value, 4711u) << i;
        EXPECT_EQ(made[i]->si_code, SI_QUEUE_) << i;
    }
    EXPECT_LT(takings[0]->dequeued_ns, made[1]->enter_ns);
    EXPECT_LT(made[1].event->time_ns, takings[1]->dequeued_ns);
    // No other generation of this trace is one.
    EXPECT_EQ(select<decode::SignalGenerate>(capture(), [](auto&, auto& body) {
                  return body.requeued != 0;
              }).size(), 1u);
}

TEST_F(SignalTakings, GroupExit)
{
    expect_group("exit-group", IPCSCOPE_GROUP_EXIT, 0, 2);
    const auto exits = exits_of(capture(), fact("exit-group"));
    ASSERT_EQ(exits.size(), 3u);
    for (const auto& one : exits) {
        EXPECT_EQ(one->exit_code, 7 << 8);
    }
}

TEST_F(SignalTakings, CoreDump)
{
    expect_group("core-dump", IPCSCOPE_GROUP_CORE_DUMP, 11, 2);
    const auto faults = taken(capture(), fact("core-dump"), 11);
    ASSERT_EQ(faults.size(), 1u);
    EXPECT_EQ(faults[0]->how, IPCSCOPE_TAKE_DEFAULT);
    EXPECT_EQ(faults[0].event->task.tid, fact("core-dump", 1));
}

/// The other threads end, and the one that calls execve() goes on as the leader.
TEST_F(SignalTakings, ExecFromAnotherThread)
{
    const std::uint64_t process = fact("thread-execs"), thread = fact("thread-execs", 1);
    expect_group("thread-execs", IPCSCOPE_GROUP_EXEC, 0, 2);
    const auto exits = exits_of(capture(), process);
    ASSERT_EQ(exits.size(), 3u);
    EXPECT_EQ(exits[2].event->task.tid, process);
    EXPECT_EQ(exits[2]->exit_code, 5 << 8);
    EXPECT_EQ(exits[2]->group_dead, 1);
    const auto execs = select<decode::Thread>(capture(), [&](auto& event, auto& body) {
        return event.task.tgid == process && body.reason == IPCSCOPE_THREAD_EXEC;
    });
    ASSERT_EQ(execs.size(), 1u);
    EXPECT_EQ(execs[0].event->task.tid, process);
    // The old leader is freed under the number that the caller had.
    const auto freed = freed_of(capture(), process);
    EXPECT_EQ(freed.size(), 3u);
    EXPECT_TRUE(std::any_of(freed.begin(), freed.end(), [&](const auto& one) {
        return one.event->task.tid == thread;
    }));
}

}  // namespace
}  // namespace ipcscope::conformance
