// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>
#include <sstream>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../render/schema.hpp"
#include "compare/output/output.hpp"
#include "compare/report_diff.hpp"
#include "render/layout.hpp"

namespace ipcscope::compare {
namespace {

using aggregate::Report;
using bench::Verdict;
using diagnose::Code;
using diagnose::Findings;

constexpr std::uint64_t kMs = 1'000'000;

decode::Task task(std::uint32_t tgid, std::string_view comm) { return {tgid, 0, Comm(comm)}; }

/// Of 10 s: a pipe whose reads take `read_ns` and more, and signals; pids are of this trace.
Report report(std::uint32_t pid, std::uint64_t read_ns, unsigned reads = 400)
{
    Report report;
    report.host.kernel = "6.12";
    report.host.start_ns = 1000;
    report.end_ns = 1000 + 10'000 * kMs;
    aggregate::ChannelRow pipe;
    pipe.type = decode::ObjectType::pipe;
    pipe.object = {12, IPCSCOPE_OBJECT_PIPE, pid};
    for (auto [ends, name, at] : {std::tuple(&pipe.writers, "yes", 0u), {&pipe.readers, "head", 1u}}) {
        ends->emplace_back();
        ends->back().task = task(pid + at, name);
    }
    pipe.readers.emplace_back();
    pipe.readers.back().task = task(pid + 2, "sh");
    pipe.readers.back().holds_only = true;
    for (unsigned i = 0; i < reads; ++i) {
        pipe.reads.latency.add(read_ns + read_ns * (i % 7) / 10);
        pipe.writes.latency.add(5'000 + i % 9 * 100);
    }
    pipe.reads.blocked_ns = reads * read_ns;
    report.channels.push_back(pipe);
    return report;
}

diagnose::Finding slow_stage(std::uint32_t pid, std::string_view comm)
{
    diagnose::Finding made = diagnose::finding(Code::slow_stage, "gzip\x1fslow");
    made.subjects.push_back({task(pid, comm), "stage"});
    return made;
}

ReportDiff diff_of(const Report& a, const Report& b, const Findings& in_a = {},
                   const Findings& in_b = {})
{
    return compare({"a.ipcs", a, in_a}, {"b\x1b.ipcs", b, in_b});
}

const LatencyChange& latency(const ReportDiff& diff, std::string_view what)
{
    return *std::ranges::find(diff.latencies, what, &LatencyChange::what);
}

TEST(ReportDiff, FindsWhatBecameSlowerUnderOtherPids)
{
    const Report a = report(100, 20'000), b = report(700, 60'000);
    const ReportDiff diff = diff_of(a, b);
    ASSERT_EQ(diff.latencies.size(), 2u);
    const LatencyChange& reads = diff.latencies[0];
    EXPECT_EQ(reads.what, "pipe yes → head, read");
    EXPECT_EQ(reads.verdict, Verdict::worse);
    EXPECT_NEAR(reads.ratio->median, 3, 0.3);
    EXPECT_DOUBLE_EQ(reads.ratio->median, reads.b->median / reads.a->median);
    EXPECT_LE(reads.ratio->low, 3);
    EXPECT_GE(reads.ratio->high, 3);
    EXPECT_GE(reads.ratio->confidence, bench::kMinConfidence);
    EXPECT_EQ(reads.count_a, 400u);
    EXPECT_EQ(latency(diff, "pipe yes → head, write").verdict, Verdict::same);
    EXPECT_TRUE(diff.regressed());
    EXPECT_EQ(diff_of(b, a).latencies[0].verdict, Verdict::better);
    EXPECT_FALSE(diff_of(b, a).regressed());
}

TEST(ReportDiff, AFewCallsProveNothing)
{
    const Report a = report(1, 20'000, 2), b = report(1, 60'000, 2);
    const ReportDiff diff = diff_of(a, b);
    EXPECT_EQ(latency(diff, "pipe yes → head, read").verdict, Verdict::unclear);
    EXPECT_FALSE(diff.regressed());
    const std::string shown = text(diff, {.width = 80}, 20);
    EXPECT_NE(shown.find(" %     –   –  unclear\n"), std::string::npos) << shown;
}

TEST(ReportDiff, SameAgainstItself)
{
    const Report a = report(1, 20'000);
    const ReportDiff diff = diff_of(a, a, {slow_stage(5, "gzip")}, {slow_stage(6, "gzip")});
    EXPECT_EQ(diff.count(Verdict::same), diff.latencies.size());
    ASSERT_EQ(diff.findings.size(), 1u);
    EXPECT_FALSE(diff.findings[0].appeared() || diff.findings[0].disappeared());
    EXPECT_FALSE(diff.regressed());
}

TEST(ReportDiff, FindingsThatAppearAndDisappear)
{
    const Report a = report(1, 20'000);
    const Findings in_a{slow_stage(5, "gzip"), slow_stage(6, "cat")};
    const Findings in_b{slow_stage(9, "gzip"), slow_stage(10, "xz"), slow_stage(11, "xz")};
    const ReportDiff diff = diff_of(a, a, in_a, in_b);
    ASSERT_EQ(diff.findings.size(), 3u);
    EXPECT_TRUE(diff.findings[0].appeared());
    EXPECT_EQ(diff.findings[0].count_b, 2u);
    EXPECT_TRUE(diff.findings[1].disappeared());
    EXPECT_TRUE(diff.regressed());
    EXPECT_FALSE(diff_of(a, a, in_a, {}).regressed()) << "what is gone is no regression";
    Findings note{slow_stage(1, "zstd")};
    note[0].severity = diagnose::Severity::note;
    EXPECT_FALSE(diff_of(a, a, {}, note).regressed());
}

TEST(ReportDiff, WaitsAreSharesOfTheTrace)
{
    Report a = report(1, 1'000'000), b = report(1, 2'000'000);
    b.end_ns += 10'000 * kMs;   // twice as long, twice the time: no change
    EXPECT_NEAR(diff_of(a, b).waits[0].a, diff_of(a, b).waits[0].b, 1e-9);
    b.end_ns = a.end_ns;
    const ReportDiff diff = diff_of(a, b);
    ASSERT_EQ(diff.waits.size(), 1u);
    EXPECT_EQ(diff.waits[0].what, "pipe yes → head, waited to read");
    EXPECT_NEAR(diff.waits[0].a, 0.04, 1e-9);
    EXPECT_NEAR(diff.waits[0].b, 0.08, 1e-9);
}

TEST(ReportDiff, AWaitThatOnlyOneHasIsNotA0)
{
    Report a = report(100, 1'000'000), b = report(700, 1'000'000);
    b.channels[0].readers[0].task.comm = Comm("tail");
    const ReportDiff diff = diff_of(a, b);
    const std::string shown = text(diff, {.width = 80}, 20);
    EXPECT_NE(shown.find("pipe yes → head, waited to read  4.0 %      –  only in A\n"), std::string::npos)
        << shown;
    EXPECT_NE(shown.find("pipe yes → tail, waited to read      –  4.0 %  only in B\n"), std::string::npos)
        << shown;
    b = report(700, 1'000'000);
    b.channels[0].reads.blocked_ns = 0;   // it is there, and did not wait
    EXPECT_NE(text(diff_of(a, b), {.width = 80}, 20).find("4.0 %  0.0 %  -4.0 %\n"), std::string::npos)
        << text(diff_of(a, b), {.width = 80}, 20);
}

TEST(ReportDiff, AsText)
{
    Report a = report(100, 1'000'000), b = report(700, 3'000'000);
    b.host.kernel = "7.3";
    b.complete = false;
    b.incomplete_why = "cut at byte 7";
    const ReportDiff diff =
        diff_of(a, b, {slow_stage(5, "cat")}, {slow_stage(9, "gzip"), slow_stage(10, "gzip")});
    EXPECT_EQ(text(diff, {.width = 80}, 20),
              R"(What changed from A to B
  A: a.ipcs, 10.0 s
  B: b\x1b.ipcs, 10.0 s
  kernel: 6.12 → 7.3

Findings
  0 findings in both.
  only in B: warning slow-stage (2 times): gzip slow
  only in A: warning slow-stage: gzip slow

Median latencies
  1 worse, 0 better, 1 the same within 10 %, 0 unclear; 0 only in A, 0 only in
  B.
  OF                           A        B    CHANGE      FROM        TO
  pipe yes → head, read  1.29 ms  3.90 ms  +201.3 %  +196.5 %  +207.1 %  WORSE
  CHANGE is B against A; FROM and TO hold the true change of such a trace with
    at least 95 %. worse: slower beyond that interval and by more than 10 %. A
    few calls prove little: they are unclear, without an interval.

Waits, of the time of the trace
  Sums of all that are called so: above 100 % where several waited at once. Each
  is one figure of one trace, without an interval.
  WHO WAITED                           A       B  CHANGE
  pipe yes → head, waited to read  4.0 %  12.0 %  +8.0 %

Warnings
  B is incomplete: cut at byte 7
)");
}

TEST(ReportDiff, AsJsonOfItsSchema)
{
    const Report a = report(100, 20'000), b = report(700, 60'000);
    Report other = report(3, 1000);
    other.channels[0].writers[0].task.comm = Comm("\xff\x1b[31m");
    for (const Report* to : {&a, &b, &std::as_const(other)}) {
        const ReportDiff diff = diff_of(a, *to, {slow_stage(5, "gzip")}, {});
        const auto parsed = nlohmann::json::parse(json(diff));
        EXPECT_EQ(schema::check(parsed, schema::diff()), "");
        EXPECT_EQ(parsed["b"]["name"], "b\\x1b.ipcs");
        EXPECT_EQ(parsed["regressed"], diff.regressed());
    }
}

TEST(ReportDiff, NoLineIsWiderThanAsked)
{
    Report a = report(1, 20'000), b = report(1, 90'000);
    for (Report* one : {&a, &b}) {
        one->channels[0].writers[0].task.comm = Comm("漢字漢字漢");
        one->host.hostname = std::string(500, 'h') + (one == &a ? "a" : "b");
    }
    for (const std::size_t width : {80u, 132u}) {
        std::istringstream lines(text(diff_of(a, b), {.width = width}, 0));
        for (std::string line; std::getline(lines, line);)
            EXPECT_LE(render::columns(line), width) << line;
    }
}

}  // namespace
}  // namespace ipcscope::compare
