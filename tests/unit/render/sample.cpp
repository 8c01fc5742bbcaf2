// SPDX-License-Identifier: GPL-2.0-only
#include "sample.hpp"

#include "decode/decode.hpp"

namespace ipcscope::sample {
namespace {

using aggregate::Report;
using aggregate::SignalRow;
using correlate::KillInterval;

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSecond = 1'000 * kMs;
constexpr std::uint64_t kStart = 5'000 * kSecond;

KillInterval kill(std::uint64_t at, decode::Task sender, decode::Task target)
{
    KillInterval kill;
    kill.sent_ns = kStart + at;
    kill.signal = 9;
    kill.sender = std::move(sender);
    kill.target = std::move(target);
    kill.state = decode::State::uninterruptible;
    kill.stuck_threads = 1;
    kill.trace_end_ns = kStart + 20 * kSecond;
    return kill;
}

SignalRow row(unsigned signal, decode::Task sender, decode::Task target, std::uint64_t at)
{
    SignalRow row;
    row.signal = signal;
    row.sender = std::move(sender);
    row.target = std::move(target);
    row.first_ns = row.last_ns = kStart + at;
    return row;
}

void ledger(Report& report, std::uint64_t generated, std::uint64_t filtered)
{
    report.loss.generated = generated;
    report.loss.filtered = filtered;
    report.loss.shown = generated - filtered;
    report.loss.kinds["signal_generate"] = {generated, generated - filtered, filtered, 0};
}

aggregate::PipeRow pipe(std::uint64_t inode, decode::Task writer, decode::Task reader)
{
    aggregate::PipeRow pipe;
    pipe.inode = inode;
    pipe.dev = 13;
    pipe.ring_slots = 16;
    pipe.first_ns = kStart + kSecond;
    pipe.last_ns = kStart + 4'200 * kMs;
    pipe.reads.count = 1234;
    pipe.reads.bytes = pipe.writes.bytes = 80'000'000;
    pipe.writes.count = 19'532;
    for (std::uint64_t ns = 900; ns < 3'000'000; ns *= 7) {
        pipe.reads.latency.add(ns);
        pipe.writes.latency.add(ns / 2);
    }
    pipe.writers.push_back({std::move(writer), 19'532, 80'000'000, 3'100 * kMs, false});
    pipe.readers.push_back({std::move(reader), 1234, 80'000'000, 20 * kMs, false});
    return pipe;
}

}  // namespace

decode::Task task(std::uint32_t tgid, std::string_view comm)
{
    return {tgid, tgid, SafeText::escape(comm)};
}

Report empty()
{
    Report report;
    report.host.kernel = "6.1.0-13-amd64";
    report.host.version = "#1 SMP PREEMPT_DYNAMIC Debian 6.1.55-1";
    report.host.machine = "x86_64";
    report.host.hostname = "demo";
    report.host.cpus = 2;
    report.host.backend = "bpf";
    report.host.tool_version = "0.1.0";
    report.host.hooks = {"signal_generate (tp_btf)"};
    report.host.start_ns = kStart;
    report.host.realtime_offset_ns = 1'700'000'000 * static_cast<std::int64_t>(kSecond);
    report.end_ns = kStart + 20 * kSecond;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++)
        report.loss.lost.push_back({std::string(decode::loss_name(cause)), 0});
    report.loss.exact = true;
    return report;
}

Report stuck_kills()
{
    Report report = empty();
    ledger(report, 1234, 34);
    KillInterval slow = kill(2 * kSecond, task(812, "bash"), task(790, "dd"));
    slow.stack = {"io_schedule+0x46/0x80", "folio_wait_bit_common+0x13d/0x350",
                  "filemap_read+0x2f2/0x390", "vfs_read+0x1fa/0x2e0",
                  "do_syscall_64+0x58/0xc0"};
    slow.repeats = 3;
    slow.gone_ns = slow.sent_ns + 4'020 * kMs;
    slow.reaped_ns = *slow.gone_ns + 2 * kMs;

    KillInterval stuck = kill(7'700 * kMs, task(1, "systemd"), task(950, "nfsd-client"));
    stuck.stack = {"__schedule+0x34d/0x9e0", "schedule+0x5a/0xd0",
                   "rpc_wait_bit_killable+0xd/0x60 [sunrpc]"};
    stuck.state = decode::State::killable;
    stuck.stuck_threads = 4;

    KillInterval quick = kill(9 * kSecond, task(812, "bash"), task(791, "cat"));
    quick.state = decode::State::killable;
    quick.gone_ns = quick.sent_ns + 812'000;
    quick.stack = slow.stack;
    report.kills = {slow, stuck, quick};
    return report;
}

Report container_stop()
{
    Report report = empty();
    ledger(report, 2, 0);
    SignalRow term = row(15, task(20, "docker"), task(31, "app"), kSecond);
    term.outcomes[IPCSCOPE_RESULT_IGNORED] = 1;
    term.to_unkillable = 1;
    SignalRow kill = row(9, task(20, "docker"), task(31, "app"), 11'010 * kMs);
    kill.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    kill.died = 1;
    kill.latency.add(61'000);
    SignalRow handled = row(15, task(20, "docker"), task(77, "sh"), 2 * kSecond);
    handled.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    handled.to_handler = 1;
    handled.latency.add(9'000);
    SignalRow other = row(9, task(1, "init"), task(77, "sh"), 4 * kSecond);
    other.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    other.died = 1;
    other.latency.add(17'000);
    report.signals = {term, kill, handled, other};
    return report;
}

Report slow_pipeline()
{
    Report report = empty();
    ledger(report, 20'766, 0);
    const auto yes = task(101, "yes"), head = task(102, "head"), wc = task(103, "wc");
    aggregate::PipeRow first = pipe(40'001, yes, head);
    first.full_ns = 3'100 * kMs;
    first.occupancy = {2, 0, 0, 1, 5, 9, 40, 180, 990};
    first.writes.blocked_ns = 3'100 * kMs;
    first.writes.blocked_count = 1233;
    aggregate::PipeRow second = pipe(40'002, head, wc);
    second.empty_ns = 2'900 * kMs;
    second.occupancy = {1100, 90, 30, 0, 0, 0, 0, 0, 0};
    second.reads.blocked_ns = 2'900 * kMs;
    second.reads.blocked_count = 1100;
    second.reads.eof = 1;
    report.pipes = {first, second};
    aggregate::Pipeline pipeline;
    pipeline.stages = {
        {yes, {}, {40'001}, 3'200 * kMs, 0, 3'100 * kMs, 100 * kMs, 0},
        {head, {40'001}, {40'002}, 3'200 * kMs, 20 * kMs, 0, 3'180 * kMs, 1},
        {wc, {40'002}, {}, 3'100 * kMs, 2'900 * kMs, 0, 200 * kMs, 2},
    };
    pipeline.bottleneck = 1;
    report.pipelines = {pipeline};
    return report;
}

Report bad_signals()
{
    Report report = empty();
    ledger(report, 4'112, 0);
    SignalRow queue = row(34, task(5, "producer"), task(6, "consumer"), kSecond);
    queue.outcomes = {2'000, 0, 0, 1'000, 12};
    queue.to_handler = 2'012;
    for (unsigned at = 0; at < 2'012; at++) queue.latency.add(2'000 + at * 37);
    SignalRow merged = row(10, task(5, "producer"), task(6, "consumer"), kSecond);
    merged.outcomes = {100, 0, 900, 0, 0};
    merged.to_handler = 100;
    for (unsigned at = 0; at < 99; at++) merged.latency.add(4'000 + at);
    merged.latency.add(3'200 * kMs);
    SignalRow pending = row(12, task(7, "init"), task(6, "consumer"), 2 * kSecond);
    pending.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    pending.pending = 1;
    pending.origin = decode::Origin::kernel;
    report.signals = {queue, merged, pending};
    report.orphans_unknown = 3;
    aggregate::CallRow send{"send", 4'112, {}};
    for (unsigned at = 0; at < 4'112; at++) send.latency.add(300 + at % 50);
    report.calls = {send};
    return report;
}

Report lossy()
{
    Report report = bad_signals();
    report.complete = false;
    report.incomplete_why = "cut at byte 65536: the file ends inside a block";
    report.loss.generated += 1'234'567;
    report.loss.lost[IPCSCOPE_LOST_RING_FULL].count = 1'234'500;
    report.loss.lost[IPCSCOPE_LOST_RECURSION].count = 67;
    report.loss.by_cpu = {{0, "ring_full", "pipe_write", 1'234'500},
                          {1, "recursion", "signal_generate", 67}};
    report.loss.malformed = 1;
    report.loss.late = 2;
    return report;
}

Report everything()
{
    Report report = stuck_kills();
    const auto take = [](auto& into, auto from) {
        into.insert(into.end(), from.begin(), from.end());
    };
    for (const Report& other : {container_stop(), bad_signals(), slow_pipeline()}) {
        take(report.signals, other.signals);
        take(report.calls, other.calls);
        take(report.pipes, other.pipes);
        take(report.pipelines, other.pipelines);
    }
    report.host.command = {"sh", "-c", "yes | head -c 80M | wc"};
    report.host.filters = {"--pid=101"};
    report.pipes[1].fifo = true;
    report.pipes[1].path = "/run/demo.fifo";
    return report;
}

Report quiet()
{
    Report report = empty();
    ledger(report, 3, 0);
    SignalRow chld = row(17, task(9, "make"), task(8, "sh"), kSecond);
    chld.outcomes[IPCSCOPE_RESULT_DELIVERED] = 3;
    chld.to_handler = 3;
    chld.latency.add(1'000);
    chld.latency.add(1'900);
    chld.latency.add(70'000);
    report.signals = {chld};
    return report;
}

}  // namespace ipcscope::sample
