// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "diagnose/live_pipelines.hpp"
#include "pipe_story.hpp"

namespace ipcscope::diagnose {
namespace {

using namespace test;

const decode::Task kSource = task(10, "yes"), kSink = task(11, "wc");
constexpr std::uint64_t kPipe = 77;

/// The source waits for room, 0.8 s of each second.
void second(Story& story, std::uint64_t from)
{
    story.slept(kSource, true, kPipe, from + kSecond / 10, from + kSecond * 9 / 10, 4096, 11);
    story.did(from + kSecond * 95 / 100, kSink, false, kPipe, 4096);
}

TEST(LivePipelines, OfOneIntervalAfterTheOther)
{
    Story story;
    story.born(1, kSource, 1).born(1, kSink, 1);
    story.holds(2, kSource, kPipe, false, true).holds(2, kSink, kPipe, true, false);
    second(story, 0);
    LivePipelines live;
    Report report = story.report(kSecond);
    const auto first = live.of(report, {}, kSecond);
    ASSERT_EQ(first.size(), 1u);
    ASSERT_EQ(first[0].stages.size(), 2u);
    const LiveStage& source = first[0].stages[0];
    EXPECT_EQ(source.task.tgid, 10u);
    ASSERT_EQ(source.writes.size(), 1u);
    EXPECT_EQ(source.writes[0].bytes, 4096u);
    EXPECT_EQ(source.writes[0].readers.at(0).tgid, 11u);
    EXPECT_EQ(source.output_ns, kSecond * 8 / 10);
    ASSERT_TRUE(source.wait);
    EXPECT_EQ(source.wait->whom.tgid, 11u);
    EXPECT_EQ(source.wait->ns, kSecond * 8 / 10);

    // Nothing more: it is quiet, and has no figures of the interval before.
    const auto quiet = live.of(report, {}, 2 * kSecond);
    EXPECT_EQ(quiet[0].stages[0].over_ns, 0u);
    EXPECT_EQ(quiet[0].stages[0].quiet_ns, kSecond);
    EXPECT_EQ(quiet[0].stages[0].writes[0].quiet_ns, kSecond);
    EXPECT_EQ(quiet[0].stages[0].writes[0].bytes, 0u);
    EXPECT_FALSE(quiet[0].stages[0].wait);

    // What comes then has the time since.
    second(story, 2 * kSecond);
    report = story.report(3 * kSecond);
    const auto third = live.of(report, {}, 3 * kSecond);
    EXPECT_EQ(third[0].stages[0].writes[0].over_ns, 2 * kSecond);
    EXPECT_EQ(third[0].stages[0].writes[0].bytes, 4096u);
    EXPECT_EQ(third[0].stages[0].over_ns, 2 * kSecond);
}

TEST(LivePipelines, WhatHasEndedIsShownOnceMore)
{
    Story story;
    story.born(1, kSource, 1).born(1, kSink, 1);
    story.holds(2, kSource, kPipe, false, true).holds(2, kSink, kPipe, true, false);
    second(story, 0);
    Report report = story.report(kSecond);
    LivePipelines live;
    ASSERT_EQ(live.of(report, {}, kSecond).size(), 1u);
    for (aggregate::LifeRow& life : report.lives) {
        life.exit_ns = kSecond + 1;
    }
    const auto last = live.of(report, {}, 2 * kSecond);
    ASSERT_EQ(last.size(), 1u);
    EXPECT_TRUE(last[0].stages.at(0).ended);
    EXPECT_TRUE(live.of(report, {}, 3 * kSecond).empty());
}

}  // namespace
}  // namespace ipcscope::diagnose
