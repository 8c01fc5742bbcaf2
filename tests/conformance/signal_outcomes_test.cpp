// SPDX-License-Identifier: GPL-2.0-only
// Signals that are not simply delivered, and the states of their targets.
#include "signal_suite.hpp"

namespace ipcscope::conformance {
namespace {

class SignalOutcomes : public SignalSuite {};

TEST_F(SignalOutcomes, Ignored)
{
    auto expected = expected_to("ignored", 12);
    expected.disposition = IPCSCOPE_DISPOSITION_IGNORE;
    expected.result = IPCSCOPE_RESULT_IGNORED;
    expect_generated("ignored", "ignores", expected, 19);
    EXPECT_EQ(taken(capture(), fact("ignored"), 12).size(), 0u);
    EXPECT_EQ(row_of("ignored", 12)["outcomes"]["ignored"], 19);
    EXPECT_EQ(row_of("ignored", 12)["latency_ns"]["count"], 0);
}

TEST_F(SignalOutcomes, AlreadyPending)
{
    auto first = expected_to("coalesce", 10);
    first.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    first.blocked = 1;
    auto more = first;
    more.result = IPCSCOPE_RESULT_ALREADY_PENDING;
    std::vector<std::string> expected(23, show(more));
    expected[0] = show(first);
    EXPECT_EQ(shown(generated(capture(), director(), fact("coalesce"), 10)), expected);
    expect_handled("coalesce", 10, 1, SI_USER_, 0);
    const Json row = row_of("coalesce", 10);
    EXPECT_EQ(row["outcomes"]["delivered"], 1);
    EXPECT_EQ(row["outcomes"]["already_pending"], 22);
    EXPECT_EQ(row["latency_ns"]["count"], 1);
}

/// RLIMIT_SIGPENDING is 5: a queued signal beyond fails, one by kill() loses its
/// information, and so does a standard one by sigqueue().
TEST_F(SignalOutcomes, BeyondTheLimit)
{
    auto base = expected_to("limit", 37);
    base.blocked = 1;
    base.si_code = SI_QUEUE_;
    std::vector<std::string> expected;
    for (std::uint64_t i = 0; i < 7; i++) {
        base.value = i;
        base.result = i < 5 ? IPCSCOPE_RESULT_DELIVERED : IPCSCOPE_RESULT_OVERFLOW;
        base.ret = i < 5 ? 0 : -11;
        expected.push_back(show(base));
    }
    EXPECT_EQ(shown(generated(capture(), director(), fact("limit"), 37)), expected);
    EXPECT_EQ(row_of("limit", 37)["outcomes"]["delivered"], 5);
    EXPECT_EQ(row_of("limit", 37)["outcomes"]["overflow"], 2);
    EXPECT_EQ(row_of("limit", 37)["unmatched"]["target_exited"], 5);

    auto lost = expected_to("limit", 38);
    lost.blocked = 1;
    lost.result = IPCSCOPE_RESULT_INFO_LOST;
    expect_generated("limit", "at-the-limit", lost, 3);
    EXPECT_EQ(row_of("limit", 38)["outcomes"]["info_lost"], 3);

    auto standard = expected_to("limit", 10);
    standard.blocked = 1;
    standard.si_code = SI_QUEUE_;
    standard.value = 77;
    standard.result = IPCSCOPE_RESULT_INFO_LOST;
    auto again = standard;
    again.result = IPCSCOPE_RESULT_ALREADY_PENDING;
    EXPECT_EQ(shown(generated(capture(), director(), fact("limit"), 10)),
              (std::vector{show(standard), show(again)}));
}

TEST_F(SignalOutcomes, Stopped)
{
    auto stop = expected_to("stopped", 19);
    expect_generated("stopped", "stops", stop, 1);
    auto taking = expected_take(19, IPCSCOPE_TAKE_DEFAULT);
    taking.sender_pid = static_cast<__u32>(director());
    EXPECT_EQ(shown(taken(capture(), fact("stopped"), 19)), std::vector{show(taking)});

    auto first = expected_to("stopped", 10);
    first.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    first.target_state = IPCSCOPE_STATE_STOPPED;
    auto more = first;
    more.result = IPCSCOPE_RESULT_ALREADY_PENDING;
    std::vector<std::string> expected(5, show(more));
    expected[0] = show(first);
    EXPECT_EQ(shown(generated(capture(), director(), fact("stopped"), 10)), expected);

    auto resume = expected_to("stopped", 18);
    resume.target_state = IPCSCOPE_STATE_STOPPED;
    resume.result = IPCSCOPE_RESULT_IGNORED;   // it continues all the same
    expect_generated("stopped", "stops", resume, 1);

    // The parent gets a SIGCHLD for both: CLD_STOPPED 5, CLD_CONTINUED 6.
    std::vector<int> codes;
    for (const auto& one : generated(capture(), fact("stopped"), director(), 17)) {
        codes.push_back(one->si_code);
        EXPECT_EQ(one->sender_pid, fact("stopped"));
    }
    EXPECT_EQ(codes, (std::vector{5, 6, 2}));   // and CLD_KILLED 2 at its end
}

TEST_F(SignalOutcomes, Spinning)
{
    auto expected = expected_to("spinning", 39);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.target_state = IPCSCOPE_STATE_RUNNING;
    expect_generated("spinning", "spins", expected, 7);
    expect_handled("spinning", 39, 7, SI_USER_, 0);
}

TEST_F(SignalOutcomes, TracedTarget)
{
    auto expected = expected_to("traced", 10);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.target_state = IPCSCOPE_STATE_TRACED;
    expect_generated("traced", "is-traced", expected, 1);
}

TEST_F(SignalOutcomes, Zombie)
{
    const auto all = generated(capture(), director(), fact("zombie"), 10);
    EXPECT_EQ(all.size(), 3u);
    for (const auto& one : all) {
        EXPECT_EQ(one->target_state, IPCSCOPE_STATE_ZOMBIE);
        EXPECT_EQ(name_of(one.event->target), "is-dead");
    }
    EXPECT_EQ(taken(capture(), fact("zombie"), 0).size(), 0u);
}

/// PID 1 of a pid namespace ignores what it has no handler for; it cannot see
/// who sends from outside, and sees its own children by their inner numbers.
TEST_F(SignalOutcomes, NamespaceInit)
{
    const std::uint64_t init = fact("init"), outside = fact("ns_director");
    auto term = expected_to("init", 15);
    term.sender_pid = 0;
    term.result = IPCSCOPE_RESULT_IGNORED;
    term.unkillable = 1;
    const auto terms = generated(capture(), outside, init, 15);
    EXPECT_EQ(shown(terms), std::vector<std::string>(17, show(term)));
    const Json row = signal_row(trace().report, outside, init, 15);
    EXPECT_EQ(row["outcomes"]["ignored"], 17);
    EXPECT_EQ(row["to_unkillable"], 17);

    auto inner = term;
    inner.sig = 12;
    inner.sender_pid = 2;
    EXPECT_EQ(shown(generated(capture(), 0, init, 12)),
              std::vector<std::string>(3, show(inner)));
    inner.sig = 10;
    inner.result = IPCSCOPE_RESULT_DELIVERED;
    inner.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    const auto handled = generated(capture(), 0, init, 10);
    EXPECT_EQ(shown(handled), std::vector<std::string>{show(inner)});
    for (const auto& one : handled) {
        EXPECT_EQ(name_of(one.event->task), "ns-child");
        EXPECT_NE(one.event->task.tgid, 2u);   // the header has the outer number
    }

    auto kill = term;
    kill.sig = 9;
    kill.result = IPCSCOPE_RESULT_DELIVERED;
    kill.fatal = 1;
    EXPECT_EQ(shown(generated(capture(), outside, init, 9)), std::vector{show(kill)});
}

TEST_F(SignalOutcomes, PosixTimer)
{
    auto expected = expected_to("timer", 40);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.si_code = SI_TIMER_;
    expected.origin = IPCSCOPE_ORIGIN_TIMER;
    expected.value = 0x1234'5678'9abcull;
    expected.sender_pid = 0;   // siginfo has the timer's number in its place
    const auto all = generated(capture(), 0, fact("timer"), 40);
    EXPECT_EQ(all.size(), 13u);
    for (const auto& one : all) {
        // It slept for short times: at the send it may have slept or run, or, with PREEMPT_RT,
        // where a thread sends it, have been preempted.
        expected.target_state = one->target_state;
        EXPECT_EQ(show(*one.body), show(expected));
        EXPECT_TRUE(one->target_state == IPCSCOPE_STATE_INTERRUPTIBLE ||
                    one->target_state == IPCSCOPE_STATE_RUNNING ||
                    one->target_state == IPCSCOPE_STATE_RUNNABLE);
    }
    auto take = expected_take(40, IPCSCOPE_TAKE_HANDLER);
    take.si_code = SI_TIMER_;
    take.value = expected.value;
    take.sa_flags = SA_RESTORER_;
    EXPECT_EQ(shown(taken(capture(), fact("timer"), 40)),
              std::vector<std::string>(13, show(take)));
    const Json row = signal_row(trace().report, 0, fact("timer"), 40);
    EXPECT_EQ(row["origin"], "timer");
    EXPECT_EQ(row["outcomes"]["delivered"], 13);
    EXPECT_EQ(row["ends"]["handler"], 13);
}

/// The kernel's own: no siginfo given (SEND_SIG_PRIV), made up when it is taken.
TEST_F(SignalOutcomes, AlarmClock)
{
    auto expected = expected_to("alarm", 14);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.origin = IPCSCOPE_ORIGIN_ITIMER;
    expected.has_info = 0;
    expected.sender_pid = 0;
    const auto all = generated(capture(), 0, fact("alarm"), 14);
    EXPECT_EQ(all.size(), 3u);
    for (const auto& one : all) {
        expected.target_state = one->target_state;
        EXPECT_EQ(show(*one.body), show(expected));
    }
    expect_handled("alarm", 14, 3, SI_KERNEL_, SA_RESTART_);
    const Json row = signal_row(trace().report, 0, fact("alarm"), 14);
    EXPECT_EQ(row["origin"], "itimer");
    EXPECT_EQ(row["latency_ns"]["count"], 3);
}

/// Synchronous: by the faulting task, to itself; never dequeued the usual way.
TEST_F(SignalOutcomes, Faults)
{
    constexpr int kAccessError = 2;   // SEGV_ACCERR
    auto expected = expected_to("fault", 11);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.origin = IPCSCOPE_ORIGIN_FAULT;
    expected.si_code = kAccessError;
    expected.sender_pid = 0;
    expected.shared = 0;
    expected.target_state = IPCSCOPE_STATE_RUNNING;
    const auto all = generated(capture(), fact("fault"), fact("fault"), 11);
    EXPECT_EQ(shown(all), std::vector<std::string>(5, show(expected)));
    auto take = expected_take(11, IPCSCOPE_TAKE_HANDLER);
    take.si_code = kAccessError;
    take.sa_flags = SA_RESTORER_;
    const auto takings = taken(capture(), fact("fault"), 11);
    EXPECT_EQ(shown(takings), std::vector<std::string>(5, show(take)));
    for (const auto& one : takings) {
        EXPECT_EQ(one->dequeued_ns, 0u);
    }
    const Json row = signal_row(trace().report, fact("fault"), fact("fault"), 11);
    EXPECT_EQ(row["ends"]["handler"], 5);

    const auto fatal = generated(capture(), 0, fact("fatal_fault"), 11);
    ASSERT_EQ(fatal.size(), 1u);
    EXPECT_TRUE(fatal[0]->fatal);
    take = expected_take(11, IPCSCOPE_TAKE_DEFAULT);
    take.si_code = kAccessError;
    EXPECT_EQ(shown(taken(capture(), fact("fatal_fault"), 0)), std::vector{show(take)});
}

TEST_F(SignalOutcomes, DyingChildren)
{
    const auto& children = trace().facts.all("exits");
    ASSERT_EQ(children.size(), 7u);
    for (const Numbers& child : children) {
        const auto notified = generated(capture(), child[0], director(), 17);
        ASSERT_EQ(notified.size(), 1u);
        EXPECT_EQ(notified[0]->si_code, 1);   // CLD_EXITED
        EXPECT_EQ(notified[0]->sender_pid, child[0]);
        EXPECT_EQ(notified[0]->result, IPCSCOPE_RESULT_IGNORED);
        EXPECT_EQ(notified[0]->shared, 1);
        EXPECT_EQ(name_of(notified[0].event->target), "director");
        const auto exits = exits_of(capture(), child[0]);
        ASSERT_EQ(exits.size(), 1u);
        EXPECT_EQ(exits[0]->exit_code, static_cast<int>(child[1] << 8));
        EXPECT_EQ(exits[0]->group_dead, 1);
        EXPECT_EQ(exits[0]->state, IPCSCOPE_STATE_DEAD);
        EXPECT_EQ(name_of(exits[0].event->task), "exits");
        EXPECT_GE(exits[0].event->time_ns, notified[0].event->time_ns);
        const auto freed = freed_of(capture(), child[0]);
        ASSERT_EQ(freed.size(), 1u);
        EXPECT_EQ(freed[0].event->task.tid, child[0]);
        EXPECT_EQ(name_of(freed[0].event->task), "exits");
    }
}

/// A fatal signal becomes the group's exit: every thread takes a SIGKILL that no
/// process generated, and each says which signal ends the process.
TEST_F(SignalOutcomes, FatalToThreads)
{
    for (const auto& [name, signal] : {std::pair{"by-term", 15u}, {"by-kill9", 9u}}) {
        auto expected = expected_to(name, signal);
        expected.fatal = 1;
        expect_generated(name, name, expected, 1);
        EXPECT_EQ(shown(taken(capture(), fact(name), 0)),
                  std::vector<std::string>(
                      3, show(expected_group_exit(IPCSCOPE_GROUP_EXIT, signal)))) << name;
        unsigned dead = 0;
        const auto exits = exits_of(capture(), fact(name));
        EXPECT_EQ(exits.size(), 3u) << name;
        for (const auto& one : exits) {
            EXPECT_EQ(one->exit_code, static_cast<int>(signal)) << name;
            dead += one->group_dead;
        }
        EXPECT_GE(dead, 1u) << name;
        EXPECT_LE(dead, 3u) << name;
        EXPECT_EQ(freed_of(capture(), fact(name)).size(), 3u) << name;
        const Json row = row_of(name, signal);
        EXPECT_EQ(row["outcomes"]["delivered"], 1) << name;
        EXPECT_EQ(row["ends"]["death"], 1) << name;
        EXPECT_EQ(row["latency_ns"]["count"], 1) << name;
    }
    auto one = expected_to("one-by-kill9", 9);
    one.fatal = 1;
    expect_generated("one-by-kill9", "one-by-kill9", one, 1);
    EXPECT_EQ(taken(capture(), fact("one-by-kill9"), 0).size(), 1u);
    EXPECT_EQ(trace().report["orphans"]["unknown"], 0);
}

}  // namespace
}  // namespace ipcscope::conformance
