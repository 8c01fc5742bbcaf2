// SPDX-License-Identifier: GPL-2.0-only
#include <cstdlib>
#include <ctime>
#include <optional>

#include <gtest/gtest.h>

#include "render/layout.hpp"
#include "render/render.hpp"
#include "sample.hpp"
#include "screen.hpp"

namespace ipcscope {
namespace {

using correlate::End;
using render::LiveOptions;

constexpr std::uint64_t kStart = 1'000'000'000'000;
constexpr std::uint64_t kMs = 1'000'000;

correlate::SignalInterval signal()
{
    correlate::SignalInterval signal;
    signal.generated_ns = kStart + 12'345'678'901;
    signal.sender = sample::task(812, "bash");
    signal.target = sample::task(790, "dd");
    signal.signal = 10;
    signal.end = End::handler;
    signal.ended_ns = signal.generated_ns + 12'300;
    return signal;
}

decode::Event pipe_op()
{
    decode::Call op{};
    op.type = IPCSCOPE_OBJECT_PIPE;
    op.op = IPCSCOPE_OP_WRITE;
    op.enter_ns = kStart + 1'000 * kMs;
    op.object = 40'001;
    op.requested = op.ret = 65'536;
    op.blocked_ns = 310 * kMs;
    op.tail.pipe.ring_slots = op.tail.pipe.used_slots = 16;
    decode::Event event;
    event.time_ns = op.enter_ns + 312 * kMs;
    event.task = sample::task(101, "yes");
    event.kind = IPCSCOPE_CALL_PIPE;
    event.body = op;
    return event;
}

decode::Event kill()
{
    decode::Kill kill{};
    kill.target_tgid = kill.stuck_tid = 790;
    kill.sig = 9;
    kill.state = IPCSCOPE_STATE_UNINTERRUPTIBLE;
    kill.stack_depth = 2;
    kill.stack[0] = 1;
    kill.stack[1] = 2;
    decode::Event event;
    event.target = sample::task(790, "dd");
    event.time_ns = kStart + 2'000 * kMs;
    event.task = sample::task(812, "bash");
    event.kind = IPCSCOPE_KILL;
    event.body = kill;
    return event;
}

std::string line(const correlate::Interval& interval, LiveOptions options = {})
{
    std::uint64_t now_ns = 0;
    if (const auto* signal = std::get_if<correlate::SignalInterval>(&interval)) {
        now_ns = signal->matched() ? signal->ended_ns : signal->generated_ns + kMs;
    } else if (const auto* kill = std::get_if<correlate::KillInterval>(&interval)) {
        now_ns = kill->gone_ns.value_or(kill->trace_end_ns);
    }
    return render::live_line(interval, now_ns, kStart, options).value_or("(none)");
}

std::string line(const decode::Event& event, LiveOptions options = {},
                 const render::Symbols* symbols = nullptr)
{
    return render::live_line(event, kStart, options, symbols).value_or("(none)");
}

TEST(Live, SignalStandsUnderItsHeader)
{
    LiveOptions options;
    options.families = IPCSCOPE_FAMILY_SIGNALS;
    EXPECT_EQ(render::live_header(options) + "\n" + line(signal(), options),
              "       TIME SENDER           SIGNAL      → TARGET           OUTCOME    LATENCY\n"
              "  12.345691 bash/812         SIGUSR1     → dd/790           handler    12.3 µs");
}

TEST(Live, PipeCallStandsUnderItsHeader)
{
    LiveOptions options;
    options.families = IPCSCOPE_FAMILY_PIPES;
    EXPECT_EQ(render::live_header(options) + "\n" + line(pipe_op(), options),
              "       TIME     PID COMM           OBJECT   BYTES/REQ  LATENCY  BLOCKED   PAGES\n"
              "   1.312000     101 yes       w     40001 65536/65536   312 ms   310 ms   16/16");
}

TEST(Live, CallOnAnotherObjectNamesItInTheLastColumn)
{
    auto event = pipe_op();
    event.kind = IPCSCOPE_CALL_EVENTFD;
    auto& op = std::get<decode::Call>(event.body);
    op.type = IPCSCOPE_OBJECT_EVENTFD;
    op.op = IPCSCOPE_OP_READ;
    op.object = 12;
    op.ret = 8;
    op.requested = 8;
    LiveOptions options;
    options.families = IPCSCOPE_FAMILY_EVENTFD;
    EXPECT_EQ(render::live_header(options) + "\n" + line(event, options),
              "       TIME     PID COMM           OBJECT   BYTES/REQ  LATENCY  BLOCKED   PAGES\n"
              "   1.312000     101 yes       r        12         8/8   312 ms   310 ms eventfd");
    options.families = IPCSCOPE_FAMILY_PIPES;
    EXPECT_EQ(line(event, options), "(none)");
}

TEST(Live, SignalShowsHowItEnded)
{
    const auto ended = [](End end, decode::Outcome outcome) {
        auto one = signal();
        one.end = end;
        one.outcome = outcome;
        const std::string text = line(one);
        return text.substr(text.find("dd/790") + 17);
    };
    using decode::Outcome;
    EXPECT_EQ(ended(End::standard, Outcome::delivered), "default    12.3 µs");
    EXPECT_EQ(ended(End::ignored, Outcome::delivered), "ignored    12.3 µs");
    EXPECT_EQ(ended(End::sigwait, Outcome::delivered), "sigwait    12.3 µs");
    EXPECT_EQ(ended(End::signalfd, Outcome::delivered), "signalfd   12.3 µs");
    EXPECT_EQ(ended(End::debugger, Outcome::delivered), "debugger   12.3 µs");
    EXPECT_EQ(ended(End::kernel_thread, Outcome::delivered), "kthread    12.3 µs");
    EXPECT_EQ(ended(End::death, Outcome::delivered), "died       12.3 µs");
    EXPECT_EQ(ended(End::not_queued, Outcome::ignored), "ignored");
    EXPECT_EQ(ended(End::not_queued, Outcome::already_pending), "merged");
    EXPECT_EQ(ended(End::not_queued, Outcome::overflow), "overflow");
    EXPECT_EQ(ended(End::pending, Outcome::delivered), "pending   >1.00 ms");
    EXPECT_EQ(ended(End::target_exited, Outcome::delivered), "exited    <1.00 ms");
    EXPECT_EQ(ended(End::unseen, Outcome::delivered), "unseen    <1.00 ms");
    EXPECT_EQ(ended(End::flushed, Outcome::delivered), "flushed   <1.00 ms");
    EXPECT_EQ(ended(End::discarded, Outcome::delivered), "discarded <1.00 ms");
    EXPECT_EQ(ended(End::outside, Outcome::delivered), "untraced  >1.00 ms");
}

TEST(Live, PipeCallShowsItsError)
{
    auto event = pipe_op();
    auto& op = std::get<decode::Call>(event.body);
    op.ret = -11;
    op.requested = 4096;
    EXPECT_NE(line(event).find(" EAGAIN/4096 "), std::string::npos);
    op.ret = -512;   // ERESTARTSYS: the kernel's own, without a name
    EXPECT_NE(line(event).find(" -512/4096 "), std::string::npos);
    op.ret = INT32_MIN;   // of a damaged capture
    EXPECT_NE(line(event).find(" -21474836"), std::string::npos);
    op.ret = 1'000'000;
    op.requested = 1 << 20;
    EXPECT_NE(line(event).find(" 977K/1.00M "), std::string::npos);
    event.unfinished = true;
    EXPECT_NE(line(event).find(" inside "), std::string::npos);
}

TEST(Live, KillIsShownAtOnceAndAtItsEnd)
{
    render::Symbols symbols;
    decode::Event symbol;
    for (const std::string_view text : {"io_schedule+0x46/0x80", "folio_wait_bit+0x13d/0x350"}) {
        decode::Symbol body;
        body.record.id = text.starts_with("io") ? 1 : 2;
        body.text = SafeText::escape(text);
        symbol.body = body;
        symbols.note(symbol);
    }
    EXPECT_EQ(line(kill(), {}, &symbols),
              "   2.000000 KILL SIGKILL bash/812 → dd/790 in D, stuck in\n"
              "            folio_wait_bit+0x13d/0x350");
    EXPECT_EQ(line(kill()), "   2.000000 KILL SIGKILL bash/812 → dd/790 in D");

    correlate::KillInterval end;
    end.sent_ns = kStart + 2'000 * kMs;
    end.signal = 9;
    end.sender = sample::task(812, "bash");
    end.target = sample::task(790, "dd");
    end.repeats = 3;
    end.gone_ns = end.sent_ns + 4'020 * kMs;
    end.reaped_ns = *end.gone_ns + 900 * kMs;
    EXPECT_EQ(line(end), "   6.020000 KILL dd/790 gone after 4.02 s (SIGKILL from bash/812), "
                         "killed\n            3 more times");
    end.repeats = 0;
    end.reaped_ns = *end.gone_ns + 2'000 * kMs;
    EXPECT_EQ(line(end), "   6.020000 KILL dd/790 gone after 4.02 s, reaped 2.00 s later (SIGKILL "
                         "from\n            bash/812)");
    end.reaped_ns.reset();
    EXPECT_EQ(line(end), "   6.020000 KILL dd/790 gone after 4.02 s, not seen to be reaped "
                         "(SIGKILL from\n            bash/812)");
    end.gone_ns.reset();
    end.trace_end_ns = end.sent_ns + 12'300 * kMs;
    EXPECT_EQ(line(end), "  14.300000 KILL dd/790 STILL STUCK after 12.3 s (SIGKILL from "
                         "bash/812)");
}

TEST(Live, ShowsOnlyWhatWasAskedFor)
{
    LiveOptions none;
    none.families = 0;
    EXPECT_EQ(render::live_header(none), "");
    EXPECT_EQ(line(signal(), none), "(none)");
    EXPECT_EQ(line(pipe_op(), none), "(none)");
    EXPECT_EQ(line(kill(), none), "(none)");
    EXPECT_EQ(line(correlate::KillInterval{}, none), "(none)");
    EXPECT_EQ(line(correlate::Orphan{}), "(none)");
    // A generation and a taking are parts of an interval; the rest is for the report.
    for (const decode::Body& body : std::initializer_list<decode::Body>{
             decode::SignalGenerate{}, decode::SignalTake{}, decode::Thread{},
             decode::ThreadTime{}, decode::ThreadFree{}, decode::Slice{}, decode::Symbol{},
             decode::Holder{}}) {
        decode::Event event;
        event.body = body;
        EXPECT_EQ(line(event), "(none)");
    }
    auto other = pipe_op();
    other.kind = IPCSCOPE_CALL_EVENTFD;
    LiveOptions pipes;
    pipes.families = IPCSCOPE_FAMILY_PIPES;
    EXPECT_EQ(line(other, pipes), "(none)");
}

/// During its lifetime the local time zone is this one.
class TimeZone {
public:
    explicit TimeZone(const char* zone)
    {
        if (const char* before = std::getenv("TZ")) before_ = before;
        setenv("TZ", zone, 1);
        tzset();
    }
    ~TimeZone()
    {
        before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
        tzset();
    }

private:
    std::optional<std::string> before_;
};

TEST(Live, TimeOfDay)
{
    const TimeZone zone("CET-1CEST,M3.5.0,M10.5.0/3");
    constexpr std::uint64_t kNoon = 1'764'417'600'000'000'000;   // 2025-11-29 12:00:00 UTC
    LiveOptions options;
    options.families = IPCSCOPE_FAMILY_SIGNALS;
    options.realtime_offset_ns = static_cast<std::int64_t>(kNoon - kStart);
    EXPECT_EQ(render::live_day(kStart, options), "2025-11-29, UTC+01:00 (CET)");
    EXPECT_EQ(render::live_header(options) + "\n" + line(signal(), options),
              "        TIME SENDER           SIGNAL      → TARGET           OUTCOME    LATENCY\n"
              "13:00:12.345 bash/812         SIGUSR1     → dd/790           handler    12.3 µs");
    options.families = IPCSCOPE_FAMILY_HOOKED;
    EXPECT_EQ(render::columns(line(pipe_op(), options)), 79u);
    options.wide = true;
    EXPECT_TRUE(line(signal(), options).starts_with("13:00:12.345691 bash/812 "));
    EXPECT_EQ(render::live_day(kStart, LiveOptions{}), "");
    // Summer, and a zone west of Greenwich.
    EXPECT_EQ(render::live_day(kStart + 183ull * 86'400 * 1'000'000'000, options),
              "2026-05-31, UTC+02:00 (CEST)");
    const TimeZone west("NST3:30");
    EXPECT_EQ(render::live_day(kStart, options), "2025-11-29, UTC-03:30 (NST)");
}

TEST(Live, AsciiHasNoOtherCharacters)
{
    LiveOptions ascii;
    ascii.utf8 = false;
    const std::string text = render::live_header(ascii) + line(signal(), ascii) +
                             line(pipe_op(), ascii) + line(kill(), ascii);
    for (const char c : text) EXPECT_GE(c, '\n') << text;
}

TEST(Live, ColourIsOnlyAroundLines)
{
    LiveOptions colour;
    colour.colour = true;
    const std::string text = line(kill(), colour);
    EXPECT_EQ(text, "\x1b[1;31m" + line(kill()) + "\x1b[0m");
    EXPECT_EQ(line(signal(), colour), line(signal()));
}

TEST(Live, HostileFiguresDoNotWidenALine)
{
    const decode::Task wide{UINT32_MAX, UINT32_MAX, Comm("漢字漢字\xff\xff\x1b")};
    auto one = signal();
    one.sender = one.target = wide;
    one.signal = 63;
    one.generated_ns = 0;
    one.ended_ns = UINT64_MAX;
    auto call = pipe_op();
    call.task = wide;
    auto& op = std::get<decode::Call>(call.body);
    op.enter_ns = 0;
    op.object = op.blocked_ns = UINT64_MAX;
    op.requested = UINT32_MAX;
    op.ret = INT32_MIN;
    op.tail.pipe.ring_slots = op.tail.pipe.used_slots = UINT32_MAX;
    call.time_ns = UINT64_MAX;
    auto stuck = kill();
    stuck.task = stuck.target = wide;
    std::get<decode::Kill>(stuck.body).stack_depth = UINT32_MAX;
    correlate::KillInterval end;
    end.sender = end.target = wide;
    end.signal = 63;
    end.repeats = UINT32_MAX;
    end.gone_ns = UINT64_MAX;
    for (const unsigned form : {0u, 1u, 2u, 3u}) {
        const bool wider = form % 2 != 0;
        LiveOptions options;
        options.wide = wider;
        if (form >= 2) {
            options.realtime_offset_ns = form == 2 ? INT64_MIN : INT64_MAX;
        }
        const std::size_t width = wider ? 119 : 79;
        for (const std::string& text : {line(one, options), line(call, options),
                                        line(stuck, options), line(end, options),
                                        render::live_header(options)})
            EXPECT_EQ(screen::bad_line(text, width), "");
    }
}

TEST(Live, AFindingIsASentence)
{
    diagnose::Finding finding = diagnose::finding(
        diagnose::Code::slow_exit,
        "SIGTERM from 5 (bash) to 6 (app): it ran its handler at 1.00 s; it was gone 2.00 s "
        "after the signal → …");
    finding.at_ns = kStart + 1'000'000'000;
    EXPECT_EQ(render::live_line(finding, kStart + 4'000'000'000, kStart, {.utf8 = false}),
              "   4.000000 FINDING at 1.000000: SIGTERM from 5 (bash) to 6 (app): it ran its\n"
              "            handler at 1.00 s; it was gone 2.00 s after the signal -> ...");
}

}  // namespace
}  // namespace ipcscope
