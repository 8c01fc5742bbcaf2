// SPDX-License-Identifier: GPL-2.0-only
// What the text says, and what it must never do; its looks are in golden_test.
#include <iterator>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "decode/names.hpp"
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
    std::string text = sample::text(report);
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
        const std::string text = sample::text(report);
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
    EXPECT_TRUE(says(report, "cannot be verified"));
    report.loss.generated += 2;
    EXPECT_TRUE(says(report, "The sides differ by 2 events"));
    EXPECT_TRUE(says(report, "the ledger does not close"));
}

TEST(Text, HandlersHaveATable)
{
    aggregate::Report report = sample::quiet();
    EXPECT_FALSE(says(report, "Handlers of signals"));
    aggregate::HandlerRow row;
    row.task = sample::task(6, "consumer");
    row.signal = 10;
    row.time.add(20 * kMs);
    row.left = 1;
    row.running = 1;
    row.depth = 2;
    report.handlers = {row};
    EXPECT_TRUE(says(report, "Handlers of signals: from set-up to return"));
    EXPECT_TRUE(says(report, "consumer/6"));
    EXPECT_TRUE(says(report, "1 left by siglongjmp(), 1 running at the end"));
}

TEST(Text, EveryCauseOfLossHasAdvice)
{
    aggregate::Report report = sample::quiet();
    report.loss.lost.fill(1'000);
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

/// One signal that was taken, from each of `senders` processes of one name to 8 (sh).
aggregate::Report many_senders(unsigned signal, unsigned senders)
{
    aggregate::Report report = sample::quiet();
    aggregate::SignalRow one = report.signals.at(0);
    one.signal = signal;
    one.outcomes[IPCSCOPE_RESULT_DELIVERED] = 1;
    one.ends[static_cast<std::size_t>(correlate::End::handler)] = 1;
    one.latency = {};
    one.latency.add(1'000);
    report.signals.assign(senders, one);
    for (unsigned at = 0; at < senders; ++at) {
        report.signals[at].sender = sample::task(100 + at, "true");
    }
    return report;
}

std::size_t lines_with(const std::string& text, std::string_view words)
{
    std::size_t number = 0;
    for (std::size_t at = 0; (at = text.find(words, at)) != std::string::npos; ++at) {
        ++number;
    }
    return number;
}

TEST(Text, SignalsFromProcessesOfOneNameAreOneLine)
{
    for (const unsigned signal : {10u, 17u}) {
        const aggregate::Report report = many_senders(signal, 50);
        EXPECT_TRUE(says(report, "true ×50  →  sh/8"));
        EXPECT_TRUE(says(report, "50 to a handler"));
        EXPECT_EQ(lines_with(sample::text(report), "sh/8"), 1u);
        EXPECT_EQ(lines_with(sample::text(report, {.top = 0}), "→  sh/8"), 50u);
    }
    EXPECT_EQ(lines_with(sample::text(many_senders(10, 2)), "sh/8"), 2u);
}

TEST(Text, ChildrenOfOneProcessAreOneLineOfSigchld)
{
    aggregate::Report report = many_senders(17, 2);
    report.signals[1].sender.comm = "sed";
    EXPECT_TRUE(says(report, "2 processes  →  sh/8"));
    report.signals[0].signal = report.signals[1].signal = 10;
    EXPECT_EQ(lines_with(sample::text(report), "sh/8"), 2u);
}

TEST(Text, AProcessThatAFindingNamesKeepsItsRows)
{
    aggregate::Report report = many_senders(10, 4);
    report.signals[2].outcomes[IPCSCOPE_RESULT_OVERFLOW] = 1;
    report.signals[2].target = sample::task(9, "sh");
    EXPECT_TRUE(says(report, "true/102  →  sh/9"));
    EXPECT_TRUE(says(report, "true ×3   →  sh/8")) << sample::text(report);
}

/// slow_pipeline() and `number` pipelines of two stages, each over within `span_ns`, whose pipe
/// had one write.
aggregate::Report beside_little(unsigned number, std::uint64_t span_ns)
{
    aggregate::Report report = sample::slow_pipeline();
    for (unsigned at = 0; at < number; ++at) {
        aggregate::Pipeline pipeline;
        pipeline.stages.resize(2);
        pipeline.stages[0].task = sample::task(300 + 2 * at, "echo");
        pipeline.stages[1].task = sample::task(301 + 2 * at, "cat");
        pipeline.stages[0].span_ns = pipeline.stages[1].span_ns = span_ns;
        report.pipelines.push_back(pipeline);
        aggregate::ChannelRow pipe = report.channels.front();
        pipe.object.object = 60'000 + at;
        pipe.writes.count = 1;
        pipe.full_ns = pipe.empty_ns = span_ns / 4;
        report.channels.push_back(pipe);
    }
    return report;
}

constexpr const char kLittlePipelines[] = "… 3 other pipelines, each over in less than 1 % of the time";
constexpr const char kLittlePipes[] = "… 3 other pipes with at most one write (--top=0 shows all)";

TEST(Text, WhatCostsNextToNothingIsOnlyCounted)
{
    const aggregate::Report report = beside_little(3, kMs);
    EXPECT_TRUE(says(report, kLittlePipelines)) << sample::text(report);
    EXPECT_TRUE(says(report, kLittlePipes));
    EXPECT_FALSE(says(report, "echo(300)"));
    EXPECT_FALSE(says(report, "60000"));
    EXPECT_TRUE(says(report, "yes(101) → head(102)"));
    EXPECT_EQ(lines_with(sample::text(report, {.top = 0}), "echo(30"), 3u);
    EXPECT_EQ(lines_with(sample::text(report, {.top = 0}), "6000"), 3u);
    // Sorted by a figure that is asked for, each has its place.
    EXPECT_EQ(lines_with(sample::text(report, {.sort = aggregate::SortKey::latency}), "6000"), 3u);
}

TEST(Text, WhatTakesItsTimeHasARow)
{
    EXPECT_TRUE(says(beside_little(3, kSecond), "echo(300)"));
    EXPECT_FALSE(says(beside_little(3, kSecond), "other pipelines"));
    EXPECT_TRUE(says(beside_little(2, kMs), "echo(300)"));
    EXPECT_TRUE(says(beside_little(2, kMs), "60000"));
    aggregate::Report report = beside_little(3, kMs);
    report.channels.back().reads.unfinished = 1;
    EXPECT_TRUE(says(report, "60002"));
    report.channels.back().reads.unfinished = 0;
    report.channels.back().writes.count = 2;
    EXPECT_TRUE(says(report, "60002"));
}

TEST(Text, WhatAFindingNamesHasARow)
{
    aggregate::Report report = beside_little(4, kMs);
    diagnose::Finding named;
    named.text = "x";
    named.subjects = {{sample::task(302, "echo"), "stage"}};
    named.objects = {{decode::ObjectType::pipe, 60'002, 13}};
    const std::string text = render::text(report, {named});
    EXPECT_NE(text.find(kLittlePipelines), std::string::npos) << text;
    EXPECT_NE(text.find(kLittlePipes), std::string::npos);
    EXPECT_NE(text.find("echo(302)"), std::string::npos);
    EXPECT_NE(text.find("60002"), std::string::npos);
}

TEST(Text, SigchldHasNoHistogram)
{
    const aggregate::Report report = many_senders(17, 50);
    EXPECT_TRUE(says(report, "Latency of SIGCHLD: 50 taken … (--top=0 draws it)")) << unwrapped(report);
    EXPECT_EQ(lines_with(sample::text(report), "█"), 0u);
    EXPECT_NE(lines_with(sample::text(report, {.top = 0}), "█"), 0u);
    EXPECT_NE(lines_with(sample::text(many_senders(10, 50)), "█"), 0u);
}

TEST(Text, SameStackIsShownOnce)
{
    aggregate::Report report = sample::stuck_kills();
    report.deaths.assign(7, report.deaths[0]);
    EXPECT_TRUE(says(report, "(the same stack)"));
    EXPECT_TRUE(says(report, "… 2 more: 2 kill-stuck (--top=0 shows all)"));
}

TEST(Text, DeepStackIsCut)
{
    aggregate::Report report = sample::stuck_kills();
    report.deaths.resize(1);
    report.deaths[0].found->stack.assign(32, SafeText::escape("f+0x1/0x2"));
    EXPECT_TRUE(says(report, "… 25 more"));
}

TEST(Text, NothingIsSaidOfWhatWasNotTraced)
{
    const aggregate::Report report = sample::filtered();
    EXPECT_TRUE(says(report, "Nothing stands out"));
    EXPECT_TRUE(says(report, "1 to a process outside the trace"));
    EXPECT_TRUE(says(report, "bash/5 (open, not traced)"));
    EXPECT_FALSE(says(report, "pending"));
}

TEST(Text, ManyRowsAreCompactAndCountTheRest)
{
    const std::string text = sample::text(sample::extreme());
    EXPECT_NE(text.find("… 25 more (--top=0 shows all)"), std::string::npos);
    render::TextOptions all;
    all.top = 0;
    EXPECT_EQ(sample::text(sample::extreme(), all).find("--top=0"), std::string::npos);
}

TEST(Text, HistogramsCanBeLeftOut)
{
    render::TextOptions options;
    options.histograms = false;
    EXPECT_EQ(sample::text(sample::bad_signals(), options).find("Latency of"),
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
            EXPECT_EQ(screen::bad_line(sample::text(sample::extreme(), options),
                                       std::max(width, render::kMinWidth)),
                      "");
        }
    }
}

TEST(Text, WhatIsNotKnownOfTheHostIsLeftOut)
{
    aggregate::Report report;   // of a capture that ends before its trace began
    report.complete = false;
    report.incomplete_why = "cut at byte 32";
    const std::string text = sample::text(report);
    EXPECT_EQ(text.substr(0, text.find('\n')), "ipcscope: 0 ns");
    report.host.kernel = "6.12";
    report.host.cpus = 1;
    EXPECT_NE(sample::text(report).find("ipcscope: 0 ns, Linux 6.12, 1 CPU\n"), std::string::npos);
}

/// The head and the findings, without the stacks, which are cut.
std::string prose(std::size_t width)
{
    render::TextOptions options;
    options.width = width;
    std::istringstream text(sample::text(sample::everything(), options));
    std::string kept;
    for (std::string line; std::getline(text, line);)
        if (line.find("+0x") == std::string::npos) kept += line + '\n';
    return kept.substr(0, kept.find("\n\n", kept.find("\n* ")) + 1);
}

TEST(Text, ProseIsAsNarrowAsTheTerminal)
{
    const auto words = [](const std::string& text) {
        std::istringstream in(text);
        return std::vector<std::string>(std::istream_iterator<std::string>(in), {});
    };
    for (const std::size_t width : {40u, 50u}) {
        EXPECT_EQ(screen::bad_line(prose(width), width), "");
        EXPECT_EQ(words(prose(width)), words(prose(80))) << "no word is broken";
    }
}

TEST(Text, AsciiIsAscii)
{
    render::TextOptions options;
    options.utf8 = false;
    for (const char c : sample::text(sample::everything(), options))
        EXPECT_TRUE(c == '\n' || (c >= ' ' && c < '\x7f'));
}

TEST(Text, ColourChangesNothingElse)
{
    render::TextOptions options;
    options.colour = true;
    std::string text = sample::text(sample::lossy(), options);
    EXPECT_NE(text.find("\x1b[1;31mINCOMPLETE"), std::string::npos);
    for (const std::string code : {"\x1b[1;31m", "\x1b[1m", "\x1b[0m"})
        for (std::size_t at = 0; (at = text.find(code, at)) != std::string::npos;)
            text.erase(at, code.size());
    EXPECT_EQ(text, sample::text(sample::lossy()));
}

/// A process has one row, however many pipelines it is a stage of.
TEST(Text, AStageOfSeveralPipelinesHasOneRow)
{
    aggregate::Report report = sample::slow_pipeline();
    report.pipelines.push_back(report.pipelines.front());
    aggregate::Pipeline& second = report.pipelines.back();
    second.stages.back().task = sample::task(777, "other");
    report.waits.clear();   // their table has a row for each wait
    const std::string text = sample::text(report);
    const auto rows = [&](std::string_view name) {
        std::size_t found = 0;
        for (std::size_t at = text.find(name); at != std::string::npos;
             at = text.find(name, at + 1)) {
            ++found;
        }
        return found;
    };
    const auto& first = report.pipelines.front().stages.front().task;
    EXPECT_EQ(rows("\n  " + first.comm.text().str() + "/" + std::to_string(first.tgid) + " "), 1u)
        << text;
    EXPECT_EQ(rows("\n  other/777 "), 1u) << text;
}

/// As a loop of $(cat | head) in a shell makes them.
TEST(Text, StagesOfOneNameInALongPipelineHaveOneRow)
{
    for (const std::uint32_t loops : {3u, 6u}) {
        aggregate::Report report = sample::slow_pipeline();
        aggregate::Pipeline pipeline;
        for (std::uint32_t at = 0; at < 2 * loops; ++at) {
            aggregate::StageRow stage;
            stage.task = sample::task(800 + at, at < loops ? "loops" : "ends");
            stage.span_ns = stage.time.span_ns = kSecond;
            pipeline.stages.push_back(stage);
        }
        pipeline.stages.push_back(report.pipelines.front().stages.front());
        report.pipelines = {pipeline};
        EXPECT_EQ(says(report, "ends ×6"), loops == 6) << sample::text(report);
        EXPECT_EQ(says(report, "loops ×6"), loops == 6);
        EXPECT_EQ(says(report, "loops/802"), loops == 3);
    }
}

}  // namespace
}  // namespace ipcscope
