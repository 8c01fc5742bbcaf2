// SPDX-License-Identifier: GPL-2.0-only
// What the reports look like, as a whole: golden/*.txt.  After a wanted change
//     UPDATE_GOLDEN=1 build/tests/unit/unit_render --gtest_filter='Golden*'
// writes them anew; read the diff.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../golden.hpp"
#include "render/render.hpp"
#include "sample.hpp"

namespace ipcscope {
namespace {

void expect_golden(const std::string& name, const std::string& actual)
{
    ipcscope::expect_golden(__FILE__, name, actual);
}

TEST(Golden, Empty) { expect_golden("empty.txt", sample::text(sample::empty())); }
TEST(Golden, Quiet) { expect_golden("quiet.txt", sample::text(sample::quiet())); }
TEST(Golden, Kills) { expect_golden("kills.txt", sample::text(sample::stuck_kills())); }
TEST(Golden, Container)
{
    expect_golden("container.txt", sample::text(sample::container_stop()));
}
TEST(Golden, Pipeline)
{
    expect_golden("pipeline.txt", sample::text(sample::slow_pipeline()));
}
TEST(Golden, PollStage)
{
    expect_golden("poll-stage.txt", sample::text(sample::poll_stage()));
}
TEST(Golden, Filtered)
{
    expect_golden("filtered.txt", sample::text(sample::filtered()));
}
TEST(Golden, Signals) { expect_golden("signals.txt", sample::text(sample::bad_signals())); }
TEST(Golden, Lossy) { expect_golden("lossy.txt", sample::text(sample::lossy())); }
TEST(Golden, Everything)
{
    expect_golden("everything.txt", sample::text(sample::everything()));
}
TEST(Golden, Ascii)
{
    render::TextOptions options;
    options.utf8 = false;
    options.top = 2;
    expect_golden("ascii.txt", sample::text(sample::everything(), options));
}
TEST(Golden, Json)
{
    // Over several lines, and without the signals of many buckets, so that a
    // diff can be read.
    aggregate::Report report = sample::everything();
    report.signals.resize(4);
    report.calls.clear();
    const auto json = nlohmann::ordered_json::parse(sample::json(report));
    expect_golden("everything.json", json.dump(1) + '\n');
}

}  // namespace
}  // namespace ipcscope
