// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

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
    decode::PipeOp op;
    op.write = true;
    op.enter_ns = kStart + 1'000 * kMs;
    op.inode = 40'001;
    op.requested_bytes = op.ret = 65'536;
    op.blocked_ns = 310 * kMs;
    op.ring_slots = op.used_slots = 16;
    decode::Event event;
    event.time_ns = op.enter_ns + 312 * kMs;
    event.task = sample::task(101, "yes");
    event.kind = IPCSCOPE_PIPE_WRITE;
    event.body = op;
    return event;
}

decode::Event kill()
{
    decode::Kill kill;
    kill.target = sample::task(790, "dd");
    kill.signal = 9;
    kill.state = decode::State::uninterruptible;
    kill.stack = {1, 2};
    decode::Event event;
    event.time_ns = kStart + 2'000 * kMs;
    event.task = sample::task(812, "bash");
    event.kind = IPCSCOPE_KILL;
    event.body = kill;
    return event;
}

std::string line(const correlate::Interval& interval, LiveOptions options = {})
{
    return render::live_line(interval, kStart, options).value_or("(none)");
}

std::string line(const decode::Event& event, LiveOptions options = {},
                 const render::Symbols* symbols = nullptr)
{
    return render::live_line(event, kStart, options, symbols).value_or("(none)");
}

TEST(Live, SignalStandsUnderItsHeader)
{
    LiveOptions options;
    options.pipes = false;
    EXPECT_EQ(render::live_header(options) + "\n" + line(signal(), options),
              "       TIME SENDER           SIGNAL      → TARGET           OUTCOME    LATENCY\n"
              "  12.345678 bash/812         SIGUSR1     → dd/790           handler    12.3 µs");
}

TEST(Live, PipeCallStandsUnderItsHeader)
{
    LiveOptions options;
    options.signals = false;
    EXPECT_EQ(render::live_header(options) + "\n" + line(pipe_op(), options),
              "       TIME     PID COMM            INODE   BYTES/REQ  LATENCY  BLOCKED   SLOTS\n"
              "   1.312000     101 yes       w     40001 65536/65536   312 ms   310 ms   16/16");
}

TEST(Live, SignalTellsHowItEnded)
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
    EXPECT_EQ(ended(End::accepted, Outcome::delivered), "accepted   12.3 µs");
    EXPECT_EQ(ended(End::death, Outcome::delivered), "died       12.3 µs");
    EXPECT_EQ(ended(End::not_queued, Outcome::ignored), "ignored");
    EXPECT_EQ(ended(End::not_queued, Outcome::already_pending), "merged");
    EXPECT_EQ(ended(End::not_queued, Outcome::overflow), "overflow");
    EXPECT_EQ(ended(End::pending, Outcome::delivered), "pending");
    EXPECT_EQ(ended(End::target_exited, Outcome::delivered), "exited");
    EXPECT_EQ(ended(End::unseen, Outcome::delivered), "unseen");
    EXPECT_EQ(ended(End::flushed, Outcome::delivered), "discarded");
}

TEST(Live, PipeCallTellsItsError)
{
    auto event = pipe_op();
    auto& op = std::get<decode::PipeOp>(event.body);
    op.ret = -11;
    op.requested_bytes = 4096;
    EXPECT_NE(line(event).find(" EAGAIN/4096 "), std::string::npos);
    op.ret = -512;   // ERESTARTSYS: the kernel's own, without a name
    EXPECT_NE(line(event).find(" -512/4096 "), std::string::npos);
    op.ret = 1'000'000;
    op.requested_bytes = 1 << 20;
    EXPECT_NE(line(event).find(" 977K/1.00M "), std::string::npos);
    event.unfinished = true;
    EXPECT_NE(line(event).find(" inside "), std::string::npos);
}

TEST(Live, KillIsToldAtOnceAndAtItsEnd)
{
    render::Symbols symbols;
    decode::Event symbol;
    symbol.body = decode::Symbol{1, SafeText::escape("io_schedule+0x46/0x80")};
    symbols.note(symbol);
    symbol.body = decode::Symbol{2, SafeText::escape("folio_wait_bit+0x13d/0x350")};
    symbols.note(symbol);
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
    EXPECT_EQ(line(end), "   6.020000 KILL dd/790 gone after 4.02 s (SIGKILL from bash/812), "
                         "killed\n            3 more times");
    end.gone_ns.reset();
    end.repeats = 0;
    end.trace_end_ns = end.sent_ns + 12'300 * kMs;
    EXPECT_EQ(line(end), "  14.300000 KILL dd/790 STILL STUCK after 12.3 s (SIGKILL from "
                         "bash/812)");
}

TEST(Live, ShowsOnlyWhatWasAskedFor)
{
    LiveOptions none;
    none.signals = none.pipes = none.kills = false;
    EXPECT_EQ(render::live_header(none), "");
    EXPECT_EQ(line(signal(), none), "(none)");
    EXPECT_EQ(line(pipe_op(), none), "(none)");
    EXPECT_EQ(line(kill(), none), "(none)");
    EXPECT_EQ(line(correlate::KillInterval{}, none), "(none)");
    EXPECT_EQ(line(correlate::Orphan{}), "(none)");
    EXPECT_EQ(line(decode::Event{}), "(none)");   // a generation: part of its interval
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
    const decode::Task wide{UINT32_MAX, UINT32_MAX, SafeText::escape("漢字漢字漢字\xff\xff\x1b")};
    auto one = signal();
    one.sender = one.target = wide;
    one.signal = 63;
    one.generated_ns = 0;
    one.ended_ns = UINT64_MAX;
    auto call = pipe_op();
    call.task = wide;
    auto& op = std::get<decode::PipeOp>(call.body);
    op.enter_ns = 0;
    op.inode = op.requested_bytes = op.blocked_ns = UINT64_MAX;
    op.ret = INT64_MIN;
    op.ring_slots = op.used_slots = UINT32_MAX;
    call.time_ns = UINT64_MAX;
    auto stuck = kill();
    stuck.task = std::get<decode::Kill>(stuck.body).target = wide;
    correlate::KillInterval end;
    end.sender = end.target = wide;
    end.signal = 63;
    end.repeats = UINT32_MAX;
    end.gone_ns = UINT64_MAX;
    for (const bool wider : {false, true}) {
        LiveOptions options;
        options.wide = wider;
        const std::size_t width = wider ? 119 : 79;
        for (const std::string& text : {line(one, options), line(call, options),
                                        line(stuck, options), line(end, options),
                                        render::live_header(options)})
            EXPECT_EQ(screen::bad_line(text, width), "");
    }
}

}  // namespace
}  // namespace ipcscope
