// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope stat`, text and JSON, as a whole: golden/stat-*.  After a wanted change
//     UPDATE_GOLDEN=1 build/tests/unit/unit_render --gtest_filter='StatOutput*'
// writes them anew; read the diff.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../golden.hpp"
#include "render/stat.hpp"
#include "schema.hpp"

namespace ipcscope {
namespace {

using aggregate::StatLine;
using aggregate::StatReport;

StatLine line(unsigned kind, unsigned what, unsigned outcome, std::uint64_t count,
              std::initializer_list<std::uint64_t> latencies = {})
{
    StatLine line;
    line.key.event = IPCSCOPE_STAT_EVENT(kind, what, outcome);
    line.count = count;
    for (const std::uint64_t ns : latencies) {
        line.latency.add(ns, count / latencies.size());
    }
    return line;
}

StatReport sample(unsigned by)
{
    StatReport report;
    report.host = {.kernel = "6.12.0", .hostname = "box\n", .cpus = 4, .backend = "bpf",
                   .tool_version = "1"};
    report.by = by;
    report.start_ns = report.from_ns = 1'000'000'000;
    report.to_ns = 3'500'000'000;
    report.lines = {
        line(IPCSCOPE_SIGNAL_GENERATE, 10, IPCSCOPE_RESULT_DELIVERED, 1'009),
        line(IPCSCOPE_SIGNAL_GENERATE, 17, IPCSCOPE_RESULT_ALREADY_PENDING, 2),
        line(IPCSCOPE_SIGNAL_TAKE, 10, IPCSCOPE_TAKE_HANDLER, 1'008, {11'000, 12'000, 950'000}),
        line(IPCSCOPE_SIGNAL_TAKE, 15, IPCSCOPE_TAKE_GROUP_EXIT, 1),
        line(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_OK, 1'234'567'890, {6'400}),
        line(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, IPCSCOPE_STAT_CALL_BROKEN, 3, {800}),
        line(IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_WRITE, IPCSCOPE_STAT_CALL_AGAIN, 4, {900})};
    report.lines[4].bytes = std::uint64_t{3} << 30;
    report.rows = 16;
    report.max_rows = 16;
    report.events = {{IPCSCOPE_SIGNAL_GENERATE, 1'011, 7, {}},
                     {IPCSCOPE_SIGNAL_TAKE, 1'009, 0, {}},
                     {IPCSCOPE_CALL_PIPE, 1'234'567'893, 0, {0, 0, 5, 2}}};
    report.pairings = {{10, {1'009, 1'000, {1, 2, 3, 0, 0, 1}, 2}}, {34, {5, 5, {}, 0}}};
    return report;
}

StatReport of_processes()
{
    StatReport report = sample(IPCSCOPE_STAT_BY_PID);
    for (StatLine& line : report.lines) {
        line.key.by[0] = 4711;
        line.name = SafeText::escape("a-long-name-of-15");
    }
    report.lines[1].name = {};   // it is gone
    return report;
}

StatReport of_objects()
{
    StatReport report = sample(IPCSCOPE_STAT_BY_OBJECT);
    for (StatLine& line : report.lines) {
        if (!line.is_signal()) {
            line.key.by[0] = 12'345;
            line.key.by[1] = std::uint64_t{IPCSCOPE_OBJECT_PIPE} << 32 | 13;
        }
    }
    return report;
}

StatReport of_interval()
{
    StatReport report = sample(IPCSCOPE_STAT_BY_NONE);
    report.final = false;
    report.from_ns = 2'500'000'000;
    report.pairings.clear();
    return report;
}

StatReport final_of(StatReport report)
{
    report.final = true;
    return report;
}

void expect_golden(const std::string& name, const std::string& actual)
{
    ipcscope::expect_golden(__FILE__, name, actual);
}

TEST(StatOutput, Total)
{
    expect_golden("stat.txt", render::stat_text(final_of(sample(IPCSCOPE_STAT_BY_NONE)), {}));
}

TEST(StatOutput, Interval) { expect_golden("stat-interval.txt", render::stat_text(of_interval(), {})); }

TEST(StatOutput, ByProcess)
{
    render::TextOptions options;
    options.top = 4;
    options.utf8 = false;
    expect_golden("stat-pid.txt", render::stat_text(final_of(of_processes()), options));
}

TEST(StatOutput, ByObject)
{
    expect_golden("stat-object.txt", render::stat_text(final_of(of_objects()), {}));
}

TEST(StatOutput, NothingSeen)
{
    StatReport report;
    report.final = true;
    EXPECT_NE(render::stat_text(report, {}).find("No event."), std::string::npos);
}

TEST(StatOutput, Json)
{
    const auto json =
        nlohmann::ordered_json::parse(render::stat_json(final_of(sample(IPCSCOPE_STAT_BY_NONE))));
    expect_golden("stat.json", json.dump(1) + '\n');
}

TEST(StatOutput, JsonIsOneLineThatFollowsItsSchema)
{
    StatReport comm = sample(IPCSCOPE_STAT_BY_COMM), cgroup = sample(IPCSCOPE_STAT_BY_CGROUP);
    cgroup.lines[0].name = SafeText::escape("/system.slice");
    for (const StatReport& report : {sample(IPCSCOPE_STAT_BY_NONE), comm, cgroup, of_processes(),
                                     of_objects(), of_interval(), StatReport{}}) {
        const std::string text = render::stat_json(report);
        EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
        EXPECT_EQ(schema::check(nlohmann::json::parse(text), schema::stat()), "");
    }
}

TEST(StatOutput, EveryKeyAndOutcomeHasAName)
{
    for (unsigned by = 0; by < IPCSCOPE_STAT_BY_COUNT; ++by) {
        EXPECT_NE(render::stat_by_name(by), "unknown");
    }
    for (unsigned cause = 0; cause < IPCSCOPE_UNPAIRED_COUNT; ++cause) {
        EXPECT_NE(render::unpaired_name(cause), "unknown");
    }
    for (unsigned outcome = 0; outcome < IPCSCOPE_STAT_CALL_COUNT; ++outcome) {
        EXPECT_NE(render::stat_outcome(line(IPCSCOPE_CALL_PIPE, 0, outcome, 1)), "unknown");
    }
    EXPECT_EQ(render::unpaired_name(IPCSCOPE_UNPAIRED_COUNT), "unknown");
}

}  // namespace
}  // namespace ipcscope
