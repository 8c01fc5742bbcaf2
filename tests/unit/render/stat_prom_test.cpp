// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope stat --prom`: counts, labels, bounds.
#include <sstream>

#include <gtest/gtest.h>

#include "render/stat.hpp"

namespace ipcscope {
namespace {

using aggregate::StatLine;
using aggregate::StatReport;

StatLine line(unsigned kind, unsigned what, unsigned outcome, std::string_view name,
              std::initializer_list<std::uint64_t> latencies, std::uint64_t untimed = 0)
{
    StatLine line;
    line.key.event = IPCSCOPE_STAT_EVENT(kind, what, outcome);
    line.name = SafeText::escape(name);
    for (const std::uint64_t ns : latencies) {
        line.latency.add(ns);
    }
    line.count = line.latency.count() + untimed;
    line.bytes = kind == IPCSCOPE_CALL_PIPE ? 4096 : 0;
    return line;
}

StatReport report(unsigned by, std::vector<StatLine> lines)
{
    StatReport out;
    out.host = {.kernel = "6.12.0", .backend = "bpf", .tool_version = "1"};
    out.host.realtime_offset_ns = 1'700'000'000'000'000'000;
    out.start_ns = 2'000'000'001;
    out.by = by;
    out.lines = std::move(lines);
    out.rows = 3;
    out.max_rows = 256;
    out.events = {{IPCSCOPE_CALL_PIPE, 1, 0, {4}}, {IPCSCOPE_SIGNAL_TAKE, 1, 0, {3}}};
    return out;
}

std::vector<std::string> lines_with(const std::string& text, std::string_view what)
{
    std::vector<std::string> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(what)) {
            out.push_back(line);
        }
    }
    return out;
}

using Lines = std::vector<std::string>;

TEST(StatProm, CountsAndLabels)
{
    const std::string text = render::stat_prom(report(
        IPCSCOPE_STAT_BY_COMM,
        {line(IPCSCOPE_SIGNAL_GENERATE, 15, IPCSCOPE_RESULT_DELIVERED, "a\"\n", {}, 3),
         line(IPCSCOPE_SIGNAL_TAKE, 15, IPCSCOPE_TAKE_HANDLER, "b", {1'023, 1'024, 2'000'000'000}, 2),
         line(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_AGAIN, "c", {10})}));
    EXPECT_EQ(lines_with(text, "ipcscope_signals_sent"),
              (Lines{R"(ipcscope_signals_sent_total{signal="SIGTERM",outcome="delivered",comm="a\"\\x0a"} 3)"}));
    EXPECT_EQ(lines_with(text, "ipcscope_signals_taken"),
              (Lines{R"(ipcscope_signals_taken_total{signal="SIGTERM",how="handler",comm="b"} 5)"}));
    const std::string bucket = R"(ipcscope_signal_delivery_seconds_bucket{signal="SIGTERM",comm="b",le=)";
    EXPECT_EQ(lines_with(text, "ipcscope_signal_delivery_seconds"),
              (Lines{bucket + R"("0.000001023"} 1)", bucket + R"("0.000008191"} 2)",
                     bucket + R"("0.000131071"} 2)", bucket + R"("0.001048575"} 2)",
                     bucket + R"("0.008388607"} 2)", bucket + R"("0.134217727"} 2)",
                     bucket + R"("1.073741823"} 2)", bucket + R"("8.589934591"} 3)",
                     bucket + R"("+Inf"} 3)",
                     R"(ipcscope_signal_delivery_seconds_sum{signal="SIGTERM",comm="b"} 2.000002047)",
                     R"(ipcscope_signal_delivery_seconds_count{signal="SIGTERM",comm="b"} 3)"}));
    EXPECT_EQ(lines_with(text, "ipcscope_calls"),
              (Lines{R"(ipcscope_calls_total{object="pipe",operation="read",outcome="again",comm="c"} 1)"}));
    EXPECT_EQ(lines_with(text, "ipcscope_call_bytes"),
              (Lines{R"(ipcscope_call_bytes_total{object="pipe",operation="read",comm="c"} 4096)"}));
    EXPECT_EQ(lines_with(text, "ipcscope_events_lost_total{cause=\"ring_full\"}"),
              (Lines{R"(ipcscope_events_lost_total{cause="ring_full"} 7)"}));
    EXPECT_EQ(lines_with(text, "ipcscope_start_time"),
              (Lines{"ipcscope_start_time_seconds 1700000002.000000001"}));
}

TEST(StatProm, CgroupsOfOneUnitAreOneSeries)
{
    const std::string container(64, 'a');
    const auto sent = [](std::string_view path) {
        return line(IPCSCOPE_SIGNAL_GENERATE, 9, IPCSCOPE_RESULT_DELIVERED, path, {}, 2);
    };
    const std::string text = render::stat_prom(
        report(IPCSCOPE_STAT_BY_CGROUP,
               {sent("/system.slice/x.service"), sent("/system.slice/x.service/sub"),
                sent("/system.slice/docker-" + container + ".scope"), sent("")}));
    const std::string name = R"(ipcscope_signals_sent_total{signal="SIGKILL",outcome="delivered",)";
    EXPECT_EQ(lines_with(text, "ipcscope_signals_sent"),
              (Lines{name + R"(container="",unit=""} 2)", name + R"(container="",unit="x.service"} 4)",
                     name + R"(container="aaaaaaaaaaaa",unit=""} 2)"}));
}

TEST(StatProm, WithoutAKeyAndWithoutRows)
{
    const std::string text = render::stat_prom(
        report(IPCSCOPE_STAT_BY_NONE,
               {line(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_OK, "", {5})}));
    EXPECT_EQ(lines_with(text, "ipcscope_call_seconds_count"),
              (Lines{R"(ipcscope_call_seconds_count{object="pipe",operation="read"} 1)"}));
    EXPECT_EQ(lines_with(render::stat_prom(report(IPCSCOPE_STAT_BY_NONE, {})), "ipcscope_calls"),
              Lines{});
}

/// The kernel's rows bound the series, however many cgroups there are.
TEST(StatProm, FiveHundredCgroupsAreBounded)
{
    std::vector<StatLine> lines;
    for (int at = 0; at < 500; ++at) {
        lines.push_back(line(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, IPCSCOPE_STAT_CALL_OK,
                             "/system.slice/u" + std::to_string(at) + ".service",
                             {10, 1'000, 100'000, 5'000'000}));
    }
    const std::string text = render::stat_prom(report(IPCSCOPE_STAT_BY_CGROUP, lines));
    EXPECT_EQ(lines_with(text, "ipcscope_calls_total").size(), 500u);
    EXPECT_EQ(lines_with(text, "ipcscope_call_seconds").size(), 500u * 11);
}

}  // namespace
}  // namespace ipcscope
