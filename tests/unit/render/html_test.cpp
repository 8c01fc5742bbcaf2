// SPDX-License-Identifier: GPL-2.0-only
// The page's parts; tests/views/html opens it in a browser.
#include <gtest/gtest.h>

#include "render/html.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

std::size_t count(const std::string& text, std::string_view what)
{
    std::size_t number = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++number;
    }
    return number;
}

diagnose::Finding example()
{
    diagnose::Finding finding = diagnose::finding(diagnose::Code::slow_exit, "it <took> long");
    finding.at_ns = 5;
    finding.advice = "do & see";
    finding.stack = {"inner+0x1", "outer+0x2"};
    finding.evidence = {{"waited_ns", std::uint64_t{2'000'000'000}}};
    return finding;
}

TEST(Html, FindingsComeFirst)
{
    aggregate::Report report;
    report.end_ns = 10;
    const std::string page = render::html(report, {example()});
    EXPECT_LT(page.find("<h2>Findings"), page.find("<h2>Loss"));
    EXPECT_NE(page.find("it &lt;took&gt; long"), std::string::npos);
    EXPECT_NE(page.find("do &amp; see"), std::string::npos);
    EXPECT_NE(page.find("inner+0x1\nouter+0x2"), std::string::npos);
    EXPECT_NE(page.find("2.00 s"), std::string::npos);
    EXPECT_NE(page.find("class=\"finding warning\""), std::string::npos);
}

TEST(Html, NothingIsLoaded)
{
    const std::string page = render::html({}, {example()});
    EXPECT_NE(page.find("content=\"default-src 'none'; style-src 'sha256-"), std::string::npos);
    for (const char* what : {" src=", " href=", " style=", "http", "url(h", "@import", "onclick"}) {
        EXPECT_EQ(page.find(what, page.find("</style>")), std::string::npos) << what;
    }
    EXPECT_EQ(count(page, "<script"), 1u);
    EXPECT_EQ(count(page, "<style"), 1u);
}

TEST(Html, WhatIsLeftOutIsSaid)
{
    aggregate::Report report;
    report.end_ns = 1'000'000'000;
    report.complete = false;
    report.incomplete_why = "it was <cut>";
    for (std::uint32_t at = 1; at <= render::kMostHtmlRows + 7; ++at) {
        report.signals.emplace_back().target.tgid = at;
        aggregate::LongWait& wait = report.long_waits.emplace_back();
        wait.process.tgid = at;
        wait.end_ns = 200'000'000;
        aggregate::WaitRow& row = report.waits.emplace_back();
        row.waiter.tgid = row.waiter.tid = at;
        row.waker.tgid = row.waker.tid = at + 10'000;
        row.total_ns = 5;
    }
    report.loss.lost[IPCSCOPE_LOST_RING_FULL] = 3;
    const std::string page = render::html(report, {});
    EXPECT_NE(page.find("Incomplete: it was &lt;cut&gt;"), std::string::npos);
    EXPECT_EQ(count(page, "7 more rows: "), 2u);
    EXPECT_NE(page.find("467 more processes are not shown"), std::string::npos);
    EXPECT_NE(page.find("500 more pairs are in the table"), std::string::npos);
    EXPECT_NE(page.find("3 lost; not exact"), std::string::npos);
    EXPECT_NE(page.find("ring_full: 3"), std::string::npos);
    EXPECT_EQ(count(page, "class=\"node\""), render::kMostHtmlNodes);
}

TEST(Html, ASampleHasAllOfIt)
{
    const aggregate::Report report = sample::everything();
    const std::string page = render::html(report, {example()});
    for (const char* what : {"<h2>Timeline", "<h2>Latencies", "<h2>Tables", "<h3>Signals", "<h3>Processes"}) {
        EXPECT_NE(page.find(what), std::string::npos) << what;
    }
}

}  // namespace
}  // namespace ipcscope
