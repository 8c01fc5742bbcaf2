// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "diagnose/line_filter.hpp"

namespace ipcscope::diagnose {
namespace {

using correlate::End;
using correlate::Interval;

constexpr std::uint64_t kMs = 1'000'000;

Interval signal(End end, std::uint64_t latency_ns)
{
    correlate::SignalInterval signal;
    signal.end = end;
    signal.generated_ns = kMs;
    signal.ended_ns = kMs + latency_ns;
    return signal;
}

decode::Event call(std::int32_t ret, std::uint64_t took_ns)
{
    decode::Call body{};
    body.enter_ns = kMs;
    body.ret = ret;
    decode::Event event;
    event.time_ns = kMs + took_ns;
    event.body = body;
    return event;
}

TEST(LineFilter, AllWithoutOne)
{
    const LineFilter filter;
    EXPECT_TRUE(filter.passes(signal(End::handler, 0)));
    EXPECT_TRUE(filter.passes(call(1, 0)));
}

TEST(LineFilter, OnlyWhatFailed)
{
    const LineFilter filter{.failed = true};
    for (const End end : {End::ignored, End::not_queued, End::pending, End::target_exited,
                          End::flushed, End::discarded}) {
        EXPECT_TRUE(filter.passes(signal(end, 0)));
    }
    for (const End end : {End::handler, End::standard, End::sigwait, End::signalfd, End::death,
                          End::unseen, End::outside}) {
        EXPECT_FALSE(filter.passes(signal(end, 0)));
    }
    EXPECT_TRUE(filter.passes(call(-11, 0)));
    EXPECT_FALSE(filter.passes(call(0, 0)));
}

TEST(LineFilter, OnlyWhatTookLong)
{
    const LineFilter filter{.least_ns = 10 * kMs};
    EXPECT_TRUE(filter.passes(signal(End::handler, 10 * kMs)));
    EXPECT_FALSE(filter.passes(signal(End::handler, 10 * kMs - 1)));
    EXPECT_TRUE(filter.passes(signal(End::pending, 0)));   // it was never taken
    EXPECT_TRUE(filter.passes(call(1, 10 * kMs)));
    EXPECT_FALSE(filter.passes(call(-1, 10 * kMs - 1)));
}

TEST(LineFilter, KillsAndOtherRecordsPass)
{
    const LineFilter filter{true, kMs};
    EXPECT_TRUE(filter.passes(Interval(correlate::KillInterval{})));
    EXPECT_TRUE(filter.passes(decode::Event{}));
}

}  // namespace
}  // namespace ipcscope::diagnose
