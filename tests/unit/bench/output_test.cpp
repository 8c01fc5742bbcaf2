// SPDX-License-Identifier: GPL-2.0-only
// The complete tables, compared with golden/*.txt.  After an intended change
//     UPDATE_GOLDEN=1 build/tests/unit/unit_bench --gtest_filter='BenchGolden*'
// writes them anew; read the diff.
#include "bench/output/output.hpp"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "../golden.hpp"
#include "bench/output/claims.hpp"
#include "render/layout.hpp"
#include "sample_run.hpp"

namespace ipcscope::bench {
namespace {

void expect_golden(const std::string& name, const std::string& actual)
{
    ipcscope::expect_golden(__FILE__, name, actual);
}

std::string table(const bench::Run& run, std::size_t width = 99, bool utf8 = true)
{
    return text(run, sample::mechanisms(), {.utf8 = utf8, .width = width});
}

bench::Run slower_pipes()
{
    bench::Run run = sample::whole();
    run.environment.kernel = "7.3.0";
    for (CaseResult& result : run.results) {
        if (result.what.mechanism != "pipe" || result.failed) continue;
        const double factor = result.higher_is_better() ? 0.5 : 1.5;
        std::vector<double> values;
        for (const Round& round : result.rounds) values.push_back(round.value * factor);
        result = sample::result(result.what, values);
    }
    std::erase_if(run.results, [](const CaseResult& result) {
        return result.what.mechanism == "tcp-loopback";
    });
    run.results[5] = sample::failed(run.results[5].what, "eventfd: Too many open files");
    return run;
}

TEST(BenchGolden, Table) { expect_golden("table.txt", table(sample::whole())); }
TEST(BenchGolden, Narrow) { expect_golden("narrow.txt", table(sample::whole(), 80)); }
TEST(BenchGolden, Ascii) { expect_golden("ascii.txt", table(sample::whole(), 99, false)); }
TEST(BenchGolden, Matrix) { expect_golden("matrix.txt", table(sample::matrix())); }
TEST(BenchGolden, Hostile) { expect_golden("hostile.txt", table(sample::hostile())); }
TEST(BenchGolden, Csv) { expect_golden("table.csv", csv(sample::whole())); }
TEST(BenchGolden, Markdown)
{
    expect_golden("table.md", markdown(sample::whole(), sample::mechanisms()));
}
TEST(BenchGolden, List) { expect_golden("list.txt", list(sample::mechanisms())); }
TEST(BenchGolden, Diff)
{
    Comparison comparison = compare(sample::whole(), slower_pipes());
    comparison.name_a = "old.json";
    comparison.name_b = "new\x1b.json";
    expect_golden("diff.txt", text(comparison));
}

std::vector<std::string> lines(const std::string& text)
{
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

TEST(BenchText, NoLineIsTooWide)
{
    for (const auto& run : {sample::whole(), sample::matrix(), sample::hostile(), bench::Run()}) {
        for (const std::size_t width : {0, 80, 99, 120}) {
            for (const bool utf8 : {true, false}) {
                const std::size_t most = std::max(width, kMinWidth);
                auto shown = lines(table(run, width, utf8));
                const auto diff = lines(text(compare(run, slower_pipes()),
                                             {.utf8 = utf8, .width = width}));
                shown.insert(shown.end(), diff.begin(), diff.end());
                for (const std::string& line : shown) {
                    EXPECT_LE(render::columns(line), most) << line;
                    EXPECT_TRUE(line.empty() || line.back() != ' ') << line;
                    for (const char c : line) {
                        const auto byte = static_cast<unsigned char>(c);
                        ASSERT_TRUE(byte >= 0x20 && (utf8 || byte < 0x7f)) << line;
                    }
                }
            }
        }
    }
}

TEST(BenchText, ColourIsOnlyColour)
{
    const auto run = sample::hostile();
    std::string coloured = text(run, sample::mechanisms(), {.colour = true});
    EXPECT_NE(coloured, table(run));
    for (const char* code : {"\x1b[1m", "\x1b[1;31m", "\x1b[0m"})
        for (std::size_t at; (at = coloured.find(code)) != std::string::npos;)
            coloured.erase(at, std::string_view(code).size());
    EXPECT_EQ(coloured, table(run));
}

TEST(BenchText, AnEmptyRunStillTellsWhere)
{
    EXPECT_NE(table({}).find("Environment"), std::string::npos);
    EXPECT_EQ(table({}).find("Textbook"), std::string::npos);
}

TEST(BenchText, SizesAndModesHaveRowsOfTheirOwn)
{
    bench::Run run;
    Case what = sample::round_trip("unix-stream", 1, Distance::same_cpu);
    run.results.push_back(sample::result(what, {2000}));
    what.message_bytes = 4096;
    run.results.push_back(sample::result(what, {3000}));
    what.threads = true;
    run.results.push_back(sample::result(what, {2500}));
    what = sample::round_trip("unix-stream", 1, Distance::other_cpu);
    what.waiting = WaitMode::spin;
    run.results.push_back(sample::result(what, {5000}));
    for (const std::size_t width : {80, 99}) {
        const std::string shown = table(run, width);
        EXPECT_NE(shown.find("4 KiB"), std::string::npos) << shown;
        EXPECT_NE(shown.find("3.00 µs"), std::string::npos);
        EXPECT_NE(shown.find("unix-stream, thr"), std::string::npos) << shown;
        EXPECT_NE(shown.find("unix-stream, spin"), std::string::npos) << shown;
    }
}

TEST(BenchClaims, HoldWithinAFactorOfThree)
{
    EXPECT_EQ(verdict(100, 100, true), "holds");
    EXPECT_EQ(verdict(299, 100, true), "holds");
    EXPECT_EQ(verdict(34, 100, true), "holds");
    EXPECT_EQ(verdict(400, 100, true), "4× slower");
    EXPECT_EQ(verdict(400, 100, false), "4x slower");
    EXPECT_EQ(verdict(1000, 10'000, true), "10× faster");
    EXPECT_EQ(verdict(1e9, 100, true), ">999× slower");
    EXPECT_EQ(verdict(0, 100, true), "");
    EXPECT_EQ(verdict(100, 0, true), "");
}

/// Cells of a CSV text, by RFC 4180.
std::vector<std::vector<std::string>> cells(const std::string& text)
{
    std::vector<std::vector<std::string>> rows(1, {""});
    bool quoted = false;
    for (std::size_t at = 0; at < text.size(); at++) {
        const char c = text[at];
        if (quoted && c == '"' && at + 1 < text.size() && text[at + 1] == '"')
            rows.back().back() += text[++at];
        else if (c == '"') quoted = !quoted;
        else if (!quoted && c == ',') rows.back().emplace_back();
        else if (!quoted && c == '\n') rows.push_back({""});
        else rows.back().back() += c;
    }
    EXPECT_FALSE(quoted);
    rows.pop_back();
    return rows;
}

TEST(BenchCsv, NoCellIsAFormula)
{
    const auto run = sample::hostile();
    const auto rows = cells(csv(run));
    ASSERT_EQ(rows.size(), run.results.size() + 1);
    for (const auto& row : rows) {
        EXPECT_EQ(row.size(), rows[0].size());
        for (const std::string& cell : row) {
            EXPECT_TRUE(cell.empty() || std::string("=+-@\t\r").find(cell[0]) ==
                                            std::string::npos) << cell;
            EXPECT_EQ(cell.find_first_of("\x1b\n\r"), std::string::npos) << cell;
        }
    }
    EXPECT_EQ(rows[2][1], "'=1+1");
    EXPECT_EQ(rows.back()[1], "'@SUM(A1)");
    EXPECT_TRUE(rows.back().back().starts_with("'-2+3"));
}

TEST(BenchMarkdown, NamesAreNoMarkup)
{
    const std::string shown = markdown(sample::hostile(), sample::mechanisms());
    EXPECT_EQ(shown.find("<b>"), std::string::npos);
    EXPECT_NE(shown.find("\\<b\\>\\|\\`"), std::string::npos);
    for (const std::string& line : lines(shown)) {
        if (!line.starts_with("| ")) continue;
        std::size_t bars = 0;
        for (std::size_t at = 0; at < line.size(); at++) {
            if (line[at] == '\\') at++;
            else bars += line[at] == '|';
        }
        EXPECT_GE(bars, 3u) << line;
        EXPECT_EQ(line.back(), '|');
    }
}

TEST(BenchDiff, WhatIsWorseIsRed)
{
    const std::string shown =
        text(compare(sample::whole(), slower_pipes()), {.colour = true});
    for (const char* row : {"shm-futex/call/64B ", "pipe/call/1B "})
        EXPECT_NE(shown.find(std::string("\x1b[1;31m  ") + row), std::string::npos) << shown;
    EXPECT_EQ(shown.find("\x1b[1;31m  pipe/one_way"), std::string::npos);   // unclear
}

TEST(BenchDiff, NothingIsCutUnlessForATerminal)
{
    bench::Run a = sample::whole(), b = slower_pipes();
    for (bench::Run* run : {&a, &b}) {
        for (CaseResult& result : run->results) result.what.mechanism += std::string(80, 'x');
    }
    const Comparison comparison = compare(a, b);
    EXPECT_NE(text(comparison, {.width = 80}).find("…"), std::string::npos);
    EXPECT_EQ(text(comparison, {.width = 80, .cut = false}).find("…"), std::string::npos);
}

TEST(BenchDiff, QuietWhereNothingChanged)
{
    const std::string same = text(compare(sample::whole(), sample::whole()));
    EXPECT_EQ(same.find("WORSE"), std::string::npos) << same;
    EXPECT_NE(same.find("0 worse, 0 better"), std::string::npos) << same;
    EXPECT_EQ(same.find("The runs differ in"), std::string::npos) << same;
}

}  // namespace
}  // namespace ipcscope::bench
