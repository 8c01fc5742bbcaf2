// SPDX-License-Identifier: GPL-2.0-only
#include "sample.hpp"

namespace ipcscope::sample {
namespace {

using aggregate::End;
using aggregate::Part;
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
    report.loss.kinds[IPCSCOPE_SIGNAL_GENERATE] = {generated, generated - filtered, filtered, 0};
}

void count(SignalRow& row, End end, std::uint64_t number)
{
    row.ends[static_cast<std::size_t>(end)] = number;
}

std::vector<SafeText> stack(std::initializer_list<std::string_view> entries)
{
    std::vector<SafeText> safe;
    for (const std::string_view entry : entries) safe.push_back(SafeText::escape(entry));
    return safe;
}

aggregate::Time time(std::initializer_list<std::pair<Part, std::uint64_t>> parts)
{
    aggregate::Time time;
    for (const auto& [part, ns] : parts) {
        time.add(part, ns);
        time.span_ns += ns;
    }
    return time;
}

aggregate::ChannelRow pipe(std::uint64_t inode, decode::Task writer, decode::Task reader)
{
    aggregate::ChannelRow pipe;
    pipe.type = decode::ObjectType::pipe;
    pipe.object = aggregate::object_id(pipe.type, 13, inode);
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
    pipe.reads.traced = pipe.writes.traced = true;
    pipe.writers.push_back({writer, 19'532, 80'000'000, 3'100 * kMs, 0, false, true});
    pipe.readers.push_back({reader, 1234, 80'000'000, 20 * kMs, 0, false, true});
    return pipe;
}

/// A client's requests to a server, one of which passes descriptors.
aggregate::SocketRow requests()
{
    aggregate::SocketRow row;
    row.type = decode::ObjectType::unix_stream;
    row.sender = task(12, "old");
    row.receiver = task(31, "new");
    row.from = {901, {}, {row.sender}};
    row.to = {902, SafeText::escape("@app\x1b[2J"), {row.receiver, task(32, "helper")}};
    row.sends = 1000;
    row.bytes = 64'000;
    for (std::uint64_t ns = 9'000; ns < 3'000'000; ns *= 7) {
        row.latency.add(ns);
        row.queued.add(ns / 2);
        row.woken.add(ns / 4);
    }
    row.unmatched = 3;
    row.concurrent = 2;
    row.passes = {{row.sender, row.receiver, 1, 2, 1}};
    row.fds_not_received = 1;
    return row;
}

aggregate::ObjectRow requesting()
{
    const aggregate::SocketRow socket = requests();
    aggregate::ObjectRow row;
    row.type = socket.type;
    row.object = socket.from.object;
    row.first_ns = kSecond;
    row.last_ns = 2 * kSecond;
    aggregate::OpRow sends;
    sends.op = decode::Op::send;
    sends.count = socket.sends;
    sends.bytes = socket.bytes;
    sends.epipe = 1;
    sends.latency = socket.latency;
    aggregate::OpRow receives;
    receives.op = decode::Op::receive;
    receives.count = 5;
    receives.peeks = 5;
    row.ops = {sends, receives};
    row.users = {{socket.sender, 1005, 0}};
    row.socket = socket.from;
    row.peer = socket.to;
    return row;
}

/// Written 1,000 times by one process, read by another, which sleeps for each.
aggregate::ObjectRow eventfd(std::uint64_t id)
{
    aggregate::ObjectRow row;
    row.type = decode::ObjectType::eventfd;
    row.object = id;
    row.first_ns = kSecond;
    row.last_ns = 2 * kSecond;
    aggregate::OpRow reads;
    reads.op = decode::Op::read;
    reads.count = reads.blocked_count = 1000;
    reads.bytes = 8000;
    reads.blocked_ns = 900 * kMs;
    reads.unfinished = 1;
    aggregate::OpRow writes;
    writes.op = decode::Op::write;
    writes.count = 1000;
    writes.bytes = 8000;
    writes.nonblocking = 1000;
    for (unsigned at = 0; at < 1000; ++at) {
        reads.latency.add(900'000 + at);
        writes.latency.add(700 + at);
    }
    row.ops = {reads, writes};
    row.users = {{task(301, "loop"), 1000, 900 * kMs}, {task(302, "notifier"), 1000, 0}};
    return row;
}

aggregate::WaitRow wait(std::uint64_t inode, bool output, decode::Task waiter, decode::Task waker,
                        std::uint64_t count, std::uint64_t ns)
{
    aggregate::WaitRow wait;
    wait.channel = aggregate::object_id(decode::ObjectType::pipe, 13, inode);
    wait.output = output;
    wait.waiter = waiter;
    wait.waker = waker;
    wait.count = count;
    wait.total_ns = ns;
    wait.longest_ns = ns / count;
    return wait;
}

}  // namespace

decode::Task task(std::uint32_t tgid, std::string_view comm)
{
    return {tgid, tgid, Comm(comm)};
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
    report.loss.exact = true;
    return report;
}

namespace {

aggregate::DeathSend send(unsigned signal, decode::Task sender, std::uint64_t at_ns)
{
    aggregate::DeathSend out;
    out.signal = signal;
    out.sender = sender;
    out.count = 1;
    out.first_ns = out.last_ns = at_ns;
    out.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    return out;
}

/// The same process as facts: it slept from the signal to its end.
aggregate::Death death_of(const KillInterval& kill)
{
    aggregate::Death death;
    death.target = {kill.target.tgid, 0, kill.target.comm};
    death.traced = true;
    aggregate::DeathSend first = send(kill.signal, kill.sender, kill.sent_ns);
    first.origin = kill.origin;
    first.count += kill.repeats;
    first.fatal = true;
    first.target_state = kill.state;
    death.found = aggregate::KillFound{kill.sent_ns, kill.target, kill.state,
                                       kill.stuck_threads, kill.stack};
    death.gone_ns = kill.gone_ns;
    death.reaped_ns = kill.reaped_ns;
    death.alive_ns = kStart + 20 * kSecond;
    aggregate::Hindrance& kept = first.hindrance;
    const std::uint64_t end = kill.gone_ns.value_or(death.alive_ns);
    (kill.state == decode::State::killable ? kept.killable_ns : kept.uninterruptible_ns) =
        end - kill.sent_ns;
    kept.sleeper_tid = kill.target.tid;
    kept.sleep_start_ns = kill.sent_ns;
    kept.sleep_end_ns = end;
    death.sends = {first};
    return death;
}

}  // namespace

Report stuck_kills()
{
    Report report = empty();
    ledger(report, 1234, 34);
    KillInterval slow = kill(2 * kSecond, task(812, "bash"), task(790, "dd"));
    slow.stack = stack({"io_schedule+0x46/0x80", "folio_wait_bit_common+0x13d/0x350",
                        "filemap_read+0x2f2/0x390", "vfs_read+0x1fa/0x2e0",
                        "do_syscall_64+0x58/0xc0"});
    slow.repeats = 3;
    slow.gone_ns = slow.sent_ns + 4'020 * kMs;
    slow.reaped_ns = *slow.gone_ns + 2 * kMs;

    KillInterval stuck = kill(7'700 * kMs, task(1, "systemd"), task(950, "nfsd-client"));
    stuck.stack = stack({"__schedule+0x34d/0x9e0", "schedule+0x5a/0xd0",
                         "rpc_wait_bit_killable+0xd/0x60 [sunrpc]"});
    stuck.state = decode::State::killable;
    stuck.stuck_threads = 4;

    KillInterval quick = kill(9 * kSecond, task(812, "bash"), task(791, "cat"));
    quick.state = decode::State::killable;
    quick.gone_ns = quick.sent_ns + 812'000;
    quick.stack = slow.stack;
    report.kills = {slow, stuck, quick};
    for (const KillInterval& one : report.kills) report.deaths.push_back(death_of(one));
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
    count(kill, End::death, 1);
    kill.latency.add(61'000);
    SignalRow handled = row(15, task(20, "docker"), task(77, "sh"), 2 * kSecond);
    handled.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    count(handled, End::handler, 1);
    handled.latency.add(9'000);
    SignalRow other = row(9, task(1, "init"), task(77, "sh"), 4 * kSecond);
    other.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    count(other, End::death, 1);
    other.latency.add(17'000);
    report.signals = {term, kill, handled, other};

    aggregate::Death init;
    init.target = task(31, "app");
    init.traced = true;
    init.sends = {send(15, task(20, "docker"), term.first_ns),
                  send(9, task(20, "docker"), kill.first_ns)};
    init.sends[0].outcomes = term.outcomes;
    init.sends[0].unkillable = true;
    init.sends[1].fatal = true;
    init.gone_ns = init.reaped_ns = kill.first_ns + kMs;
    aggregate::Death shell;
    shell.target = task(77, "sh");
    shell.traced = true;
    shell.sends = {send(15, task(20, "docker"), handled.first_ns),
                   send(9, task(1, "init"), other.first_ns)};
    shell.sends[1].fatal = true;
    shell.takings = {{15, decode::How::handler, 77, handled.first_ns + 9'000}};
    shell.children = {task(78, "sleep")};
    shell.gone_ns = shell.reaped_ns = other.first_ns + kMs;
    report.deaths = {init, shell};
    return report;
}

Report slow_pipeline()
{
    Report report = empty();
    ledger(report, 20'766, 0);
    const auto yes = task(101, "yes"), head = task(102, "head"), wc = task(103, "wc");
    aggregate::ChannelRow first = pipe(40'001, yes, head);
    first.full_ns = 3'100 * kMs;
    first.occupancy = {2, 0, 0, 1, 5, 9, 40, 180, 990};
    first.writes.blocked_ns = 3'100 * kMs;
    first.writes.blocked_count = 1233;
    aggregate::ChannelRow second = pipe(40'002, head, wc);
    second.empty_ns = 2'900 * kMs;
    second.occupancy = {1100, 90, 30, 0, 0, 0, 0, 0, 0};
    second.reads.blocked_ns = 2'900 * kMs;
    second.reads.blocked_count = 1100;
    second.reads.eof = 1;
    report.channels = {first, second};
    aggregate::Pipeline pipeline;
    pipeline.stages = {
        {yes, {}, {40'001}, 3'200 * kMs, 0, 3'100 * kMs, 100 * kMs, 0,
         time({{Part::running, 80 * kMs}, {Part::runnable, 20 * kMs},
               {Part::output, 3'100 * kMs}})},
        {head, {40'001}, {40'002}, 3'200 * kMs, 20 * kMs, 0, 3'180 * kMs, 1,
         time({{Part::running, 400 * kMs}, {Part::input, 20 * kMs},
               {Part::sleeping, 2'780 * kMs}})},
        {wc, {40'002}, {}, 3'100 * kMs, 2'900 * kMs, 0, 200 * kMs, 2,
         time({{Part::running, 190 * kMs}, {Part::runnable, 10 * kMs},
               {Part::input, 2'900 * kMs}})},
    };
    report.pipelines = {pipeline};
    report.waits = {wait(40'001, true, yes, head, 1233, 3'100 * kMs),
                    wait(40'002, false, wc, head, 1100, 2'900 * kMs)};
    report.actors = {{head, 20 * kMs, 6'000 * kMs, 3'150 * kMs}};
    report.processes = {
        {head, 1, pipeline.stages[1].time},
        {task(99, "sh"), 2, time({{Part::running, 40 * kMs}, {Part::stopped, 3'000 * kMs},
                                  {Part::sleeping, 3'360 * kMs}})},
        {task(98, "idle"), 1, time({{Part::running, 1 * kMs}, {Part::sleeping, 19'999 * kMs}})}};
    return report;
}

Report poll_stage()
{
    Report report = empty();
    ledger(report, 600, 0);
    aggregate::Pipeline pipeline;
    pipeline.stages = {
        {task(201, "sensor"), {}, {50'001}, 3'050 * kMs, 0, 0, 3'050 * kMs, 0,
         time({{Part::running, 30 * kMs}, {Part::sleeping, 3'020 * kMs}})},
        {task(202, "parse"), {50'001}, {50'002}, 3'050 * kMs, 3'020 * kMs, 0, 30 * kMs, 1,
         time({{Part::running, 30 * kMs}, {Part::input, 3'020 * kMs}})},
        {task(203, "node"), {50'002}, {50'003}, 3'050 * kMs, 2'960 * kMs, 0, 90 * kMs, 2,
         time({{Part::running, 60 * kMs}, {Part::runnable, 30 * kMs},
               {Part::poll_input, 2'960 * kMs}})},
        {task(204, "store"), {50'003}, {}, 3'050 * kMs, 3'000 * kMs, 0, 50 * kMs, 3,
         time({{Part::running, 50 * kMs}, {Part::input, 3'000 * kMs}})},
    };
    report.pipelines = {pipeline};
    const auto sensor = task(201, "sensor"), parse = task(202, "parse"),
               node = task(203, "node"), store = task(204, "store");
    report.waits = {wait(50'001, false, parse, sensor, 60, 3'020 * kMs),
                    wait(50'003, false, store, node, 60, 3'000 * kMs),
                    wait(50'002, false, node, parse, 60, 2'960 * kMs)};
    report.waits.back().polled_ns = 2'960 * kMs;
    report.actors = {{sensor, 0, 3'020 * kMs, 3'020 * kMs}, {parse, 3'020 * kMs, 2'960 * kMs, 0},
                     {node, 2'960 * kMs, 3'000 * kMs, 20 * kMs}};
    aggregate::ChannelRow between = pipe(50'002, parse, node);
    between.writers[0].blocked_ns = between.readers[0].blocked_ns = 0;
    between.readers[0].polled_ns = between.reads.polled_ns = between.empty_ns = 2'960 * kMs;
    between.occupancy = {0, 60, 0, 0, 0, 0, 0, 0, 0};
    report.channels = {between, pipe(50'001, sensor, parse), pipe(50'003, node, store)};
    return report;
}

Report filtered()
{
    Report report = empty();
    ledger(report, 440, 400);
    report.host.filters = {"--pid=6"};
    report.restricted = true;
    SignalRow usr1 = row(10, task(6, "sh"), task(77, "daemon"), kSecond);
    usr1.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    count(usr1, End::outside, 1);
    report.signals = {usr1};
    aggregate::ChannelRow pipe = sample::pipe(60'001, task(5, "bash"), task(6, "cat"));
    pipe.writers = {{task(5, "bash"), 0, 0, 0, 0, true, false}};
    pipe.writes = {};
    pipe.reads.unfinished = 1;
    report.channels = {pipe};
    return report;
}

Report bad_signals()
{
    Report report = empty();
    ledger(report, 4'112, 0);
    SignalRow queue = row(34, task(5, "producer"), task(6, "consumer"), kSecond);
    queue.outcomes = {2'000, 0, 0, 1'000, 12};
    count(queue, End::handler, 2'012);
    for (unsigned at = 0; at < 2'012; at++) queue.latency.add(2'000 + at * 37);
    SignalRow merged = row(10, task(5, "producer"), task(6, "consumer"), kSecond);
    merged.outcomes = {100, 0, 900, 0, 0};
    count(merged, End::handler, 100);
    for (unsigned at = 0; at < 99; at++) merged.latency.add(4'000 + at);
    merged.latency.add(3'200 * kMs);
    merged.longest = aggregate::SignalWait{kStart + 2 * kSecond, kStart + 5'200 * kMs, true, false, {}};
    SignalRow pending = row(12, task(7, "init"), task(6, "consumer"), 2 * kSecond);
    pending.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    count(pending, End::pending, 1);
    pending.sender = {};
    pending.origin = decode::Origin::kernel;
    pending.still_pending = aggregate::SignalWait{kStart + 2 * kSecond, 0, true, false, {}};
    report.signals = {queue, merged, pending};
    report.orphans_unknown = 3;
    aggregate::CallRow send{aggregate::KernelFunction::send, 4'112, {}};
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
    report.loss.lost[IPCSCOPE_LOST_RING_FULL] = 1'234'500;
    report.loss.lost[IPCSCOPE_LOST_RECURSION] = 67;
    report.loss.by_cpu = {{0, IPCSCOPE_LOST_RING_FULL, IPCSCOPE_CALL_PIPE, 1'234'500},
                          {1, IPCSCOPE_LOST_RECURSION, IPCSCOPE_SIGNAL_GENERATE, 67}};
    report.evicted.channels = 12;
    report.evicted.processes = 1;
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
        take(report.deaths, other.deaths);
        take(report.calls, other.calls);
        take(report.channels, other.channels);
        take(report.pipelines, other.pipelines);
        take(report.processes, other.processes);
        take(report.waits, other.waits);
        take(report.actors, other.actors);
    }
    report.objects = {eventfd(7), requesting()};
    report.sockets = {requests()};
    report.host.command = {"sh", "-c", "yes | head -c 80M | wc"};
    report.host.filters = {"--pid=101"};
    report.channels[1].type = decode::ObjectType::fifo;
    report.channels[1].path = SafeText::escape("/run/demo.fifo");
    return report;
}

Report quiet()
{
    Report report = empty();
    ledger(report, 3, 0);
    SignalRow chld = row(17, task(9, "make"), task(8, "sh"), kSecond);
    chld.outcomes[IPCSCOPE_RESULT_DELIVERED] = 3;
    count(chld, End::handler, 3);
    chld.latency.add(1'000);
    chld.latency.add(1'900);
    chld.latency.add(70'000);
    report.signals = {chld};
    return report;
}

}  // namespace ipcscope::sample
