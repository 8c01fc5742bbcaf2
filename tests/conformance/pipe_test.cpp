// SPDX-License-Identifier: GPL-2.0-only
// Every field of every read and write of a pipe or FIFO.
#include <csignal>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "guest.hpp"
#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

constexpr std::int64_t kRestartSys = 512;   // ERESTARTSYS: EINTR to user space

class Pipes : public testing::Test {
protected:
    static const Trace& trace()
    {
        static const Trace trace = [] {
            Trace recorded = record_workload({}, "pipe_fields", {mount_tmpfs("1m")});
            for (std::size_t i = 0; i < 2; i++) {   // left behind on purpose
                const auto pid = static_cast<pid_t>(recorded.facts.at("unfinished_by", i));
                if (pid > 1) {
                    ::kill(pid, SIGKILL);
                }
            }
            return recorded;
        }();
        return trace;
    }
    static std::uint64_t fact(const std::string& name, std::size_t n = 0)
    {
        return trace().facts.at(name, n);
    }
    static Calls calls(const std::string& name, bool write)
    {
        return calls_on(trace().capture, write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ,
                        fact(name));
    }
    static Json row(const std::string& name) { return pipe_row(trace().report, fact(name)); }

    /// A call on the pipe of fact `name` as it is made by default.
    static decode::Call call(const std::string& name, bool write, std::uint32_t bytes)
    {
        auto expected = blank<decode::Call>(IPCSCOPE_CALL_PIPE);
        expected.op = write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ;
        expected.type = IPCSCOPE_OBJECT_PIPE;
        expected.object = fact(name, 0);
        expected.dev = static_cast<std::uint32_t>(fact(name, 1));
        expected.requested = bytes;
        expected.ret = static_cast<std::int32_t>(bytes);
        expected.tail.pipe.ring_slots = 16;
        expected.tail.pipe.used_slots = write ? 0 : 1;
        expected.tail.pipe.readers = expected.tail.pipe.writers = 1;
        return expected;
    }
    static void expect_calls(const Calls& seen, const decode::Call& expected,
                             std::size_t count)
    {
        EXPECT_EQ(seen.size(), count);
        for (const auto& one : seen) {
            EXPECT_EQ(show(*one.body), show(expected));
        }
    }
};

TEST_F(Pipes, EveryTotalIsExact)
{
    expect_lossless(trace());
    expect_time_ledgers(trace());
}

TEST_F(Pipes, TimesAreInOrder)
{
    for (const auto& one : select<decode::Call>(trace().capture, [](auto&, auto&) { return true; })) {
        const std::string line = show(*one.body);
        EXPECT_LE(one->since_ns, one->enter_ns) << line;
        EXPECT_LE(one->enter_ns, one.event->time_ns) << line;
        EXPECT_GE(one->since_ns, trace().capture.host.start_ns) << line;
        EXPECT_LE(one->blocked_ns + one->runnable_ns + one->uninterruptible_ns,
                  one.event->time_ns - one->enter_ns) << line;
        // Woken while it was still leaving the CPU, it has slept for no time.
        EXPECT_GE(one->sleeps, one->blocked_ns > 0) << line;
        EXPECT_LE(one->sleeps > 0, one->blocked_ns + one->runnable_ns > 0) << line;
        if (!one.event->unfinished) {
            EXPECT_EQ(one->woken_before_ns > 0, one->sleeps > 0) << line;
        }
        EXPECT_LE(one->woken_before_ns + one->blocked_ns, one.event->time_ns - one->enter_ns)
            << line;
    }
}

/// A record is short where the thread only ran, and it is what the contract promises.
TEST_F(Pipes, RecordSizes)
{
    unsigned shorts = 0, longs = 0;
    for (const auto& one : select<decode::Call>(trace().capture, [](auto&, auto&) { return true; })) {
        const decode::Call& call = *one.body;
        const std::uint64_t not_running =
            call.blocked_ns + call.runnable_ns + call.uninterruptible_ns +
            call.between_runnable_ns + call.between_sleeping_ns + call.between_polling_ns +
            call.between_uninterruptible_ns + call.between_killable_ns + call.between_other_ns;
        if (one->header.size == sizeof(ipcscope_call)) {
            EXPECT_EQ(not_running, 0u) << show(call);
            shorts++;
        } else {
            EXPECT_EQ(one->header.size, sizeof(ipcscope_call_split)) << show(call);
            EXPECT_TRUE(not_running > 0 || one.event->unfinished) << show(call);
            longs++;
        }
    }
    EXPECT_GT(shorts, 100u);
    EXPECT_GT(longs, 3u);
}

TEST_F(Pipes, InTurn)
{
    expect_calls(calls("in_turn", true), call("in_turn", true, 13), 97);
    expect_calls(calls("in_turn", false), call("in_turn", false, 13), 97);
    for (const auto& one : calls("in_turn", true)) {
        EXPECT_EQ(show(one.event->task), fmt::format("{0}/{0} \"director\"", fact("director")));
    }
    const Json pipe = row("in_turn");
    EXPECT_EQ(pipe["kind"], "pipe");
    EXPECT_EQ(pipe["ring_pages"], 16);
    EXPECT_EQ(pipe["writes"]["count"], 97);
    EXPECT_EQ(pipe["writes"]["bytes"], 97 * 13);
    EXPECT_EQ(pipe["reads"]["count"], 97);
    EXPECT_EQ(pipe["reads"]["bytes"], 97 * 13);
    EXPECT_EQ(pipe["reads"]["latency_ns"]["count"], 97);
    EXPECT_EQ(pipe["readers"][0]["comm"], "director");
    EXPECT_EQ(pipe["writers"][0]["pid"], fact("director"));
}

TEST_F(Pipes, PacketsFillTheRing)
{
    const auto writes = calls("packets", true), reads = calls("packets", false);
    ASSERT_EQ(writes.size(), 31u);
    ASSERT_EQ(reads.size(), 31u);
    for (std::uint32_t i = 0; i < 31; i++) {
        auto expected = call("packets", true, i + 1);
        expected.flags = IPCSCOPE_CALL_PACKET;
        expected.tail.pipe.ring_slots = 32;
        expected.tail.pipe.used_slots = i;
        EXPECT_EQ(show(*writes[i].body), show(expected));
        expected = call("packets", false, 4096);
        // The mode is the write end's alone.
        expected.tail.pipe.ring_slots = 32;
        expected.tail.pipe.used_slots = 31 - i;
        expected.ret = static_cast<std::int32_t>(i + 1);
        EXPECT_EQ(show(*reads[i].body), show(expected));
    }
}

TEST_F(Pipes, Nonblocking)
{
    const auto reads = calls("nonblocking", false), writes = calls("nonblocking", true);
    auto expected = call("nonblocking", false, 1);
    expected.flags = IPCSCOPE_CALL_NONBLOCK;
    expected.tail.pipe.ring_slots = 2;
    expected.tail.pipe.used_slots = 0;
    expected.ret = -11;
    expect_calls(reads, expected, 5);
    ASSERT_EQ(writes.size(), 4u);
    expected.op = IPCSCOPE_OP_WRITE;
    expected.requested = 8192;
    expected.ret = 8192;
    EXPECT_EQ(show(*writes[0].body), show(expected));
    expected.requested = 1;
    expected.tail.pipe.used_slots = 2;
    expected.ret = -11;
    for (std::size_t i = 1; i < 4; i++) {
        EXPECT_EQ(show(*writes[i].body), show(expected));
    }
    EXPECT_EQ(row("nonblocking")["reads"]["eagain"], 5);
    EXPECT_EQ(row("nonblocking")["writes"]["eagain"], 3);
    EXPECT_EQ(row("nonblocking")["reads"]["nonblocking"], 5);
}

TEST_F(Pipes, NoReaderLeft)
{
    auto expected = call("broken", true, 1);
    expected.tail.pipe.readers = 0;
    expected.ret = -32;
    expect_calls(calls("broken", true), expected, 7);
    EXPECT_EQ(row("broken")["writes"]["epipe"], 7);
    // And a SIGPIPE each, by the writer to itself, without siginfo.
    const auto pipes = generated(trace().capture, fact("director"), fact("director"), 13);
    EXPECT_EQ(pipes.size(), 7u);
    for (const auto& one : pipes) {
        EXPECT_EQ(one->result, IPCSCOPE_RESULT_IGNORED);
        EXPECT_FALSE(one->shared);
        EXPECT_FALSE(one->has_info);
        EXPECT_EQ(one->origin, IPCSCOPE_ORIGIN_TASK);
        EXPECT_EQ(one->disposition, IPCSCOPE_DISPOSITION_IGNORE);
        EXPECT_EQ(one->target_state, IPCSCOPE_STATE_RUNNING);
    }
}

TEST_F(Pipes, NoWriterLeft)
{
    const auto reads = calls("ended", false);
    ASSERT_EQ(reads.size(), 6u);
    auto expected = call("ended", false, 3);
    expected.tail.pipe.writers = 0;
    EXPECT_EQ(show(*reads[0].body), show(expected));
    expected.requested = 1;
    expected.tail.pipe.used_slots = 0;
    expected.ret = 0;
    for (std::size_t i = 1; i < 6; i++) {
        EXPECT_EQ(show(*reads[i].body), show(expected));
    }
    EXPECT_EQ(row("ended")["reads"]["eof"], 5);
}

TEST_F(Pipes, Vectors)
{
    expect_calls(calls("vectors", true), call("vectors", true, 60), 3);
    expect_calls(calls("vectors", false), call("vectors", false, 60), 3);
}

TEST_F(Pipes, BlockedReader)
{
    const auto reads = calls("blocked_reader", false);
    ASSERT_EQ(reads.size(), 1u);
    auto expected = call("blocked_reader", false, 1);
    expected.sleeps = 1;
    expected.tail.pipe.used_slots = 0;
    EXPECT_EQ(show(*reads[0].body), show(expected));
    EXPECT_EQ(reads[0].event->task.tgid, fact("reader_waited", 0));
    EXPECT_EQ(name_of(reads[0].event->task), "waits-to-read");
    EXPECT_GE(reads[0]->blocked_ns, fact("reader_waited", 1));
    EXPECT_EQ(reads[0]->waker_tid, fact("director"));
    EXPECT_EQ(reads[0]->uninterruptible_ns, 0u);
    const Json pipe = row("blocked_reader");
    EXPECT_EQ(pipe["reads"]["blocked_ns"], reads[0]->blocked_ns);
    EXPECT_EQ(pipe["reads"]["blocked_count"], 1);
    EXPECT_GE(pipe["empty_ns"], fact("reader_waited", 1));
}

TEST_F(Pipes, BlockedWriter)
{
    const auto writes = calls("blocked_writer", true);
    ASSERT_EQ(writes.size(), 2u);
    auto expected = call("blocked_writer", true, 100);
    expected.sleeps = 1;
    expected.tail.pipe.ring_slots = 2;
    expected.tail.pipe.used_slots = 2;
    EXPECT_EQ(show(*writes[1].body), show(expected));
    EXPECT_EQ(writes[1].event->task.tgid, fact("writer_waited", 0));
    EXPECT_GE(writes[1]->blocked_ns, fact("writer_waited", 1));
    EXPECT_EQ(writes[1]->waker_tid, fact("director"));
    EXPECT_GE(row("blocked_writer")["full_ns"], fact("writer_waited", 1));
}

TEST_F(Pipes, WriteOfManyRings)
{
    const auto writes = calls("large", true), reads = calls("large", false);
    ASSERT_EQ(writes.size(), 1u);
    auto expected = call("large", true, 1 << 20);
    expected.sleeps = writes[0]->sleeps;
    expect_calls(writes, expected, 1);
    EXPECT_GE(writes[0]->sleeps, 1u);
    EXPECT_EQ(writes[0]->waker_tid, fact("director"));
    EXPECT_EQ(writes[0].event->task.tgid, fact("large_by", 0));
    EXPECT_EQ(reads.size(), fact("large_by", 1));
    EXPECT_EQ(row("large")["reads"]["bytes"], 1 << 20);
    EXPECT_EQ(row("large")["writes"]["bytes"], 1 << 20);
}

TEST_F(Pipes, Interrupted)
{
    const auto reads = calls("interrupted", false);
    ASSERT_EQ(reads.size(), 1u);
    EXPECT_EQ(reads[0]->ret, -kRestartSys);
    EXPECT_EQ(reads[0]->sleeps, 1u);
    EXPECT_EQ(reads[0].event->task.tgid, fact("interrupted_by"));
    EXPECT_EQ(row("interrupted")["reads"]["interrupted"], 1);
}

TEST_F(Pipes, Fifo)
{
    const auto writes = calls("fifo", true), reads = calls("fifo", false);
    ASSERT_EQ(writes.size(), 13u);   // once each, though fifo_pipe_* calls anon_pipe_*
    ASSERT_EQ(reads.size(), 13u);
    for (std::size_t i = 0; i < 13; i++) {
        for (bool write : {true, false}) {
            auto expected = call("fifo", write, 29);
            expected.type = IPCSCOPE_OBJECT_FIFO;
            expected.tail.pipe.readers = i < 11 ? 3 : 1;
            expected.tail.pipe.writers = i < 11 ? 2 : 1;
            EXPECT_EQ(show(*(write ? writes : reads)[i].body), show(expected)) << i;
        }
    }
    EXPECT_EQ(row("fifo")["kind"], "fifo");
    EXPECT_EQ(row("fifo")["writes"]["bytes"], 13 * 29);
}

TEST_F(Pipes, WritingThread)
{
    const auto writes = calls("threads", true);
    EXPECT_EQ(writes.size(), 19u);
    for (const auto& one : writes) {
        EXPECT_EQ(show(one.event->task), fmt::format("{}/{} \"writing thread\"", fact("director"),
                                                     fact("threads_by")));
    }
    EXPECT_EQ(row("threads")["writers"][0]["pid"], fact("director"));
}

/// Blocked when the trace ended, and who holds the ends then.
TEST_F(Pipes, Unfinished)
{
    const auto reads = calls("unfinished", false);
    ASSERT_EQ(reads.size(), 1u);
    EXPECT_TRUE(reads[0].event->unfinished);
    auto expected = call("unfinished", false, 1);
    expected.sleeps = 1;
    expected.tail.pipe.used_slots = 0;
    expected.ret = 0;
    EXPECT_EQ(show(*reads[0].body), show(expected));
    EXPECT_EQ(reads[0].event->task.tgid, fact("unfinished_by", 0));
    EXPECT_EQ(name_of(reads[0].event->task), "never-served");
    EXPECT_GT(reads[0]->blocked_ns, 0u);
    EXPECT_EQ(row("unfinished")["reads"]["unfinished"], 1);
    EXPECT_EQ(row("unfinished")["reads"]["latency_ns"]["count"], 0);

    std::map<std::uint64_t, std::pair<bool, bool>> holders;
    for (const auto& end : select<decode::Holder>(trace().capture, [](auto&, auto& body) {
             return body.record.object == fact("unfinished");
         })) {
        EXPECT_EQ(end->record.dev, fact("unfinished", 1));
        EXPECT_EQ(end->record.type, IPCSCOPE_OBJECT_PIPE);
        auto& held = holders[end.event->task.tgid];
        held.first |= end->record.reads != 0;
        held.second |= end->record.writes != 0;
    }
    EXPECT_EQ(holders[fact("unfinished_by", 0)], (std::pair{true, false}));
    EXPECT_EQ(holders[fact("unfinished_by", 1)], (std::pair{false, true}));
    bool shown = false;
    const Json pipe = row("unfinished");
    for (const Json& writer : pipe["writers"]) {
        shown |= writer["comm"] == "only-holds" && writer["holds_only"] == true;
    }
    EXPECT_TRUE(shown) << pipe.dump();
}

}  // namespace
}  // namespace ipcscope::conformance
