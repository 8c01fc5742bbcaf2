// SPDX-License-Identifier: GPL-2.0-only
// Signals that are not simply delivered, and the states of their targets.
#include "signal_suite.hpp"

namespace ipcscope::conformance {
namespace {

using decode::Disposition;
using decode::Origin;
using decode::Outcome;
using decode::State;

class SignalOutcomes : public SignalSuite {};

std::vector<std::string> shown(const std::vector<Seen<decode::SignalGenerate>>& all)
{
    std::vector<std::string> lines;
    for (const auto& one : all) {
        lines.push_back(show(*one.body));
    }
    return lines;
}

TEST_F(SignalOutcomes, Ignored)
{
    auto expected = expected_to("ignored", "ignores", 12);
    expected.disposition = Disposition::ignore;
    expected.outcome = Outcome::ignored;
    expect_generated("ignored", expected, 19);
    EXPECT_EQ(delivered(capture(), fact("ignored"), 12).size(), 0u);
    EXPECT_EQ(dequeued(capture(), fact("ignored"), 12).size(), 0u);
    EXPECT_EQ(row_of("ignored", 12)["outcomes"]["ignored"], 19);
    EXPECT_EQ(row_of("ignored", 12)["latency_ns"]["count"], 0);
}

TEST_F(SignalOutcomes, AlreadyPending)
{
    auto first = expected_to("coalesce", "coalesces", 10);
    first.disposition = Disposition::handler;
    first.blocked = true;
    auto more = first;
    more.outcome = Outcome::already_pending;
    std::vector<std::string> expected(23, show(more));
    expected[0] = show(first);
    EXPECT_EQ(shown(generated(capture(), director(), fact("coalesce"), 10)), expected);
    expect_taken("coalesce", 10, 1, SI_USER_, 0);
    const Json row = row_of("coalesce", 10);
    EXPECT_EQ(row["outcomes"]["delivered"], 1);
    EXPECT_EQ(row["outcomes"]["already_pending"], 22);
    EXPECT_EQ(row["latency_ns"]["count"], 1);
}

/// RLIMIT_SIGPENDING is 5: a queued signal beyond fails, one by kill() loses its
/// information, and so does a standard one by sigqueue().
TEST_F(SignalOutcomes, BeyondTheLimit)
{
    auto base = expected_to("limit", "at-the-limit", 37);
    base.blocked = true;
    base.si_code = SI_QUEUE_;
    std::vector<std::string> expected;
    for (std::uint64_t i = 0; i < 7; i++) {
        base.value = i;
        base.outcome = i < 5 ? Outcome::delivered : Outcome::overflow;
        expected.push_back(show(base));
    }
    EXPECT_EQ(shown(generated(capture(), director(), fact("limit"), 37)), expected);
    const auto sends = sent(capture(), director(), fact("limit"), 37);
    ASSERT_EQ(sends.size(), 7u);
    for (std::size_t i = 0; i < sends.size(); i++) {
        EXPECT_EQ(sends[i]->ret, i < 5 ? 0 : -11);
    }
    EXPECT_EQ(row_of("limit", 37)["outcomes"]["delivered"], 5);
    EXPECT_EQ(row_of("limit", 37)["outcomes"]["overflow"], 2);
    EXPECT_EQ(row_of("limit", 37)["unmatched"]["target_exited"], 5);

    auto lost = expected_to("limit", "at-the-limit", 38);
    lost.blocked = true;
    lost.outcome = Outcome::info_lost;
    expect_generated("limit", lost, 3);
    EXPECT_EQ(row_of("limit", 38)["outcomes"]["info_lost"], 3);

    auto standard = expected_to("limit", "at-the-limit", 10);
    standard.blocked = true;
    standard.si_code = SI_QUEUE_;
    standard.value = 77;
    standard.outcome = Outcome::info_lost;
    auto again = standard;
    again.outcome = Outcome::already_pending;
    EXPECT_EQ(shown(generated(capture(), director(), fact("limit"), 10)),
              (std::vector{show(standard), show(again)}));
}

TEST_F(SignalOutcomes, Stopped)
{
    auto stop = expected_to("stopped", "stops", 19);
    expect_generated("stopped", stop, 1);
    const auto stops = delivered(capture(), fact("stopped"), 19);
    ASSERT_EQ(stops.size(), 1u);
    EXPECT_EQ(stops[0]->disposition, Disposition::standard);

    auto first = expected_to("stopped", "stops", 10);
    first.disposition = Disposition::handler;
    first.target_state = State::stopped;
    auto more = first;
    more.outcome = Outcome::already_pending;
    std::vector<std::string> expected(5, show(more));
    expected[0] = show(first);
    EXPECT_EQ(shown(generated(capture(), director(), fact("stopped"), 10)), expected);

    auto resume = expected_to("stopped", "stops", 18);
    resume.target_state = State::stopped;
    resume.outcome = Outcome::ignored;   // it continues all the same
    expect_generated("stopped", resume, 1);

    // The parent is told of both: CLD_STOPPED 5, CLD_CONTINUED 6.
    std::vector<int> codes;
    for (const auto& one : generated(capture(), fact("stopped"), director(), 17)) {
        codes.push_back(one->si_code);
        EXPECT_EQ(one->sender_pid, fact("stopped"));
    }
    EXPECT_EQ(codes, (std::vector{5, 6, 2}));   // and CLD_KILLED 2 at its end
}

TEST_F(SignalOutcomes, Spinning)
{
    auto expected = expected_to("spinning", "spins", 39);
    expected.disposition = Disposition::handler;
    expected.target_state = State::running;
    expect_generated("spinning", expected, 7);
    expect_taken("spinning", 39, 7, SI_USER_, 0);
}

TEST_F(SignalOutcomes, TracedTarget)
{
    auto expected = expected_to("traced", "is-traced", 10);
    expected.disposition = Disposition::handler;
    expected.target_state = State::traced;
    expect_generated("traced", expected, 1);
}

TEST_F(SignalOutcomes, Zombie)
{
    const auto all = generated(capture(), director(), fact("zombie"), 10);
    EXPECT_EQ(all.size(), 3u);
    for (const auto& one : all) {
        EXPECT_EQ(one->target_state, State::zombie);
        EXPECT_EQ(one->target.comm.str(), "is-dead");
    }
    EXPECT_EQ(delivered(capture(), fact("zombie"), 0).size(), 0u);
}

/// PID 1 of a pid namespace ignores what it has no handler for; it cannot see
/// who sends from outside, and sees its own children by their inner numbers.
TEST_F(SignalOutcomes, NamespaceInit)
{
    const std::uint64_t init = fact("init"), outside = fact("ns_director");
    auto term = expected_to("init", "ns-init", 15);
    term.sender_pid = 0;
    term.outcome = Outcome::ignored;
    term.unkillable = true;
    const auto terms = generated(capture(), outside, init, 15);
    EXPECT_EQ(shown(terms), std::vector<std::string>(17, show(term)));
    const Json row = signal_row(trace().report, outside, init, 15);
    EXPECT_EQ(row["outcomes"]["ignored"], 17);
    EXPECT_EQ(row["to_unkillable"], 17);

    auto inner = term;
    inner.signal = 12;
    inner.sender_pid = 2;
    EXPECT_EQ(shown(generated(capture(), 0, init, 12)),
              std::vector<std::string>(3, show(inner)));
    inner.signal = 10;
    inner.outcome = Outcome::delivered;
    inner.disposition = Disposition::handler;
    const auto handled = generated(capture(), 0, init, 10);
    EXPECT_EQ(shown(handled), std::vector<std::string>{show(inner)});
    for (const auto& one : handled) {
        EXPECT_EQ(one.event->task.comm.str(), "ns-child");
        EXPECT_NE(one.event->task.tgid, 2u);   // the header has the outer number
    }

    auto kill = term;
    kill.signal = 9;
    kill.outcome = Outcome::delivered;
    kill.fatal = true;
    EXPECT_EQ(shown(generated(capture(), outside, init, 9)), std::vector{show(kill)});
}

TEST_F(SignalOutcomes, PosixTimer)
{
    auto expected = expected_to("timer", "has-timer", 40);
    expected.disposition = Disposition::handler;
    expected.si_code = SI_TIMER_;
    expected.origin = Origin::timer;
    expected.value = 0x1234'5678'9abcull;
    expected.sender_pid = static_cast<std::uint32_t>(fact("timer_id"));
    const auto all = generated(capture(), 0, fact("timer"), 40);
    EXPECT_EQ(all.size(), 13u);
    for (const auto& one : all) {
        // It slept in short naps: the moment is not ours to choose.
        expected.target_state = one->target_state;
        EXPECT_EQ(show(*one.body), show(expected));
        EXPECT_TRUE(one->target_state == State::interruptible ||
                    one->target_state == State::running);
    }
    EXPECT_EQ(sent(capture(), 0, fact("timer"), 40).size(), 0u);
    const auto taken = dequeued(capture(), fact("timer"), 40);
    EXPECT_EQ(taken.size(), 13u);
    for (const auto& one : taken) {
        EXPECT_EQ(one->si_code, SI_TIMER_);
        EXPECT_EQ(one->value, expected.value);
    }
    EXPECT_EQ(delivered(capture(), fact("timer"), 40).size(), 13u);
    const Json row = signal_row(trace().report, 0, fact("timer"), 40);
    EXPECT_EQ(row["origin"], "timer");
    EXPECT_EQ(row["outcomes"]["delivered"], 13);
    EXPECT_EQ(row["ends"]["handler"], 13);
}

/// The kernel's own: no siginfo given (SEND_SIG_PRIV), made up when it is taken.
TEST_F(SignalOutcomes, AlarmClock)
{
    auto expected = expected_to("alarm", "has-alarm", 14);
    expected.disposition = Disposition::handler;
    expected.origin = Origin::kernel;
    expected.has_info = false;
    expected.sender_pid = 0;
    const auto all = generated(capture(), 0, fact("alarm"), 14);
    EXPECT_EQ(all.size(), 3u);
    for (const auto& one : all) {
        expected.target_state = one->target_state;
        EXPECT_EQ(show(*one.body), show(expected));
    }
    EXPECT_EQ(sent(capture(), 0, fact("alarm"), 14).size(), 3u);
    expect_taken("alarm", 14, 3, SI_KERNEL_, SA_RESTART_);
    const Json row = signal_row(trace().report, 0, fact("alarm"), 14);
    EXPECT_EQ(row["origin"], "kernel");
    EXPECT_EQ(row["latency_ns"]["count"], 3);
}

/// Synchronous: by the faulting task, to itself; never dequeued the usual way.
TEST_F(SignalOutcomes, Faults)
{
    constexpr int kAccessError = 2;   // SEGV_ACCERR
    auto expected = expected_to("fault", "faults", 11);
    expected.disposition = Disposition::handler;
    expected.si_code = kAccessError;
    expected.sender_pid = 0;
    expected.shared = false;
    expected.target_state = State::running;
    const auto all = generated(capture(), fact("fault"), fact("fault"), 11);
    EXPECT_EQ(shown(all), std::vector<std::string>(5, show(expected)));
    const auto taken = delivered(capture(), fact("fault"), 11);
    EXPECT_EQ(taken.size(), 5u);
    for (const auto& one : taken) {
        EXPECT_EQ(one->si_code, kAccessError);
        EXPECT_EQ(one->disposition, Disposition::handler);
    }
    EXPECT_EQ(dequeued(capture(), fact("fault"), 11).size(), 0u);
    const Json row = signal_row(trace().report, fact("fault"), fact("fault"), 11);
    EXPECT_EQ(row["ends"]["handler"], 5);

    const auto fatal = generated(capture(), 0, fact("fatal_fault"), 11);
    ASSERT_EQ(fatal.size(), 1u);
    EXPECT_TRUE(fatal[0]->fatal);
    const auto last = delivered(capture(), fact("fatal_fault"), 11);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_EQ(last[0]->disposition, Disposition::standard);
}

TEST_F(SignalOutcomes, DyingChildren)
{
    const auto& children = trace().facts.all("exits");
    ASSERT_EQ(children.size(), 7u);
    for (const Numbers& child : children) {
        const auto told = generated(capture(), child[0], director(), 17);
        ASSERT_EQ(told.size(), 1u);
        EXPECT_EQ(told[0]->si_code, 1);   // CLD_EXITED
        EXPECT_EQ(told[0]->sender_pid, child[0]);
        EXPECT_EQ(told[0]->outcome, Outcome::ignored);
        EXPECT_EQ(told[0]->shared, true);
        EXPECT_EQ(told[0]->target.comm.str(), "director");
        const auto exits = select<decode::TaskExit>(capture(), [&](auto& event, auto&) {
            return event.task.tgid == child[0];
        });
        ASSERT_EQ(exits.size(), 1u);
        EXPECT_EQ(exits[0]->exit_code, static_cast<int>(child[1] << 8));
        EXPECT_TRUE(exits[0]->group_dead);
        EXPECT_EQ(exits[0].event->task.comm.str(), "exits");
        const auto freed = select<decode::TaskFree>(capture(), [&](auto&, auto& body) {
            return body.task.tgid == child[0];
        });
        ASSERT_EQ(freed.size(), 1u);
        EXPECT_EQ(freed[0]->task.tid, child[0]);
        EXPECT_EQ(freed[0]->task.comm.str(), "exits");
        EXPECT_GE(freed[0].event->time_ns, exits[0].event->time_ns);
    }
}

/// A fatal signal becomes the group's exit: every thread is delivered a SIGKILL
/// that nobody generated.
TEST_F(SignalOutcomes, FatalToThreads)
{
    for (const auto& [name, signal] : {std::pair{"by-term", 15u}, {"by-kill9", 9u}}) {
        auto expected = expected_to(name, name, signal);
        expected.fatal = true;
        expect_generated(name, expected, 1);
        const auto deaths = delivered(capture(), fact(name), 9);
        EXPECT_EQ(deaths.size(), 3u) << name;
        EXPECT_EQ(delivered(capture(), fact(name), 15).size(), 0u) << name;
        unsigned dead = 0;
        const auto exits = select<decode::TaskExit>(capture(), [&](auto& event, auto&) {
            return event.task.tgid == fact(name);
        });
        EXPECT_EQ(exits.size(), 3u) << name;
        for (const auto& one : exits) {
            EXPECT_EQ(one->exit_code, static_cast<int>(signal)) << name;
            dead += one->group_dead;
        }
        // Threads that exit on two CPUs at once both find nobody else alive.
        EXPECT_GE(dead, 1u) << name;
        EXPECT_LE(dead, 2u) << name;
        const auto freed = select<decode::TaskFree>(capture(), [&](auto&, auto& body) {
            return body.task.tgid == fact(name);
        });
        EXPECT_EQ(freed.size(), 3u) << name;
        const Json row = row_of(name, signal);
        EXPECT_EQ(row["outcomes"]["delivered"], 1) << name;
        EXPECT_EQ(row["ends"]["death"], 1) << name;
        EXPECT_EQ(row["latency_ns"]["count"], 1) << name;
    }
    auto one = expected_to("one-by-kill9", "one-by-kill9", 9);
    one.fatal = true;
    expect_generated("one-by-kill9", one, 1);
    EXPECT_EQ(delivered(capture(), fact("one-by-kill9"), 9).size(), 1u);
    // The call of get_signal() that ends a task does not return.
    const auto last = select<decode::SignalGet>(capture(), [&](auto& event, auto&) {
        return event.task.tgid == fact("one-by-kill9") && event.unfinished;
    });
    EXPECT_EQ(last.size(), 1u);
    EXPECT_EQ(trace().report["orphans"]["unknown"], 0);
}

}  // namespace
}  // namespace ipcscope::conformance
