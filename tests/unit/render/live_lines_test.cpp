// SPDX-License-Identifier: GPL-2.0-only
// Records in, lines out, in the order of their times.
#include <cstdlib>
#include <cstring>
#include <random>

#include <gtest/gtest.h>

#include "aggregate/analysis.hpp"
#include "render/live_lines.hpp"

namespace ipcscope {
namespace {

using render::LiveLines;

constexpr std::uint64_t kStart = 1'000'000'000'000;
constexpr std::uint64_t kMs = 1'000'000;

/// A trace that shows its lines.  Times are in ms since its start.
class Trace {
public:
    explicit Trace(const diagnose::LineFilter& filter = {}, const render::LiveOptions& options = {},
                   std::vector<std::string> filters = {})
        : lines_(options, filter, [this](const std::string& line) { shown_.push_back(line); }),
          analysis_({[this](const decode::Event& event) { lines_.event(event); },
                     [this](const correlate::Interval& interval) { lines_.interval(interval); },
                     [this](const correlate::SignalInterval& signal, std::uint64_t at_ns) {
                         lines_.waiting(signal, at_ns);
                     },
                     lines_.waiting_after_ns()})
    {
        source::Host host;
        host.cpus = 2;
        host.start_ns = kStart;
        host.filters = std::move(filters);
        lines_.start(kStart, 0);
        EXPECT_TRUE(analysis_.host(host));
    }

    template <typename Record>
    void put(Record record, unsigned kind, std::uint64_t at_ms, std::uint32_t pid)
    {
        record.header.time_ns = kStart + at_ms * kMs;
        record.header.tgid = record.header.tid = pid;
        record.header.kind = static_cast<std::uint16_t>(kind);
        record.header.cpu = static_cast<std::uint16_t>(pid % 2);
        record.header.size = sizeof record;
        std::vector<std::byte> bytes(sizeof record);
        std::memcpy(bytes.data(), &record, sizeof record);
        EXPECT_TRUE(analysis_.records(pid % 2, bytes));
    }
    void thread(std::uint32_t pid, std::string_view comm)
    {
        ipcscope_thread record{};
        std::memcpy(record.comm, comm.data(), comm.size());
        put(record, IPCSCOPE_THREAD, 0, pid);
    }
    void send(std::uint64_t at_ms, std::uint32_t from, std::uint32_t to, __u8 signal)
    {
        ipcscope_signal_generate record{};
        record.target_tgid = record.target_tid = to;
        record.sig = signal;
        record.shared = 1;
        put(record, IPCSCOPE_SIGNAL_GENERATE, at_ms, from);
    }
    void take(std::uint64_t at_ms, std::uint32_t pid, __u8 signal)
    {
        ipcscope_signal_take record{};
        record.sig = signal;
        record.how = IPCSCOPE_TAKE_HANDLER;
        record.dequeued_ns = kStart + at_ms * kMs;
        put(record, IPCSCOPE_SIGNAL_TAKE, at_ms, pid);
    }
    void write(std::uint64_t at_ms, std::uint32_t pid)
    {
        ipcscope_call record{};
        record.type = IPCSCOPE_OBJECT_PIPE;
        record.op = IPCSCOPE_OP_WRITE;
        record.enter_ns = kStart + (at_ms - 1) * kMs;
        put(record, IPCSCOPE_CALL_PIPE, at_ms, pid);
    }
    void until(std::uint64_t at_ms)
    {
        EXPECT_TRUE(analysis_.watermark(kStart + at_ms * kMs));
    }
    void end(std::uint64_t at_ms)
    {
        until(at_ms);
        lines_.end(kStart + at_ms * kMs);
        EXPECT_TRUE(analysis_.end(kStart + at_ms * kMs));
        (void)analysis_.report();
    }
    const std::vector<std::string>& shown() const { return shown_; }

private:
    std::vector<std::string> shown_;
    LiveLines lines_;
    aggregate::Analysis analysis_;
};

using Lines = std::vector<std::string>;

// The send that is taken last does not hold up the other, and is seen meanwhile.
TEST(LiveLines, InTheOrderOfWhatEnds)
{
    Trace trace;
    trace.thread(1, "bash");
    trace.thread(2, "dd");
    trace.send(6'000, 1, 2, 10);
    trace.send(6'600, 1, 2, 12);
    trace.take(7'300, 2, 12);
    trace.until(7'400);
    EXPECT_EQ(trace.shown(), (Lines{
        "   7.000000 bash/1           SIGUSR1     → dd/2             pending    >1.00 s",
        "   7.300000 bash/1           SIGUSR2     → dd/2             handler     700 ms"}));
    trace.take(46'000, 2, 10);
    trace.send(47'000, 1, 2, 15);
    trace.end(47'500);
    ASSERT_EQ(trace.shown().size(), 4u);
    EXPECT_EQ(trace.shown().back(),
              "  47.500000 bash/1           SIGTERM     → dd/2             pending    >500 ms");
    EXPECT_EQ(trace.shown()[2],
              "  46.000000 bash/1           SIGUSR1     → dd/2             handler     40.0 s");
}

// That one of a target which is not traced waits is not known.
TEST(LiveLines, OutsideAtTheEnd)
{
    Trace trace({}, {}, {"--pid=1"});
    trace.thread(1, "bash");
    trace.send(1'000, 1, 9, 15);
    trace.until(5'000);
    EXPECT_EQ(trace.shown(), Lines{});
    trace.end(6'000);
    EXPECT_EQ(trace.shown(), (Lines{
        "   6.000000 bash/1           SIGTERM     → /9               untraced   >5.00 s"}));
}

TEST(LiveLines, WaitingIsFiltered)
{
    Trace failed({.failed = true}), slow({.least_ns = 3'000 * kMs});
    for (Trace* trace : {&failed, &slow}) {
        trace->thread(2, "dd");
        trace->send(1'000, 1, 2, 15);
        trace->take(6'000, 2, 15);
        trace->until(7'000);
    }
    EXPECT_TRUE(failed.shown().empty());
    ASSERT_EQ(slow.shown().size(), 2u);
    EXPECT_TRUE(slow.shown()[0].starts_with("   4.000000 ")) << slow.shown()[0];
    EXPECT_TRUE(slow.shown()[1].starts_with("   6.000000 ")) << slow.shown()[1];
}

TEST(LiveLines, DayAndZoneOnceADay)
{
    setenv("TZ", "UTC0", 1);
    tzset();
    render::LiveOptions options;
    options.realtime_offset_ns = 0;
    Trace trace({}, options);
    constexpr std::uint64_t kDay_ms = 86'400'000;
    trace.write(1'000, 1);
    trace.write(2'000, 1);
    trace.write(kDay_ms + 1'000, 1);
    trace.end(kDay_ms + 2'000);
    ASSERT_EQ(trace.shown().size(), 5u);
    EXPECT_EQ(trace.shown()[0], "1970-01-01, UTC+00:00 (UTC)");
    EXPECT_TRUE(trace.shown()[1].starts_with("00:16:41.000 ")) << trace.shown()[1];
    EXPECT_EQ(trace.shown()[3], "1970-01-02, UTC+00:00 (UTC)");
}

TEST(LiveLines, NeverBack)
{
    for (unsigned seed = 1; seed <= 50; ++seed) {
        std::mt19937 random(seed);
        const auto below = [&](unsigned limit) { return static_cast<unsigned>(random() % limit); };
        Trace trace;
        for (std::uint32_t pid = 1; pid <= 4; ++pid) trace.thread(pid, "t");
        std::uint64_t now = 10;
        for (unsigned i = 0; i < 500; ++i, now += below(400)) {
            const std::uint32_t pid = 1 + below(4);
            const auto signal = static_cast<__u8>(10 + below(3));
            switch (below(4)) {
            case 0: trace.write(now, pid); break;
            case 1: trace.take(now, pid, signal); break;
            default: trace.send(now, pid, 1 + below(5), signal); break;
            }
            if (below(10) == 0) trace.until(now - below(10));
        }
        trace.end(now + 1);
        double last = 0;
        for (const std::string& line : trace.shown()) {
            const double time = std::atof(line.c_str());
            ASSERT_GE(time, last) << "seed " << seed << ": " << line;
            last = time;
        }
        EXPECT_GT(trace.shown().size(), 300u);
    }
}

}  // namespace
}  // namespace ipcscope
