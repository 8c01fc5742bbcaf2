// SPDX-License-Identifier: GPL-2.0-only
#include <cstring>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "decode/decode.hpp"
#include "render/render.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

decode::Event event(unsigned kind, decode::Body body)
{
    decode::Event event;
    event.time_ns = (1ull << 63) + 1;
    event.lost_before = 3;
    event.task = {12, 13, Comm("a\x1b")};
    event.process = Comm("p\\");
    event.cpu = 1;
    event.kind = kind;
    event.before_trace = true;
    event.body = std::move(body);
    return event;
}

constexpr const char* kHeader =
    R"({"time_ns":9223372036854775809,"lost_before":3,"cpu":1,"kind":"%","tgid":12,)"
    R"("tid":13,"comm":"a\\x1b","process":"p\\\\","unfinished":false,"before_trace":true)";

/// `body` after the header, for the kind's name.
void expect_line(unsigned kind, decode::Body body, const char* name, const char* rest,
                 const decode::Task& target = {})
{
    std::string expected = kHeader;
    expected.replace(expected.find('%'), 1, name);
    auto what = event(kind, std::move(body));
    what.target = target;
    EXPECT_EQ(render::json_line(what), expected + rest);
}

TEST(EventJson, SignalGenerate)
{
    decode::SignalGenerate body{};
    body.enter_ns = 5;
    body.value = UINT64_MAX;
    body.target_tgid = body.target_tid = 20;
    body.si_code = -6;
    body.sender_pid = 7;
    body.ret = -11;
    body.sig = 10;
    body.result = IPCSCOPE_RESULT_OVERFLOW;
    body.target_state = IPCSCOPE_STATE_UNINTERRUPTIBLE;
    body.shared = body.fatal = 1;
    body.origin = IPCSCOPE_ORIGIN_TIMER;
    body.disposition = IPCSCOPE_DISPOSITION_HANDLER;
    body.header.size = sizeof(ipcscope_signal_generate);
    expect_line(IPCSCOPE_SIGNAL_GENERATE, body, "signal_generate",
                R"(,"enter_ns":5,"value":18446744073709551615,"target_tgid":20,"target_tid":20,)"
                R"("si_code":-6,"sender_pid":7,"ret":-11,"sig":10,"signal":"SIGUSR1",)"
                R"("result":"overflow","target_state":"uninterruptible","origin":"timer",)"
                R"("disposition":"handler","shared":true,"blocked":false,"fatal":true,)"
                R"("unkillable":false,"has_info":false,"dying":false,"requeued":false,)"
                R"("target_comm":"cat"})",
                sample::task(20, "cat"));
}

TEST(EventJson, CallersOfASignal)
{
    decode::SignalGenerate body{};
    body.header.size = sizeof body;
    body.sig = 9;
    body.memory_limit = 4096;
    body.memory_cgroup = 7;
    body.stack_depth = 2;
    body.terminal = 136u << 20 | 3;
    body.stack[0] = 11;
    body.stack[1] = 12;
    body.cgroup_name[0] = 'o';
    const std::string line = render::json_line(event(IPCSCOPE_SIGNAL_GENERATE, body));
    const std::string callers = R"("memory_limit":4096,"memory_cgroup":7,"stack_depth":2,)"
                                R"("terminal":"136:3","stack":[11,12],"cgroup_name":"o")";
    EXPECT_NE(line.find(callers), std::string::npos) << line;
}

TEST(EventJson, SignalTake)
{
    decode::SignalTake body{};
    body.dequeued_ns = 1;
    body.enter_ns = 2;
    body.value = 3;
    body.si_code = INT32_MIN;
    body.sender_pid = 7;
    body.sa_flags = 0x80000000u;
    body.overrun = 4;
    body.sig = 9;
    body.how = IPCSCOPE_TAKE_GROUP_EXIT;
    body.has_info = 1;
    body.group = IPCSCOPE_GROUP_EXEC;
    body.group_signal = 15;
    expect_line(IPCSCOPE_SIGNAL_TAKE, body, "signal_take",
                R"(,"dequeued_ns":1,"enter_ns":2,"value":3,"si_code":-2147483648,)"
                R"("sender_pid":7,"sa_flags":2147483648,"overrun":4,"sig":9,)"
                R"("signal":"SIGKILL","how":"group_exit","disposition":"default",)"
                R"("has_info":true,"traced":false,"group":"exec","group_signal":"SIGTERM"})");
    body.group_signal = 0;
    EXPECT_NE(render::json_line(event(IPCSCOPE_SIGNAL_TAKE, body)).find(R"("group_signal":null)"),
              std::string::npos);
}

TEST(EventJson, CallOnAPipe)
{
    decode::Call body{};
    body.since_ns = 1;
    body.enter_ns = 2;
    body.object = UINT64_MAX;
    body.peer = 3;
    body.requested = 4;
    body.ret = -32;
    body.dev = 13;
    body.type = IPCSCOPE_OBJECT_FIFO;
    body.op = IPCSCOPE_OP_WRITE;
    body.flags = IPCSCOPE_CALL_PACKET;
    body.sleeps = 10;
    body.blocked_ns = 11;
    body.runnable_ns = 12;
    body.uninterruptible_ns = 13;
    body.waker_tid = 14;
    body.woken_before_ns = 15;
    body.between_runnable_ns = 16;
    body.between_sleeping_ns = 17;
    body.between_polling_ns = 18;
    body.between_uninterruptible_ns = 19;
    body.between_killable_ns = 20;
    body.between_other_ns = 21;
    body.tail.pipe = {16, 7, 8, 9};
    expect_line(IPCSCOPE_CALL_PIPE, body, "call_pipe",
                R"(,"since_ns":1,"enter_ns":2,"object":18446744073709551615,"peer":3,)"
                R"("requested":4,"ret":-32,"dev":"0:13","type":"fifo","op":"write",)"
                R"("nonblock":false,"packet":true,"peek":false,"undo":false,"sleeps":10,"blocked_ns":11,)"
                R"("runnable_ns":12,"uninterruptible_ns":13,"waker_tid":14,)"
                R"("woken_before_ns":15,"between_runnable_ns":16,"between_sleeping_ns":17,)"
                R"("between_polling_ns":18,"between_uninterruptible_ns":19,)"
                R"("between_killable_ns":20,"between_other_ns":21,"ring_slots":16,)"
                R"("used_slots":7,"readers":8,"writers":9})");
}

TEST(EventJson, TailsAreThoseOfTheType)
{
    decode::Call body{};
    body.type = IPCSCOPE_OBJECT_EVENTFD;
    body.tail.eventfd = {UINT64_MAX, 1, 2};
    const auto json = nlohmann::json::parse(
        render::json_line(event(IPCSCOPE_CALL_EVENTFD, body)));
    EXPECT_EQ(json["kind"], "call_eventfd");
    EXPECT_EQ(json["counter"], UINT64_MAX);
    EXPECT_EQ(json["semaphore"], true);
    EXPECT_FALSE(json.contains("ring_slots"));
}

TEST(EventJson, Threads)
{
    decode::Thread thread{};
    thread.start_ns = 1;
    thread.cgroup = 2;
    thread.ppid = 3;
    thread.ns_pid = 4;
    thread.uid = 5;
    thread.reason = IPCSCOPE_THREAD_EXEC;
    std::memcpy(thread.comm, "sixteen bytes \x01\xff", 16);
    auto line = render::json_line(event(IPCSCOPE_THREAD, thread));
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["kind"], "thread");
    EXPECT_EQ(json["start_ns"], 1);
    EXPECT_EQ(json["cgroup"], 2);
    EXPECT_EQ(json["ppid"], 3);
    EXPECT_EQ(json["ns_pid"], 4);
    EXPECT_EQ(json["uid"], 5);
    EXPECT_EQ(json["reason"], "exec");
    EXPECT_EQ(json["comm"], "sixteen bytes \\x01\\xff");

    decode::ThreadTime time{};
    time.since_ns = 1;
    time.between_sleeping_ns = 2;
    time.exit_code = 9;
    time.syscall = IPCSCOPE_SYSCALL_NONE;
    time.state = IPCSCOPE_STATE_DEAD;
    time.group_dead = 1;
    expect_line(IPCSCOPE_THREAD_EXIT, time, "thread_exit",
                R"(,"since_ns":1,"between_runnable_ns":0,"between_sleeping_ns":2,)"
                R"("between_polling_ns":0,"between_uninterruptible_ns":0,)"
                R"("between_killable_ns":0,"between_other_ns":0,"exit_code":9,)"
                R"("syscall":null,"state":"dead","group_dead":true})");
    expect_line(IPCSCOPE_THREAD_FREE, decode::ThreadFree{}, "thread_free", "}");
    decode::Slice slice{};
    slice.start_ns = 1;
    slice.end_ns = 2;
    slice.waker_tid = 3;
    slice.syscall = 7;
    slice.state = IPCSCOPE_STATE_POLLING;
    expect_line(IPCSCOPE_SLICE, slice, "slice",
                R"(,"start_ns":1,"end_ns":2,"waker_tid":3,"syscall":7,"state":"polling",)"
                R"("call":null})");
    slice.call = IPCSCOPE_CALL_PIPE;
    EXPECT_NE(render::json_line(event(IPCSCOPE_SLICE, slice)).find(R"("call":"call_pipe")"),
              std::string::npos);
}

TEST(EventJson, Handlers)
{
    decode::SignalHandler handler{};
    handler.enter_ns = 1;
    handler.blocked_inside = 512;
    handler.sig = 10;
    handler.depth = 1;
    expect_line(IPCSCOPE_SIGNAL_HANDLER, handler, "signal_handler",
                R"(,"enter_ns":1,"blocked_inside":512,"blocked_after":0,"sig":10,)"
                R"("signal":"SIGUSR1","depth":1,"left":false})");
    decode::SignalMask mask{};
    mask.after = UINT64_MAX;
    mask.syscall = 14;
    expect_line(IPCSCOPE_SIGNAL_MASK, mask, "signal_mask",
                R"(,"before":0,"after":18446744073709551615,"syscall":14})");
}

/// Bytes that any process may choose.
TEST(EventJson, ACommandIsItsWords)
{
    decode::Command command{};
    command.bytes = 500;
    std::memcpy(command.words, "kill\0-9\0\0\x1b[m\0", 14);
    expect_line(IPCSCOPE_COMMAND, command, "command",
                R"(,"bytes":500,"words":["kill","-9","","\\x1b[m"]})");
    std::memset(command.words, 'a', sizeof command.words);
    const auto json = nlohmann::json::parse(render::json_line(event(IPCSCOPE_COMMAND, command)));
    EXPECT_EQ(json["words"][0].get<std::string>().size(), sizeof command.words);
}

TEST(EventJson, ADescriptorThatWasReceived)
{
    decode::FdReceived file{};
    file.socket = 11;
    file.inode = 12;
    file.dev = 8 << 20 | 1;
    file.fd = 7;
    file.filesystem = 0xef53;
    file.mode = 0100644;
    std::memcpy(file.name, "a\x1b.log", 6);
    expect_line(IPCSCOPE_FD_RECEIVED, file, "fd_received",
                R"(,"socket":11,"inode":12,"dev":"8:1","fd":7,"filesystem":61267,"mode":33188,)"
                R"("port":0,"family":0,"socket_type":0,"listening":false,"name":"a\\x1b.log",)"
                R"("file":"the file a\\x1b.log"})");
}

TEST(EventJson, Kill)
{
    decode::Kill kill{};
    kill.target_tgid = 790;
    kill.stuck_tid = 791;
    kill.sig = 9;
    kill.state = IPCSCOPE_STATE_KILLABLE;
    kill.stuck_threads = 2;
    kill.stack_depth = 2;
    kill.stack[0] = 1;
    kill.stack[1] = UINT64_MAX;
    expect_line(IPCSCOPE_KILL, kill, "kill",
                R"(,"target_tgid":790,"stuck_tid":791,"stuck_threads":2,"stack_depth":2,)"
                R"("sig":9,"signal":"SIGKILL","state":"killable","origin":"task",)"
                R"("result":"delivered","stack":[1,18446744073709551615],)"
                R"("target_comm":"dd"})",
                sample::task(790, "dd"));
    kill.stack_depth = UINT32_MAX;   // beyond the record
    const auto json = nlohmann::json::parse(render::json_line(event(IPCSCOPE_KILL, kill)));
    EXPECT_EQ(json["stack"].size(), std::size_t{IPCSCOPE_STACK_DEPTH});
}

TEST(EventJson, CollectorNotes)
{
    decode::Symbol symbol;
    symbol.record.id = 4;
    symbol.text = SafeText::escape("f+0x1/0x2");
    expect_line(IPCSCOPE_SYMBOL, symbol, "symbol", R"(,"id":4,"text":"f+0x1/0x2"})");
    decode::Holder holder;
    holder.record.object = 2;
    holder.record.dev = 13;
    holder.record.type = IPCSCOPE_OBJECT_FIFO;
    holder.record.reads = 1;
    holder.path = SafeText::escape("/run/\xff");
    expect_line(IPCSCOPE_HOLDER, holder, "holder",
                R"(,"object":2,"dev":"0:13","type":"fifo","reads":true,"writes":false,)"
                R"("path":"/run/\\xff"})");
    decode::Observed observed;
    observed.record.sent_ns = 5;
    observed.record.blocked = 1u << 14;
    observed.record.ppid = 1;
    observed.record.threads = 3;
    observed.record.stack_depth = 1;
    observed.record.syscall = IPCSCOPE_SYSCALL_NONE;
    observed.record.missing = IPCSCOPE_MISSING_SYSCALL | IPCSCOPE_MISSING_STACK;
    observed.record.sig = 15;
    observed.record.state = IPCSCOPE_STATE_TRACED;
    observed.record.stack[0] = 4;
    observed.wait_channel = SafeText::escape("ptrace_stop");
    expect_line(IPCSCOPE_OBSERVED, observed, "observed",
                R"(,"sent_ns":5,"blocked":16384,"ignored":0,"caught":0,"pending":0,"ppid":1,)"
                R"("tracer_pid":0,"vfork_child":0,"exit_code":0,"threads":3,"stack_depth":1,)"
                R"("syscall":null,"missing":["syscall","stack"],"sig":15,"signal":"SIGTERM",)"
                R"("state":"traced","frozen":false,"stack":[4],)"
                R"("wait_channel":"ptrace_stop"})");
}

TEST(EventJson, WhoProcessesAre)
{
    decode::Process process;
    process.record.cgroup = 12;
    process.record.ppid = 1;
    process.record.ns_pid = 7;
    process.record.uid = 1000;
    process.record.comm[0] = 'k';
    process.command = SafeText::escape("kill -9 7");
    const auto json =
        nlohmann::json::parse(render::json_line(event(IPCSCOPE_PROCESS, process)));
    EXPECT_EQ(json["kind"], "process");
    EXPECT_EQ(json["comm"], "k");
    EXPECT_EQ(json["ppid"], 1);
    EXPECT_EQ(json["ns_pid"], 7);
    EXPECT_EQ(json["uid"], 1000);
    EXPECT_EQ(json["cgroup"], 12);
    EXPECT_EQ(json["command"], "kill -9 7");
    decode::User user;
    user.record.id = 1000;
    user.name = SafeText::escape("ann");
    expect_line(IPCSCOPE_USER, user, "user", R"(,"id":1000,"name":"ann"})");
    decode::Cgroup cgroup;
    cgroup.record.id = 12;
    cgroup.path = SafeText::escape("/system.slice");
    expect_line(IPCSCOPE_CGROUP, cgroup, "cgroup", R"(,"id":12,"path":"/system.slice"})");
}

/// A kind that does not go with its body, of an event that was not decoded.
TEST(EventJson, NothingIsReadBeyondTheBody)
{
    EXPECT_NO_THROW(nlohmann::json::parse(
        render::json_line(event(IPCSCOPE_KILL, decode::Slice{}))));
    EXPECT_NO_THROW(nlohmann::json::parse(render::json_line(event(99, decode::Slice{}))));
}

}  // namespace
}  // namespace ipcscope
