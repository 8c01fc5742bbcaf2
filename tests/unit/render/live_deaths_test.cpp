// SPDX-License-Identifier: GPL-2.0-only
#include <csignal>

#include <gtest/gtest.h>

#include "render/layout.hpp"
#include "render/render.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

using diagnose::LiveDeath;

constexpr std::uint64_t kStart = 1'000'000'000'000;
constexpr std::uint64_t kMs = 1'000'000;

aggregate::DeathSend send(unsigned signal, std::uint64_t at_ms, std::uint64_t count = 1)
{
    aggregate::DeathSend send;
    send.sender = sample::task(812, "bash");
    send.origin = decode::Origin::task;
    send.signal = signal;
    send.count = count;
    send.first_ns = send.last_ns = kStart + at_ms * kMs;
    return send;
}

LiveDeath sample_of(std::initializer_list<aggregate::DeathSend> sends)
{
    LiveDeath shown;
    shown.death.target = sample::task(900, "sleep");
    shown.death.sends = sends;
    return shown;
}

std::string line(const LiveDeath& shown)
{
    return render::live_line(shown, kStart, render::LiveOptions{});
}

TEST(LiveDeaths, Ended)
{
    LiveDeath shown = sample_of({send(SIGTERM, 1500)});
    shown.death.gone_ns = shown.at_ns = kStart + 1503 * kMs;
    EXPECT_EQ(render::kills_header(render::LiveOptions{}),
              "       TIME FROM             SIGNALS     TO                    TOOK END");
    EXPECT_EQ(line(shown), "   1.503000 bash/812         TERM        sleep/900          3.00 ms ended");
    shown.death.exit_code = SIGTERM;
    EXPECT_TRUE(line(shown).ends_with("3.00 ms SIGTERM")) << line(shown);
    shown.death.exit_code = 3 << 8;
    EXPECT_TRUE(line(shown).ends_with("3.00 ms status 3")) << line(shown);
}

TEST(LiveDeaths, StillThere)
{
    LiveDeath shown = sample_of({send(SIGTERM, 0, 2), send(SIGKILL, 1000)});
    shown.still_ns = 2000 * kMs;
    EXPECT_TRUE(line(shown).ends_with(">2.00 s still there")) << line(shown);
    shown.death.looks.emplace_back();
    shown.death.looks.back().state = decode::State::uninterruptible;
    shown.death.looks.back().wait_channel = SafeText::escape("io_schedule_timeout");
    EXPECT_NE(line(shown).find("TERM ×2, K"), std::string::npos) << line(shown);
    EXPECT_TRUE(line(shown).ends_with(">2.00 s D io_sched…")) << line(shown);
    render::LiveOptions wide;
    wide.wide = true;
    EXPECT_TRUE(render::live_line(shown, kStart, wide).ends_with("D io_schedule_timeout"))
        << render::live_line(shown, kStart, wide);
    shown.death.takings = {{SIGTERM, decode::How::handler, 900, kStart}};
    EXPECT_TRUE(line(shown).ends_with(">2.00 s handled")) << line(shown);
}

TEST(LiveDeaths, Ignored)
{
    LiveDeath shown = sample_of({send(SIGHUP, 0)});
    shown.death.sends[0].outcomes[static_cast<std::size_t>(decode::Outcome::ignored)] = 1;
    shown.still_ns = 1000 * kMs;
    EXPECT_TRUE(line(shown).ends_with(">1.00 s ignored")) << line(shown);
}

TEST(LiveDeaths, HostileNamesStayInTheLine)
{
    LiveDeath shown = sample_of({send(SIGKILL, 0)});
    shown.death.target = sample::task(4'000'000'000, "\x1b[31m\n\n\n\n\n\n\n\n\n\n");
    shown.still_ns = 1000 * kMs;
    EXPECT_LE(render::columns(line(shown)), 79u);
    EXPECT_EQ(line(shown).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace ipcscope
