// SPDX-License-Identifier: GPL-2.0-only
// Every field of every kind of signal record: signals between tasks.
#include "signal_suite.hpp"
#include "source/source.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

class SignalFields : public SignalSuite {};

TEST_F(SignalFields, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(SignalFields, RecordsAreInTheWindowAndInOrder)
{
    const Capture& seen = capture();
    std::uint64_t last = seen.host.start_ns;
    for (const decode::Event& event : seen.events) {
        if (event.cpu == source::Sink::kCollector) {
            continue;
        }
        EXPECT_LE(last, event.time_ns) << event.kind;
        last = event.time_ns;
        EXPECT_LT(event.cpu, seen.host.cpus);
    }
    EXPECT_LE(last, seen.end_ns);
}

/// One record for a generation: the send core from its entry to its exit.
TEST_F(SignalFields, TheSendIsInTheWindow)
{
    std::uint64_t previous = 0;
    for (const auto& one :
         select<decode::SignalGenerate>(capture(), [](auto&, auto&) { return true; })) {
        EXPECT_GE(one->enter_ns, capture().host.start_ns) << show(*one.body);
        if (one->origin == IPCSCOPE_ORIGIN_TIMER) {
            EXPECT_EQ(one->enter_ns, one.event->time_ns);
        } else {
            EXPECT_LT(one->enter_ns, one.event->time_ns) << show(*one.body);
        }
        EXPECT_LE(previous, one.event->time_ns);
        previous = one.event->time_ns;
    }
}

/// A signal is taken after it was generated, and what was taken by no dequeue says so.
TEST_F(SignalFields, TakingsAreInOrder)
{
    for (const auto& one :
         select<decode::SignalTake>(capture(), [](auto&, auto&) { return true; })) {
        EXPECT_LE(one->dequeued_ns, one.event->time_ns) << show(*one.body);
        EXPECT_LE(one->enter_ns, one.event->time_ns) << show(*one.body);
        if (one->how == IPCSCOPE_TAKE_SIGWAIT || one->how == IPCSCOPE_TAKE_SIGNALFD) {
            EXPECT_EQ(one->dequeued_ns, one.event->time_ns) << show(*one.body);
            EXPECT_EQ(one->enter_ns, 0u) << show(*one.body);
        }
        if (one->how == IPCSCOPE_TAKE_GROUP_EXIT) {
            EXPECT_EQ(one->dequeued_ns, 0u) << show(*one.body);
        }
        EXPECT_EQ(one->group != IPCSCOPE_GROUP_NONE, one->how == IPCSCOPE_TAKE_GROUP_EXIT)
            << show(*one.body);
    }
}

TEST_F(SignalFields, Kill)
{
    auto expected = expected_to("user", 10);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expect_generated("user", "by-kill", expected, 13);
    for (const auto& one : generated(capture(), director(), fact("user"), 10)) {
        EXPECT_EQ(one->has_info, kill_gives_info());
        EXPECT_EQ(one->sender_pid, kill_gives_info() ? director() : 0);
    }
    expect_handled("user", 10, 13, SI_USER_, SA_RESTART_ | SA_NODEFER_);
    const Json row = row_of("user", 10);
    EXPECT_EQ(row["outcomes"]["delivered"], 13);
    EXPECT_EQ(row["ends"]["handler"], 13);
    EXPECT_EQ(row["latency_ns"]["count"], 13);
    EXPECT_EQ(row["sender"]["comm"], "director");
    EXPECT_EQ(row["target"]["comm"], "by-kill");
    EXPECT_EQ(row["signal"], "SIGUSR1");
}

TEST_F(SignalFields, ThreadBySigno)
{
    auto expected = expected_to("tkill", 12);
    expected.shared = 0;
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.si_code = SI_TKILL_;
    // The same target, signal and sender as tqueue: they differ by code.
    unsigned killed = 0, queued = 0;
    for (const auto& one : generated(capture(), director(), fact("tkill"), 12)) {
        EXPECT_EQ(show(one.event->task), director_shown());
        EXPECT_EQ(name_of(one.event->target), "second thread");
        if (one->si_code == SI_TKILL_) {
            EXPECT_EQ(show(*one.body), show(expected));
            killed++;
            continue;
        }
        auto other = expected;
        other.si_code = SI_QUEUE_;
        other.value = 0x700000000ull + queued++;
        EXPECT_EQ(show(*one.body), show(other));
    }
    EXPECT_EQ(killed, 11u);
    EXPECT_EQ(queued, 3u);
    const auto takings = taken(capture(), fact("tkill"), 12);
    EXPECT_EQ(takings.size(), 14u);
    for (const auto& one : takings) {
        EXPECT_EQ(one.event->task.tid, trace().facts.at("tkill", 1));
        EXPECT_EQ(name_of(one.event->task), "second thread");
        EXPECT_EQ(one.event->process.text().str(), "by-tgkill");
        EXPECT_EQ(one->how, IPCSCOPE_TAKE_HANDLER);
        EXPECT_EQ(one->sa_flags, SA_SIGINFO_ | SA_RESTORER_);
    }
    EXPECT_EQ(row_of("tkill", 12)["outcomes"]["delivered"], 14);
    EXPECT_EQ(row_of("tkill", 12)["ends"]["handler"], 14);
}

TEST_F(SignalFields, Sigqueue)
{
    auto expected = expected_to("queue", 36);
    expected.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    expected.si_code = SI_QUEUE_;
    const auto all = generated(capture(), director(), fact("queue"), 36);
    ASSERT_EQ(all.size(), 17u);
    const auto takings = taken(capture(), fact("queue"), 36);
    ASSERT_EQ(takings.size(), 17u);
    for (std::size_t i = 0; i < all.size(); i++) {
        expected.value = 0xffff'0000'0000'0000ull + i;
        EXPECT_EQ(show(*all[i].body), show(expected));
        EXPECT_EQ(takings[i]->value, expected.value);
    }
    expect_handled("queue", 36, 17, SI_QUEUE_, SA_SIGINFO_ | SA_RESTART_);
}

TEST_F(SignalFields, EveryNumber)
{
    const std::uint64_t target = fact("every");
    for (unsigned signal = 1; signal <= 64; signal++) {
        if (signal == 9 || signal == 19) {
            continue;   // cannot be blocked: by-kill9 and stopped send these
        }
        auto expected = expected_to("every", signal);
        expected.blocked = 1;
        const auto all = generated(capture(), director(), target, signal);
        ASSERT_EQ(all.size(), 1u) << signal;
        EXPECT_EQ(show(*all[0].body), show(expected));
        auto take = expected_take(signal, IPCSCOPE_TAKE_SIGWAIT);
        take.sender_pid = static_cast<__u32>(director());
        EXPECT_EQ(shown(taken(capture(), target, signal)), std::vector{show(take)});
        const Json row = row_of("every", signal);
        EXPECT_EQ(row["outcomes"]["delivered"], 1) << signal;
        EXPECT_EQ(row["ends"]["sigwait"], 1) << signal;
    }
    // The SIGKILL at its end is no dequeue: the group exit goes ahead of the queue.
    EXPECT_EQ(taken(capture(), target, 0).size(), 63u);
    EXPECT_EQ(taken(capture(), target, 9, IPCSCOPE_TAKE_GROUP_EXIT).size(), 1u);
}

}  // namespace
}  // namespace ipcscope::conformance
