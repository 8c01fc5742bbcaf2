// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include "decode/names.hpp"
#include "render/render.hpp"
#include "sample.hpp"
#include "schema.hpp"

namespace ipcscope {
namespace {

using Json = nlohmann::json;

Json parsed(const aggregate::Report& report) { return Json::parse(sample::json(report)); }

TEST(ReportJson, FollowsItsSchema)
{
    for (const auto& report : {sample::empty(), sample::stuck_kills(), sample::slow_pipeline(),
                               sample::poll_stage(), sample::filtered(),
                               sample::bad_signals(), sample::lossy(), sample::everything(),
                               sample::extreme()})
        EXPECT_EQ(schema::check(parsed(report), schema::report()), "");
}

TEST(ReportJson, WhatIsNotKnownOfTheHostIsLeftOut)
{
    const Json json = parsed(aggregate::Report{});
    EXPECT_EQ(schema::check(json, schema::report()), "");
    for (const char* key : {"hostname", "cpus", "kernel", "backend"}) {
        EXPECT_FALSE(json["host"].contains(key)) << key;
    }
    EXPECT_EQ(parsed(sample::everything())["host"]["cpus"], 2);
}

TEST(ReportJson, WhoSentASignal)
{
    aggregate::Lineage lineage;
    lineage.known = true;
    lineage.uid = 1000;
    lineage.user = SafeText::escape("ann");
    lineage.ns_pid = 7;
    lineage.cgroup_path = SafeText::escape("/lxc.payload.web/cron.service");
    lineage.command = SafeText::escape("kill 9");
    lineage.ancestors = {{sample::task(5, "bash"), true}, {sample::task(4, ""), false}};
    diagnose::Finding finding = diagnose::finding(diagnose::Code::ended_by_process, "x");
    finding.subjects = {{sample::task(8, "kill"), "sender", lineage},
                        {sample::task(9, "app"), "target", aggregate::Lineage{}}};
    const Json json = Json::parse(render::json(sample::empty(), {finding}));
    EXPECT_EQ(schema::check(json, schema::report()), "");
    const Json& people = json["findings"][0]["processes"];
    EXPECT_FALSE(people[1].contains("identity")) << "nothing is known of it";
    EXPECT_EQ(people[0]["identity"], Json::parse(R"({"uid":1000,"user":"ann","ns_pid":7,
        "cgroup":"/lxc.payload.web/cron.service","container":{"runtime":"lxc","id":"web"},
        "unit":"cron.service","command":"kill 9",
        "ancestors":[{"pid":5,"name":"bash","ended":true},{"pid":4,"name":null,"ended":false}],
        "to_init":false})"));
}

TEST(ReportJson, SchemaCheckerSeesWhatIsWrong)
{
    const Json good = parsed(sample::everything());
    Json lacks = good;
    lacks["pipes"][0]["reads"].erase("eagain");
    EXPECT_EQ(schema::check(lacks, schema::report()), "$.pipes[0].reads: lacks eagain");
    Json extra = good;
    extra["loss"]["surprise"] = 1;
    EXPECT_EQ(schema::check(extra, schema::report()), "$.loss: must not have surprise");
    Json floating = good;
    floating["duration_ns"] = 1.5;
    EXPECT_NE(schema::check(floating, schema::report()), "");
    Json short_array = good;
    short_array["pipes"][0]["occupancy"].erase(0);
    EXPECT_EQ(schema::check(short_array, schema::report()), "$.pipes[0].occupancy: has 8 items");
    Json word = good;
    word["kills"][0]["outcome"] = "gone";
    EXPECT_NE(schema::check(word, schema::report()), "");
}

TEST(ReportJson, IntegersAreExact)
{
    constexpr std::uint64_t kOdd = (1ull << 63) + 1;
    aggregate::Report report = sample::slow_pipeline();
    report.channels[0].object.object = kOdd;
    report.channels[0].writes.bytes = kOdd;
    report.loss.shown = kOdd;
    report.host.realtime_offset_ns = INT64_MIN + 1;
    const Json json = parsed(report);
    EXPECT_EQ(json["pipes"][0]["inode"].get<std::uint64_t>(), kOdd);
    EXPECT_EQ(json["pipes"][0]["writes"]["bytes"].get<std::uint64_t>(), kOdd);
    EXPECT_EQ(json["loss"]["shown"].get<std::uint64_t>(), kOdd);
    EXPECT_EQ(json["host"]["realtime_offset_ns"].get<std::int64_t>(), INT64_MIN + 1);
    EXPECT_NE(sample::json(report).find("9223372036854775809"), std::string::npos);
}

TEST(ReportJson, TimesCountFromTheStart)
{
    const Json json = parsed(sample::everything());
    EXPECT_EQ(json["duration_ns"], 20'000'000'000u);
    EXPECT_EQ(json["kills"][0]["sent_ns"], 2'000'000'000u);
    EXPECT_EQ(json["kills"][0]["time_to_die_ns"], 4'020'000'000u);
    EXPECT_EQ(json["kills"][0]["time_to_reap_ns"], 4'022'000'000u);
    EXPECT_EQ(json["signals"][1]["first_ns"], 11'010'000'000u);
    EXPECT_EQ(json["pipes"][0]["last_ns"], 4'200'000'000u);
}

TEST(ReportJson, AbsentIsNull)
{
    const Json json = parsed(sample::everything());
    EXPECT_EQ(json["kills"][1]["outcome"], "still_stuck");
    EXPECT_TRUE(json["kills"][1]["time_to_die_ns"].is_null());
    EXPECT_TRUE(json["kills"][1]["time_to_reap_ns"].is_null());
    EXPECT_TRUE(json["pipes"][0]["path"].is_null());
    EXPECT_EQ(json["pipes"][1]["path"], "/run/demo.fifo");
    EXPECT_TRUE(json["incomplete_why"].is_null());
    EXPECT_EQ(json["pipelines"][0]["bottleneck"], 102);
    aggregate::Report report = sample::slow_pipeline();
    report.waits.clear();
    EXPECT_TRUE(parsed(report)["pipelines"][0]["bottleneck"].is_null());
}

TEST(ReportJson, TimeHasEachPartByItsName)
{
    const Json stage = parsed(sample::poll_stage())["pipelines"][0]["stages"][2];
    EXPECT_EQ(stage["comm"], "node");
    EXPECT_EQ(stage["not_waiting_ns"], 90'000'000);
    EXPECT_EQ(stage["time"]["span_ns"], 3'050'000'000u);
    EXPECT_EQ(stage["time"]["poll_input_ns"], 2'960'000'000u);
    EXPECT_EQ(stage["time"]["running_ns"], 60'000'000);
    EXPECT_EQ(stage["time"]["stopped_ns"], 0);
    std::uint64_t sum = 0;
    for (const auto& [name, ns] : stage["time"].items())
        if (name != "span_ns") sum += ns.get<std::uint64_t>();
    EXPECT_EQ(sum, stage["time"]["span_ns"]);
    EXPECT_EQ(parsed(sample::slow_pipeline())["processes"][1]["threads"], 2);
}

TEST(ReportJson, WhatIsOutsideTheTraceIsSaid)
{
    const Json json = parsed(sample::filtered());
    EXPECT_EQ(json["restricted"], true);
    EXPECT_EQ(json["signals"][0]["unmatched"]["outside"], 1);
    EXPECT_EQ(json["pipes"][0]["writes"]["traced"], false);
    EXPECT_EQ(json["pipes"][0]["reads"]["traced"], true);
    EXPECT_EQ(json["pipes"][0]["writers"][0]["traced"], false);
    EXPECT_TRUE(parsed(sample::bad_signals())["signals"][2]["sender"].is_null());   // the kernel
    EXPECT_EQ(parsed(sample::lossy())["evicted"]["pipes"], 12);
}

TEST(ReportJson, DeviceIsSplitAsTheKernelDoes)
{
    aggregate::Report report = sample::slow_pipeline();
    report.channels[0].object.dev = (8u << 20) | 0x100001u % (1u << 20);
    EXPECT_EQ(parsed(report)["pipes"][0]["dev"], "8:1");
    EXPECT_EQ(parsed(report)["pipes"][1]["dev"], "0:13");
}

TEST(ReportJson, EveryCauseOfLossIsThere)
{
    aggregate::Report report = sample::empty();
    const Json lost = parsed(report)["loss"]["lost"];
    EXPECT_EQ(lost.size(), std::size_t{IPCSCOPE_LOST_COUNT});
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++)
        EXPECT_EQ(lost[std::string(decode::loss_name(cause))], 0);
    EXPECT_EQ(parsed(sample::lossy())["loss"]["lost"]["ring_full"], 1'234'500);
}

TEST(ReportJson, HostileTextStaysText)
{
    aggregate::Report report = sample::quiet();
    report.signals[0].sender.comm = Comm("\xff\x1b[2J\"\\\n");
    report.host.command = {"\xc3\x28", "\xe2\x80\xae"};
    report.host.hostname = "\x9b";
    report.kills.emplace_back().stack = {SafeText::escape("\xff not text")};
    const std::string text = sample::json(report);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const Json json = Json::parse(text);
    EXPECT_EQ(json["signals"][0]["sender"]["comm"], "\\xff\\x1b[2J\"\\\\\\x0a");
    EXPECT_EQ(json["host"]["command"][0], "\\xc3(");
    EXPECT_EQ(json["host"]["command"][1], "\\xe2\\x80\\xae");
}

}  // namespace
}  // namespace ipcscope
