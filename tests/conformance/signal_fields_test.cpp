// SPDX-License-Identifier: GPL-2.0-only
// Every field of every kind of signal record: signals between tasks.
#include "signal_suite.hpp"

namespace ipcscope::conformance {
namespace {

class SignalFields : public SignalSuite {};

TEST_F(SignalFields, EveryTotalIsExact)
{
    expect_lossless(trace());
}

TEST_F(SignalFields, RecordsAreInTheTraceAndInOrder)
{
    const Capture& seen = capture();
    std::uint64_t last = seen.host.start_ns;
    for (const decode::Event& event : seen.events) {
        if (event.kind == IPCSCOPE_SYMBOL || event.kind == IPCSCOPE_PIPE_END) {
            continue;
        }
        EXPECT_LE(last, event.time_ns);
        last = event.time_ns;
        EXPECT_LT(event.cpu, seen.host.cpus);
        EXPECT_FALSE(event.copy_fault);
        if (const auto* send = std::get_if<decode::SignalSend>(&event.body)) {
            EXPECT_LE(send->enter_ns, event.time_ns);
            EXPECT_GE(send->enter_ns, seen.host.start_ns);
        }
        if (const auto* get = std::get_if<decode::SignalGet>(&event.body)) {
            EXPECT_LE(get->enter_ns, event.time_ns);
        }
    }
    EXPECT_LE(last, seen.end_ns);
}

/// A send encloses its generation, in the same task, one for one.
TEST_F(SignalFields, EachSendEnclosesItsGeneration)
{
    std::map<std::pair<std::uint32_t, unsigned>, std::vector<Seen<decode::SignalSend>>> sends;
    for (const auto& one : select<decode::SignalSend>(capture(), [](auto&, auto&) { return true; })) {
        sends[{one.event->task.tid, one.event->cpu}].push_back(one);
    }
    std::uint64_t matched = 0;
    for (const auto& one : select<decode::SignalGenerate>(
             capture(), [](auto&, auto& body) { return body.origin != decode::Origin::timer; })) {
        bool found = false;
        for (const auto& send : sends[{one.event->task.tid, one.event->cpu}]) {
            found |= send->enter_ns <= one.event->time_ns &&
                     one.event->time_ns <= send.event->time_ns &&
                     send->signal == one->signal && send->target_tid == one->target.tid;
        }
        EXPECT_TRUE(found) << show(*one.body);
        matched++;
    }
    EXPECT_EQ(matched, capture().decoded[IPCSCOPE_SIGNAL_SEND]);
}

TEST_F(SignalFields, Kill)
{
    auto expected = expected_to("user", "by-kill", 10);
    expected.disposition = decode::Disposition::handler;
    expect_generated("user", expected, 13);
    for (const auto& one : generated(capture(), director(), fact("user"), 10)) {
        EXPECT_EQ(one->has_info, kill_gives_info());
        EXPECT_EQ(one->sender_pid, kill_gives_info() ? director() : 0);
    }
    expect_taken("user", 10, 13, SI_USER_, SA_RESTART_ | SA_NODEFER_);
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
    auto expected = expected_to("tkill", "second thread", 12);
    expected.shared = false;
    expected.disposition = decode::Disposition::handler;
    expected.si_code = SI_TKILL_;
    // The same target, signal and sender as tqueue: tell them apart by code.
    unsigned killed = 0, queued = 0;
    for (const auto& one : generated(capture(), director(), fact("tkill"), 12)) {
        EXPECT_EQ(show(one.event->task), director_shown());
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
    for (const auto& one : delivered(capture(), fact("tkill"), 12)) {
        EXPECT_EQ(one.event->task.tid, trace().facts.at("tkill", 1));
        EXPECT_EQ(one.event->task.comm.str(), "second thread");
        EXPECT_EQ(one->sa_flags, SA_SIGINFO_ | SA_RESTORER_);
    }
    EXPECT_EQ(delivered(capture(), fact("tkill"), 12).size(), 14u);
    EXPECT_EQ(row_of("tkill", 12)["outcomes"]["delivered"], 14);
}

TEST_F(SignalFields, Sigqueue)
{
    auto expected = expected_to("queue", "by-sigqueue", 36);
    expected.disposition = decode::Disposition::handler;
    expected.si_code = SI_QUEUE_;
    const auto all = generated(capture(), director(), fact("queue"), 36);
    ASSERT_EQ(all.size(), 17u);
    const auto taken = dequeued(capture(), fact("queue"), 36);
    ASSERT_EQ(taken.size(), 17u);
    for (std::size_t i = 0; i < all.size(); i++) {
        expected.value = 0xffff'0000'0000'0000ull + i;
        EXPECT_EQ(show(*all[i].body), show(expected));
        EXPECT_EQ(taken[i]->value, expected.value);
        EXPECT_EQ(taken[i]->si_code, SI_QUEUE_);
    }
    expect_taken("queue", 36, 17, SI_QUEUE_, SA_SIGINFO_ | SA_RESTART_);
}

TEST_F(SignalFields, EveryNumber)
{
    const std::uint64_t target = fact("every");
    for (unsigned signal = 1; signal <= 64; signal++) {
        if (signal == 9 || signal == 19) {
            continue;   // cannot be blocked: by-kill9 and stopped send these
        }
        auto expected = expected_to("every", "every-number", signal);
        expected.blocked = true;
        const auto all = generated(capture(), director(), target, signal);
        ASSERT_EQ(all.size(), 1u) << signal;
        EXPECT_EQ(show(*all[0].body), show(expected));
        const auto taken = dequeued(capture(), target, signal);
        ASSERT_EQ(taken.size(), 1u) << signal;
        decode::SignalDequeue dequeue;
        dequeue.signal = signal;
        dequeue.sender_pid = static_cast<std::uint32_t>(director());
        EXPECT_EQ(show(*taken[0].body), show(dequeue));
        EXPECT_EQ(delivered(capture(), target, signal).size(), 0u) << signal;
        const Json row = row_of("every", signal);
        EXPECT_EQ(row["outcomes"]["delivered"], 1) << signal;
        EXPECT_EQ(row["ends"]["accepted"], 1) << signal;
    }
    // The SIGKILL at its end is no dequeue: the group exit goes ahead of the queue.
    EXPECT_EQ(dequeued(capture(), target, 0).size(), 62u);
}

}  // namespace
}  // namespace ipcscope::conformance
