// SPDX-License-Identifier: GPL-2.0-only
// Traces with a known truth, and any other, through the analysis into an exporter.
#pragma once

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "../capture/helpers.hpp"
#include "aggregate/analysis.hpp"
#include "base/collector.hpp"
#include "diagnose/diagnose.hpp"
#include "exports/exporter.hpp"

namespace ipcscope::exports::test {

inline constexpr std::uint64_t kStart_ns = 1'000'000'000, kMs = 1'000'000;

using Make = Made (*)(AtomicFile);
using Feed = std::function<void(source::Sink&)>;

/// The file that comes of what `feed` passes on.
inline std::string exported(const std::string& path, Make make, const Feed& feed)
{
    auto made = AtomicFile::create(path, 0600).and_then(make);
    if (!made) {
        ADD_FAILURE() << made.error().message;
        return {};
    }
    Exporter& exporter = **made;
    aggregate::Analysis analysis(
        {[&](const decode::Event& event) { exporter.event(event); },
         [&](const correlate::Interval& interval) { exporter.interval(interval); }});
    source::Host host;
    host.kernel = "6.12";
    host.hostname = "box";
    host.cpus = 4;
    host.start_ns = kStart_ns;
    host.realtime_offset_ns = 5;
    exporter.host(host);
    EXPECT_TRUE(analysis.host(host));
    feed(analysis);
    const aggregate::Report report = analysis.report();
    const auto done = exporter.finish(report, diagnose::diagnose(report));
    EXPECT_TRUE(done) << done.error().message;
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What a call waited for.
struct Slept {
    double blocked_ms = 0;
    double runnable_ms = 0;
    std::uint32_t waker = 0;
    double woken_before_ms = 0;
};

/// Records in few words; times are in ms from the start.
class Records {
public:
    explicit Records(source::Sink& sink) : sink_(sink) {}

    template <typename Record>
    void put(Record record, unsigned kind, double at_ms, std::uint32_t pid, bool unfinished = false,
             std::string_view text = {})
    {
        bool of_collector = kind >= IPCSCOPE_SYMBOL;
        if constexpr (std::is_same_v<Record, ipcscope_thread>) {
            of_collector = record.reason == IPCSCOPE_THREAD_SWEEP;
        }
        record.header.time_ns = time(at_ms);
        record.header.tgid = record.header.tid = pid;
        record.header.kind = static_cast<std::uint16_t>(kind);
        record.header.size = static_cast<std::uint16_t>(sizeof record + text.size());
        record.header.flags = unfinished ? IPCSCOPE_UNFINISHED : 0;
        record.header.cpu = static_cast<std::uint16_t>(of_collector ? kCollectorCpu : 0);
        ipcscope::test::Record bytes(record.header.size);
        std::memcpy(bytes.data(), &record, sizeof record);
        std::ranges::transform(text, bytes.begin() + sizeof record,
                               [](char byte) { return static_cast<std::byte>(byte); });
        EXPECT_TRUE(sink_.records(of_collector ? kCollectorCpu : 0, bytes));
        if (!of_collector) {
            ++ledger_[0].kind[kind].emitted;
        }
    }
    static std::uint64_t time(double ms)
    {
        return kStart_ns + static_cast<std::uint64_t>(ms * static_cast<double>(kMs));
    }

    void thread(double at_ms, std::uint32_t pid, std::string_view name,
                unsigned reason = IPCSCOPE_THREAD_SWEEP)
    {
        ipcscope_thread record{};
        record.ppid = 1;
        record.uid = 1000;
        record.cgroup = 55;
        record.reason = static_cast<std::uint8_t>(reason);
        ipcscope::test::set_name(record.comm, name);
        put(record, IPCSCOPE_THREAD, at_ms, pid);
    }
    void name(unsigned kind, std::uint64_t id, std::string_view text)
    {
        ipcscope_name record{};
        record.id = id;
        put(record, kind, 0, 1, false, text);
    }
    void symbol(std::uint64_t id, std::string_view text)
    {
        ipcscope_symbol record{};
        record.id = id;
        put(record, IPCSCOPE_SYMBOL, 0, 1, false, text);
    }
    void call(double since_ms, double enter_ms, double exit_ms, std::uint32_t pid, bool write,
              std::uint64_t pipe, std::int32_t ret, Slept slept = {}, unsigned used = 0)
    {
        ipcscope_call_split record{};
        record.since_ns = time(since_ms);
        record.enter_ns = time(enter_ms);
        record.object = pipe;
        record.requested = 4096;
        record.ret = ret;
        record.dev = 14;
        record.type = IPCSCOPE_OBJECT_PIPE;
        record.op = write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ;
        record.tail.pipe = {16, used, 1, 1};
        record.blocked_ns = length(slept.blocked_ms);
        record.runnable_ns = length(slept.runnable_ms);
        record.sleeps = slept.blocked_ms > 0;
        record.waker_tid = slept.waker;
        record.woken_before_ns = static_cast<std::uint32_t>(length(slept.woken_before_ms));
        put(record, IPCSCOPE_CALL_PIPE, exit_ms, pid);
    }
    void slice(double start_ms, double end_ms, std::uint32_t pid, unsigned state,
               std::uint32_t waker = 0, unsigned call = 0)
    {
        ipcscope_slice record{};
        record.start_ns = time(start_ms);
        record.end_ns = time(end_ms);
        record.state = static_cast<std::uint8_t>(state);
        record.waker_tid = waker;
        record.call = static_cast<std::uint8_t>(call);
        record.syscall = IPCSCOPE_SYSCALL_NONE;
        put(record, IPCSCOPE_SLICE, end_ms, pid);
    }
    void send(double at_ms, std::uint32_t from, std::uint32_t to, unsigned signal,
              bool blocked = false, bool fatal = false)
    {
        ipcscope_signal_generate record{};
        record.enter_ns = time(at_ms - 0.5);
        record.target_tgid = record.target_tid = to;
        record.sig = static_cast<std::uint8_t>(signal);
        record.disposition = fatal ? IPCSCOPE_DISPOSITION_DEFAULT : IPCSCOPE_DISPOSITION_HANDLER;
        record.target_state = IPCSCOPE_STATE_INTERRUPTIBLE;
        record.shared = 1;
        record.blocked = blocked;
        record.fatal = fatal;
        put(record, IPCSCOPE_SIGNAL_GENERATE, at_ms, from);
    }
    void take(double at_ms, std::uint32_t pid, unsigned signal, unsigned how)
    {
        ipcscope_signal_take record{};
        record.dequeued_ns = record.enter_ns = time(at_ms - 0.5);
        record.sig = static_cast<std::uint8_t>(signal);
        record.how = static_cast<std::uint8_t>(how);
        record.disposition = IPCSCOPE_DISPOSITION_HANDLER;
        put(record, IPCSCOPE_SIGNAL_TAKE, at_ms, pid);
    }
    void handler(double start_ms, double at_ms, std::uint32_t pid, unsigned signal,
                 bool left = false, unsigned depth = 0)
    {
        ipcscope_signal_handler record{};
        record.enter_ns = time(start_ms);
        record.sig = static_cast<std::uint8_t>(signal);
        record.depth = static_cast<std::uint8_t>(depth);
        record.left = left;
        put(record, IPCSCOPE_SIGNAL_HANDLER, at_ms, pid);
    }
    void kill(double at_ms, std::uint32_t from, std::uint32_t stuck)
    {
        ipcscope_kill record{};
        record.target_tgid = record.stuck_tid = stuck;
        record.stuck_threads = 1;
        record.stack_depth = 2;
        record.stack[0] = 1;
        record.stack[1] = 2;
        record.sig = 9;
        record.state = IPCSCOPE_STATE_UNINTERRUPTIBLE;
        put(record, IPCSCOPE_KILL, at_ms, from);
    }
    struct Between {
        double sleeping_ms = 0;
        double uninterruptible_ms = 0;
    };
    void time_of(double since_ms, double at_ms, std::uint32_t pid, Between between, bool exits)
    {
        ipcscope_thread_time record{};
        record.since_ns = time(since_ms);
        record.between_sleeping_ns = length(between.sleeping_ms);
        record.between_uninterruptible_ns = length(between.uninterruptible_ms);
        record.exit_code = exits ? 9 : 0;
        record.group_dead = exits;
        record.syscall = IPCSCOPE_SYSCALL_NONE;
        put(record, exits ? IPCSCOPE_THREAD_EXIT : IPCSCOPE_THREAD_TIME, at_ms, pid, !exits);
    }
    void lose(unsigned cpu, unsigned kind, std::uint64_t count)
    {
        ledger_[cpu].kind[kind].lost[IPCSCOPE_LOST_RING_FULL] += count;
        ledger_[cpu].lost += count;
    }
    void end(double at_ms)
    {
        EXPECT_TRUE(sink_.watermark(time(at_ms)));
        EXPECT_TRUE(sink_.ledger(ledger_));
        EXPECT_TRUE(sink_.end(time(at_ms)));
    }

private:
    static std::uint64_t length(double ms)
    {
        return static_cast<std::uint64_t>(ms * static_cast<double>(kMs));
    }

    source::Sink& sink_;
    source::Ledger ledger_ = source::Ledger(4);
};

/// reader (200) waits 30 ms for writer (100); killer (300) sends SIGUSR1 to reader, which
/// handles it after 2 ms, SIGTERM to reader, which has a handler and blocks it, and SIGKILL to writer, which
/// sleeps in D for 200 ms.
struct StoryNames {
    std::string_view writer = "writer", reader = "reader", killer = "killer";
};
inline void story(source::Sink& sink, const StoryNames& names)
{
    Records records(sink);
    records.name(IPCSCOPE_USER, 1000, "alice");
    records.name(IPCSCOPE_CGROUP, 55, "/system.slice/x.service");
    records.symbol(1, "io_schedule+0x46/0x80");
    records.symbol(2, "nfs_wait+0x12/0x40");
    records.thread(0, 100, names.writer);
    records.thread(0, 200, names.reader);
    records.thread(0, 300, names.killer);
    records.slice(1, 31, 200, IPCSCOPE_STATE_INTERRUPTIBLE, 100, IPCSCOPE_CALL_PIPE);
    records.call(0, 1, 32, 200, false, 7, 4096, {30, 0.5, 100, 1});
    records.call(0, 30, 33, 100, true, 7, 4096);
    records.send(41, 300, 200, 10);
    records.take(43, 200, 10, IPCSCOPE_TAKE_HANDLER);
    records.send(50, 300, 200, 15, true);
    records.kill(70, 300, 100);
    records.send(70, 300, 100, 9, false, true);
    records.slice(60, 260, 100, IPCSCOPE_STATE_UNINTERRUPTIBLE);
    records.time_of(33, 265, 100, {0, 200}, true);
    records.time_of(32, 5300, 200, {5200, 0}, false);
    records.time_of(0, 5300, 300, {5290, 0}, false);
    records.end(5300);
}
inline void plain_story(source::Sink& sink) { story(sink, {}); }

}  // namespace ipcscope::exports::test
