// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "render/render.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

decode::Event event(unsigned kind, decode::Body body)
{
    decode::Event event;
    event.time_ns = (1ull << 63) + 1;
    event.lost_before = 3;
    event.task = {12, 13, SafeText::escape("a\x1b")};
    event.cpu = 1;
    event.kind = kind;
    event.interrupt = true;
    event.body = std::move(body);
    return event;
}

constexpr const char* kHeader =
    R"({"time_ns":9223372036854775809,"lost_before":3,"cpu":1,"kind":"%","tgid":12,)"
    R"("tid":13,"comm":"a\\x1b","copy_fault":false,"unfinished":false,"interrupt":true,)";

/// `body` after the header, for the kind's name.
void expect_line(unsigned kind, decode::Body body, const char* name, const char* rest)
{
    std::string expected = kHeader;
    expected.replace(expected.find('%'), 1, name);
    EXPECT_EQ(render::json_line(event(kind, std::move(body))), expected + rest);
}

TEST(EventJson, SignalGenerate)
{
    decode::SignalGenerate body;
    body.value = UINT64_MAX;
    body.target = sample::task(20, "cat");
    body.si_code = -6;
    body.sender_pid = 7;
    body.signal = 10;
    body.outcome = decode::Outcome::overflow;
    body.target_state = decode::State::uninterruptible;
    body.shared = body.fatal = true;
    body.origin = decode::Origin::timer;
    body.disposition = decode::Disposition::handler;
    expect_line(IPCSCOPE_SIGNAL_GENERATE, body, "signal_generate",
                R"("value":18446744073709551615,"target_tgid":20,"target_tid":20,)"
                R"("target_comm":"cat","si_code":-6,"sender_pid":7,"sig":10,)"
                R"("signal":"SIGUSR1","result":"overflow","target_state":"D",)"
                R"("shared":true,"origin":"timer","disposition":"handler",)"
                R"("blocked":false,"fatal":true,"unkillable":false,"has_info":false})");
}

TEST(EventJson, OtherSignalRecords)
{
    expect_line(IPCSCOPE_SIGNAL_SEND, decode::SignalSend{5, 20, 21, -11, 9}, "signal_send",
                R"("enter_ns":5,"target_tgid":20,"target_tid":21,"ret":-11,"sig":9,)"
                R"("signal":"SIGKILL"})");
    decode::SignalDeliver deliver{0, 7, 0x80000000u, 15, decode::Disposition::standard, true};
    expect_line(IPCSCOPE_SIGNAL_DELIVER, deliver, "signal_deliver",
                R"("si_code":0,"sender_pid":7,"sa_flags":2147483648,"sig":15,)"
                R"("signal":"SIGTERM","disposition":"default","has_info":true})");
    expect_line(IPCSCOPE_SIGNAL_DEQUEUE, decode::SignalDequeue{1, -1, 7, 34},
                "signal_dequeue",
                R"("value":1,"si_code":-1,"sender_pid":7,"sig":34,"signal":"SIGRTMIN"})");
    expect_line(IPCSCOPE_SIGNAL_GET, decode::SignalGet{5, 0}, "signal_get",
                R"("enter_ns":5,"sig":0,"signal":null})");
}

TEST(EventJson, PipeOp)
{
    decode::PipeOp body;
    body.enter_ns = 1;
    body.inode = 2;
    body.requested_bytes = 3;
    body.ret = -32;
    body.blocked_ns = 4;
    body.runqueue_ns = 5;
    body.uninterruptible_ns = 6;
    body.woken_ns = 11;
    body.dev = 13;
    body.ring_slots = 16;
    body.used_slots = 7;
    body.readers = 8;
    body.writers = 9;
    body.sleeps = 10;
    body.packet = true;
    const char* rest =
        R"("enter_ns":1,"inode":2,"requested_bytes":3,"ret":-32,"blocked_ns":4,)"
        R"("runqueue_ns":5,"uninterruptible_ns":6,"woken_ns":11,"dev":"0:13","ring_slots":16,)"
        R"("used_slots":7,"readers":8,"writers":9,"sleeps":10,"fifo":false,)"
        R"("nonblock":false,"packet":true})";
    expect_line(IPCSCOPE_PIPE_READ, body, "pipe_read", rest);
    body.write = true;
    expect_line(IPCSCOPE_PIPE_WRITE, body, "pipe_write", rest);
}

TEST(EventJson, KillAndDeath)
{
    decode::Kill kill;
    kill.target = {790, 791, SafeText::escape("dd")};
    kill.signal = 9;
    kill.state = decode::State::killable;
    kill.stuck_threads = 2;
    kill.stack = {1, UINT64_MAX};
    expect_line(IPCSCOPE_KILL, kill, "kill",
                R"("target_tgid":790,"stuck_tid":791,"target_comm":"dd","sig":9,)"
                R"("signal":"SIGKILL","state":"K","origin":"task","stuck_threads":2,)"
                R"("stack_depth":2,"result":"delivered","stack":[1,18446744073709551615]})");
    expect_line(IPCSCOPE_TASK_EXIT, decode::TaskExit{9, true}, "task_exit",
                R"("exit_code":9,"group_dead":true})");
    expect_line(IPCSCOPE_TASK_FREE, decode::TaskFree{sample::task(5, "x")}, "task_free",
                R"("freed_tgid":5,"freed_tid":5,"freed_comm":"x"})");
}

TEST(EventJson, CollectorNotes)
{
    expect_line(IPCSCOPE_SYMBOL, decode::Symbol{4, SafeText::escape("f+0x1/0x2")}, "symbol",
                R"("id":4,"text":"f+0x1/0x2"})");
    decode::PipeEnd end{2, 13, true, false, true, SafeText::escape("/run/\xff")};
    expect_line(IPCSCOPE_PIPE_END, end, "pipe_end",
                R"("inode":2,"dev":"0:13","reads":true,"writes":false,"fifo":true,)"
                R"("path":"/run/\\xff"})");
}

}  // namespace
}  // namespace ipcscope
