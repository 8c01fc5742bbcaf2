// SPDX-License-Identifier: GPL-2.0-only
// What is found in reports made by hand, and what is not.
#include <algorithm>

#include <gtest/gtest.h>

#include "../render/sample.hpp"
#include "base/units.hpp"
#include "diagnose/diagnose.hpp"
#include "diagnose/live.hpp"

namespace ipcscope {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

/// All findings, one after the other.
std::string texts(const aggregate::Report& report)
{
    std::string all;
    for (const diagnose::Finding& finding : diagnose::diagnose(report)) {
        all += finding.text + " " + finding.advice + "\n";
    }
    std::ranges::replace(all, kGlue, ' ');
    return all;
}

bool says(const aggregate::Report& report, const std::string& words)
{
    return texts(report).find(words) != std::string::npos;
}

TEST(Findings, StagesOfTheSameNameHaveTheirPids)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines[0].stages[0].task.comm = Comm("head");
    EXPECT_TRUE(says(report, "head(102) is the slow stage: head(101) waited 3.10 s"));
}

TEST(Findings, ShortWaitsAreNoSlowStage)
{
    aggregate::Report report = sample::slow_pipeline();
    report.waits[0].total_ns = 9 * kMs;
    report.waits[1].total_ns = 100 * kMs;   // 3 % of its span
    EXPECT_EQ(texts(report), "");
}

TEST(Findings, RingIsSmallOnlyWhereBothSidesWait)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines.clear();
    report.channels.resize(1);
    report.channels[0].reads.blocked_count = 1'000;
    EXPECT_FALSE(says(report, "F_SETPIPE_SZ"));
    report.channels[0].full_ns = report.channels[0].empty_ns = 1'000 * kMs;
    EXPECT_TRUE(says(report, "The pipe 40001 from 101 (yes) to 102 (head) was full for 31.3 % "
                             "and empty for 31.3 % of the time"));
    report.channels[0].ring_slots = 256;
    EXPECT_FALSE(says(report, "F_SETPIPE_SZ"));
}

TEST(Findings, AStageThatPollsForItsInputIsNotSlow)
{
    const aggregate::Report report = sample::poll_stage();
    EXPECT_TRUE(says(report, "sensor is the slow stage: parse waited 3.02 s for it (pipe empty), "
                             "node 2.96 s (in poll), store 2.96 s (pipe empty). sensor itself, "
                             "in 3.05 s: 99 % asleep."));
}

TEST(Findings, NothingIsSaidOfWhatWasNotTraced)
{
    const aggregate::Report report = sample::filtered();
    EXPECT_EQ(texts(report), "");
}

TEST(Findings, FewMergedSignalsAreNone)
{
    aggregate::Report report = sample::quiet();
    report.signals[0].signal = 10;
    report.signals[0].outcomes[IPCSCOPE_RESULT_ALREADY_PENDING] = 9;
    EXPECT_EQ(texts(report), "");
    report.signals[0].outcomes[IPCSCOPE_RESULT_ALREADY_PENDING] = 10;
    EXPECT_TRUE(says(report, "10 of 13 SIGUSR1 from 9 (make) to 8 (sh) merged"));
}

diagnose::Finding of_process(std::uint32_t pid, diagnose::Severity severity, std::uint64_t at_ns,
                   std::uint64_t duration_ns)
{
    diagnose::Finding made = diagnose::finding(diagnose::Code::kill_stuck, "");
    made.severity = severity;
    made.subjects.push_back({{pid, 0, {}}, "target"});
    made.at_ns = at_ns;
    made.duration_ns = duration_ns;
    return made;
}

constexpr std::uint64_t kSecond_ns = 1'000'000'000;

TEST(NewFindings, OnceAsItStandsAndOnceAsItHasEnded)
{
    diagnose::NewFindings fresh;
    const diagnose::Finding lives = of_process(5, diagnose::Severity::error, kSecond_ns, 2 * kSecond_ns);
    const diagnose::Finding ended = of_process(5, diagnose::Severity::warning, kSecond_ns, 4 * kSecond_ns);
    EXPECT_EQ(fresh.of({lives}, kSecond_ns * 5 / 4).size(), 0u) << "what it is may change yet";
    EXPECT_EQ(fresh.of({lives}, 3 * kSecond_ns).size(), 1u);
    EXPECT_EQ(fresh.of({lives}, 3 * kSecond_ns).size(), 0u);
    EXPECT_EQ(fresh.of({ended}, 5 * kSecond_ns).size(), 0u) << "what followed may come yet";
    EXPECT_EQ(fresh.of({ended}, 6 * kSecond_ns).size(), 1u);
    EXPECT_EQ(fresh.of({ended}, 9 * kSecond_ns).size(), 0u);
}

TEST(NewFindings, NoNotesAndNoSums)
{
    diagnose::NewFindings fresh;
    const diagnose::Findings findings{of_process(5, diagnose::Severity::note, 1, 1),
                                      of_process(6, diagnose::Severity::error, 0, 9)};
    EXPECT_TRUE(fresh.of(findings, 9 * kSecond_ns).empty());
}

}  // namespace
}  // namespace ipcscope
