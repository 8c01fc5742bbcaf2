// SPDX-License-Identifier: GPL-2.0-only
// What the text says, and what it must never do; its looks are in golden_test.
#include <gtest/gtest.h>

#include "decode/decode.hpp"
#include "render/render.hpp"
#include "sample.hpp"
#include "screen.hpp"

namespace ipcscope {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kSecond = 1'000 * kMs;

/// Lines joined, so that a sentence is found wherever it was wrapped.
std::string unwrapped(const aggregate::Report& report)
{
    std::string text = render::text(report);
    for (std::size_t at = 0; (at = text.find("\n  ", at)) != std::string::npos;)
        text.replace(at, 3, " ");
    return text;
}

bool says(const aggregate::Report& report, const std::string& words)
{
    return unwrapped(report).find(words) != std::string::npos;
}

TEST(Text, EndsWithTheLedgerAlways)
{
    for (const auto& report : {sample::empty(), sample::quiet(), sample::everything()}) {
        const std::string text = render::text(report);
        const std::size_t loss = text.rfind("\nLoss\n");
        ASSERT_NE(loss, std::string::npos);
        EXPECT_NE(text.find(" lost   exact\n", loss), std::string::npos);
    }
}

TEST(Text, LedgerThatDoesNotCloseSaysSo)
{
    aggregate::Report report = sample::quiet();
    report.loss.exact = false;
    EXPECT_TRUE(says(report, "0 lost   NOT EXACT"));
    EXPECT_TRUE(says(report, "nothing vouches for it"));
    report.loss.generated += 2;
    EXPECT_TRUE(says(report, "The sides differ by 2 events"));
    EXPECT_TRUE(says(report, "the ledger does not close"));
}

TEST(Text, EveryCauseOfLossHasAdvice)
{
    aggregate::Report report = sample::quiet();
    for (auto& cause : report.loss.lost) cause.count = 1'000;
    const std::string text = unwrapped(report);
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++) {
        const std::string lost = "1,000 lost to " + std::string(decode::loss_name(cause)) + ": ";
        const std::size_t at = text.find(lost);
        ASSERT_NE(at, std::string::npos) << lost;
        EXPECT_NE(text[at + lost.size()], '\n') << lost;
    }
    EXPECT_TRUE(says(report, "6,000 events were lost: figures are lower bounds"));
}

TEST(Text, NothingSeenTellsWhatToCheck)
{
    aggregate::Report report = sample::empty();
    report.host.hooks.clear();
    report.host.filters = {"--pid=7"};
    EXPECT_TRUE(says(report, "Nothing was seen"));
    EXPECT_TRUE(says(report, "No hook was attached"));
    EXPECT_TRUE(says(report, "Do the filters match"));
    report.loss.filtered = 12;
    EXPECT_TRUE(says(report, "12 events were left out by the filters"));
}

TEST(Findings, KillOfAnotherThread)
{
    aggregate::Report report = sample::stuck_kills();
    report.kills = {report.kills[0]};
    report.kills[0].target.tid = 793;
    report.kills[0].origin = decode::Origin::kernel;
    report.kills[0].stack.clear();
    report.kills[0].repeats = 0;
    report.kills[0].reaped_ns = *report.kills[0].gone_ns + 3 * kSecond;
    EXPECT_TRUE(says(report, "SIGKILL from the kernel (in bash/812) found thread 793 of 790 "
                             "(dd) in uninterruptible sleep (D). It was gone 4.02 s later. Its "
                             "parent took another 3.00 s to reap it. Its kernel stack is not "
                             "known."));
}

TEST(Findings, SameStackIsToldOnce)
{
    aggregate::Report report = sample::stuck_kills();
    report.kills = {report.kills[0], report.kills[0], report.kills[0], report.kills[0]};
    EXPECT_TRUE(says(report, "Stuck in the same place."));
    EXPECT_TRUE(says(report, "1 more process also took long (see Kills)"));
}

TEST(Findings, DeepStackIsCut)
{
    aggregate::Report report = sample::stuck_kills();
    report.kills = {report.kills[0]};
    report.kills[0].stack.assign(32, "f+0x1/0x2");
    EXPECT_TRUE(says(report, "… 25 more"));
}

TEST(Findings, QuickKillsAloneAreNoAlarm)
{
    aggregate::Report report = sample::stuck_kills();
    report.kills = {report.kills[2]};
    EXPECT_TRUE(says(report, "* 1 fatal signal found the target in D or K sleep, and it was "
                             "gone within 812 µs."));
}

TEST(Findings, SigkillOfAnotherProcessIsNoFollowUp)
{
    aggregate::Report report = sample::container_stop();
    report.signals.resize(2);
    report.signals[1].target.tgid = 32;
    EXPECT_TRUE(says(report, "has no handler for it.\n"));
    report.signals[1].target.tgid = 31;
    report.signals[1].first_ns = report.signals[0].first_ns - 1;
    EXPECT_TRUE(says(report, "has no handler for it.\n"));
}

TEST(Findings, TermThatWorkedIsNoFinding)
{
    aggregate::Report report = sample::container_stop();
    report.signals = {report.signals[2], report.signals[3]};
    report.signals[0].died = 1;
    EXPECT_TRUE(says(report, "Nothing stands out"));
}

TEST(Findings, TermThatWasBlockedOrIgnored)
{
    aggregate::Report report = sample::container_stop();
    report.signals = {report.signals[2], report.signals[3]};
    report.signals[0].to_handler = 0;
    EXPECT_TRUE(says(report, "was not taken: it was blocked, or the process did not run. "
                             "SIGKILL from 1 (init) ended it 2.00 s later."));
    report.signals[0].outcomes = {0, 1, 0, 0, 0};
    EXPECT_TRUE(says(report, "to 77 (sh) was ignored. SIGKILL"));
}

TEST(Findings, SigkillInsideANamespace)
{
    aggregate::Report report = sample::container_stop();
    report.signals.resize(1);
    report.signals[0].signal = 9;
    EXPECT_TRUE(says(report, "31 is the init of its pid namespace, which no process inside it "
                             "can kill or stop."));
}

TEST(Findings, StagesOfTheSameNameAreToldApart)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines[0].stages[0].task.comm = SafeText::escape("head");
    EXPECT_TRUE(says(report, "head(102) is the slow stage: head(101) waited 3.10 s"));
}

TEST(Findings, StagesSideBySideDoNotWaitForEachOther)
{
    aggregate::Report report = sample::slow_pipeline();
    auto& stages = report.pipelines[0].stages;
    stages.insert(stages.begin() + 1, stages[0]);
    stages[1].task = sample::task(104, "seq");
    report.pipelines[0].bottleneck = 2;
    EXPECT_TRUE(says(report, "Pipeline: yes(101), seq(104) → head(102) → wc(103). head is the "
                             "slow stage: yes waited 3.10 s for it (pipe full), seq 3.10 s "
                             "(pipe full), wc 2.90 s (pipe empty)."));
    report.pipelines[0].bottleneck = 1;
    EXPECT_TRUE(says(report, "seq is the slow stage: wc waited 2.90 s for it (pipe empty). "));
}

TEST(Findings, ShortWaitsAreNoSlowStage)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines[0].stages[0].waiting_for_output_ns = 9 * kMs;
    report.pipelines[0].stages[2].waiting_for_input_ns = 100 * kMs;   // 3 % of its span
    EXPECT_TRUE(says(report, "Nothing stands out"));
}

TEST(Findings, RingIsSmallOnlyWhereBothSidesWait)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines.clear();
    report.pipes.resize(1);
    report.pipes[0].reads.blocked_count = 1'000;
    EXPECT_FALSE(says(report, "F_SETPIPE_SZ"));
    report.pipes[0].full_ns = report.pipes[0].empty_ns = 1'000 * kMs;
    EXPECT_TRUE(says(report, "The pipe 40001 from 101 (yes) to 102 (head) was full for 31.3 % "
                             "and empty for 31.3 % of the time"));
    report.pipes[0].ring_slots = 256;
    EXPECT_FALSE(says(report, "F_SETPIPE_SZ"));
}

TEST(Findings, LeakedWriteEnd)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines.clear();
    report.pipes.resize(1);
    report.pipes[0].reads.unfinished = 1;
    EXPECT_FALSE(says(report, "no end-of-file comes"));
    report.pipes[0].writers = {{sample::task(77, "daemon"), 0, 0, 0, true}};
    EXPECT_TRUE(says(report, "A read of pipe 40001 by 102 (head) had not returned when the "
                             "trace ended. 77 (daemon) holds its write end open without "
                             "writing"));
}

TEST(Findings, FewMergedSignalsAreNone)
{
    aggregate::Report report = sample::quiet();
    report.signals[0].outcomes[IPCSCOPE_RESULT_ALREADY_PENDING] = 9;
    EXPECT_TRUE(says(report, "Nothing stands out"));
    report.signals[0].outcomes[IPCSCOPE_RESULT_ALREADY_PENDING] = 10;
    EXPECT_TRUE(says(report, "10 of 13 merged"));
}

TEST(Text, ManyRowsAreCompactAndCountTheRest)
{
    const std::string text = render::text(sample::extreme());
    EXPECT_NE(text.find("… 25 more (--top=0 shows all)"), std::string::npos);
    render::TextOptions all;
    all.top = 0;
    EXPECT_EQ(render::text(sample::extreme(), all).find("--top=0"), std::string::npos);
}

TEST(Text, HistogramsCanBeLeftOut)
{
    render::TextOptions options;
    options.histograms = false;
    EXPECT_EQ(render::text(sample::bad_signals(), options).find("Latency of"),
              std::string::npos);
}

TEST(Text, ExtremesStayWithinTheWidth)
{
    for (const std::size_t width : {0u, 80u, 100u, 200u}) {
        for (const bool utf8 : {false, true}) {
            render::TextOptions options;
            options.width = width;
            options.utf8 = utf8;
            options.top = 0;
            EXPECT_EQ(screen::bad_line(render::text(sample::extreme(), options),
                                       std::max(width, render::kMinWidth)),
                      "");
        }
    }
}

TEST(Text, AsciiIsAscii)
{
    render::TextOptions options;
    options.utf8 = false;
    for (const char c : render::text(sample::everything(), options))
        EXPECT_TRUE(c == '\n' || (c >= ' ' && c < '\x7f'));
}

TEST(Text, ColourChangesNothingElse)
{
    render::TextOptions options;
    options.colour = true;
    std::string text = render::text(sample::lossy(), options);
    EXPECT_NE(text.find("\x1b[1;31mINCOMPLETE"), std::string::npos);
    for (const std::string code : {"\x1b[1;31m", "\x1b[1m", "\x1b[0m"})
        for (std::size_t at = 0; (at = text.find(code, at)) != std::string::npos;)
            text.erase(at, code.size());
    EXPECT_EQ(text, render::text(sample::lossy()));
}

}  // namespace
}  // namespace ipcscope
