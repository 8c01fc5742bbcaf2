// SPDX-License-Identifier: GPL-2.0-only
// Records as a hostile file may have them, through all stages to the end: whatever they
// say, a report comes of it, as text that a terminal can show and as JSON of its schema.
// Run it under the sanitizers.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../decode/hostile.hpp"
#include "aggregate/analysis.hpp"
#include "base/collector.hpp"
#include "diagnose/diagnose.hpp"
#include "render/live_lines.hpp"
#include "schema.hpp"

namespace ipcscope {
namespace {

void expect_printable(const std::string& text)
{
    for (const char byte : text) {
        ASSERT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= ' ');
        ASSERT_NE(byte, '\x7f');
    }
}

void expect_report(const aggregate::Report& report)
{
    const diagnose::Findings findings = diagnose::diagnose(report);
    expect_printable(render::text(report, findings));
    const std::string json = render::json(report, findings);
    EXPECT_EQ(schema::check(nlohmann::json::parse(json), schema::report()), "");
}

TEST(Hostile, RecordsBecomeAReport)
{
    for (std::uint32_t seed = 1; seed <= 4; ++seed) {
        render::LiveOptions live;
        live.wide = seed % 2 == 0;
        live.families = IPCSCOPE_FAMILY_ALL;
        std::size_t lines = 0;
        const auto show = [&](const std::optional<std::string>& line) {
            if (line) {
                expect_printable(*line);
                ++lines;
            }
        };
        if (seed % 2 == 0) {
            live.realtime_offset_ns = 0;
        }
        render::LiveLines shown(live, {}, show);
        shown.start(0, static_cast<std::int64_t>(std::uint64_t{seed} << 60));
        aggregate::Analysis analysis(
            {[&](const decode::Event& event) {
                 shown.event(event);
                 expect_printable(render::json_line(event));
             },
             [&](const correlate::Interval& interval) { shown.interval(interval); },
             [&](const correlate::SignalInterval& signal, std::uint64_t at_ns) {
                 shown.waiting(signal, at_ns);
             },
             100});
        source::Host host;
        host.cpus = 4;
        ASSERT_TRUE(analysis.host(host));
        test::Random random{seed};
        std::uint64_t now = 1000;
        const std::size_t records = test::hostile_records() / 4;
        for (std::size_t i = 0; i < records; ++i) {
            const test::Record record = test::any_record(random, now += random.below(100));
            ASSERT_TRUE(analysis.records(i % 2 == 0 ? kCollectorCpu : i % 4, record));
            if (i % 64 == 0) {
                ASSERT_TRUE(analysis.watermark(now));
            }
        }
        expect_report(analysis.snapshot());
        ASSERT_TRUE(analysis.end(now));
        expect_report(analysis.report());
        EXPECT_GT(lines, records / 10);
    }
}

// What a damaged record of a Unix-domain socket may say: it ended the report.
TEST(Hostile, SocketThatIsNone)
{
    aggregate::Report report;
    report.objects.emplace_back().ops.emplace_back();
    report.sockets.emplace_back();
    report.sockets[0].sends = 1;
    expect_report(report);
    decode::Event event;
    event.kind = IPCSCOPE_CALL_UNIX;
    event.body = decode::Call{};
    render::LiveOptions live;
    live.families = IPCSCOPE_FAMILY_ALL;
    const auto line = render::live_line(event, 0, live);
    ASSERT_TRUE(line);
    expect_printable(*line);
}

}  // namespace
}  // namespace ipcscope
