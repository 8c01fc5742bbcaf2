// SPDX-License-Identifier: GPL-2.0-only
// What the report says of small workloads with a known truth: which stage is slow,
// and nothing false of what the filters left out.
#include <csignal>

#include <unistd.h>

#include <gtest/gtest.h>

#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

std::string report_text(const Trace& trace)
{
    const Finished report = ipcscope({"report", trace.file});
    EXPECT_EQ(report.status, 0) << report.err;
    return report.out;
}

void expect_without(const std::string& text, const std::vector<std::string>& claims)
{
    for (const std::string& claim : claims) {
        EXPECT_EQ(text.find(claim), std::string::npos) << claim << "\n" << text;
    }
}

/// A stage that sleeps in poll() for its input is not the slow one.
TEST(Stages, SlowSourceBeforeAnEventLoop)
{
    const Trace trace = record_workload({}, "poll_chain");
    expect_lossless(trace);
    expect_time_ledgers(trace);
    const std::uint64_t source = trace.facts.at("slow-source");
    const std::uint64_t loop = trace.facts.at("event-loop");
    const TimeSum sum = ledger_of(trace.capture, loop).sum;
    EXPECT_GE(sum.polling_ns * 100, sum.span_ns * 90);

    ASSERT_EQ(trace.report["pipelines"].size(), 1u);
    const Json& pipeline = trace.report["pipelines"][0];
    EXPECT_EQ(pipeline["bottleneck"], source) << pipeline.dump(1);
    bool seen = false;
    for (const Json& stage : pipeline["stages"]) {
        if (stage["pid"] == loop) {
            seen = true;
            const auto polling = stage["time"]["poll_input_ns"].get<std::uint64_t>();
            const auto span = stage["span_ns"].get<std::uint64_t>();
            EXPECT_GE(polling * 100, span * 90) << stage.dump(1);
            EXPECT_LE(stage["not_waiting_ns"].get<std::uint64_t>() * 100, span * 10)
                << stage.dump(1);
        }
    }
    EXPECT_TRUE(seen) << pipeline.dump(1);
    const std::string text = report_text(trace);
    EXPECT_NE(text.find("slow-source"), std::string::npos) << text;
    EXPECT_NE(text.find("in poll"), std::string::npos) << text;
}

/// Attached to a reader alone: its writer's calls were left out, not absent.
TEST(Stages, WriterOutsideTheFilter)
{
    const std::string directory = scratch();
    Settings settings;
    settings.facts = directory + "/facts";
    Process family(workload_words("trickle", {}), settings);
    for (int tries = 0; tries < 500 && !Facts::load(settings.facts).has("listens"); tries++) {
        usleep(20'000);
    }
    Trace trace;
    trace.facts = Facts::load(settings.facts);
    trace.file = directory + "/trace.ipcs";
    trace.record = ipcscope({"record", "-o", trace.file, "-p",
                             std::to_string(trace.facts.at("listens")), "-d", "2"});
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    analyse(trace);
    expect_lossless(trace);
    EXPECT_GT(select<decode::Call>(trace.capture, [](auto&, auto&) { return true; }).size(), 10u);
    EXPECT_GT(trace.capture.filtered(IPCSCOPE_CALL_PIPE), 10u);
    const std::string text = report_text(trace);
    expect_without(text, {"without writing", "never wrote", "never write", "no writer"});
    for (const Json& pipe : trace.report["pipes"]) {
        for (const Json& writer : pipe["writers"]) {
            EXPECT_EQ(writer["traced"], false) << writer.dump();
        }
        EXPECT_EQ(pipe["writes"]["traced"], false) << pipe.dump(1);
        EXPECT_EQ(pipe["reads"]["traced"], true) << pipe.dump(1);
    }
}

/// A signal to a process outside the filter: its end is not in the trace.
TEST(Stages, SignalToOutsideTheFilter)
{
    const std::string directory = scratch();
    Settings settings;
    settings.facts = directory + "/facts";
    Process daemon(workload_words("handles", {}), settings);
    for (int tries = 0; tries < 500 && !Facts::load(settings.facts).has("handles"); tries++) {
        usleep(20'000);
    }
    const std::uint64_t target = Facts::load(settings.facts).at("handles");
    const Trace trace = record_workload({}, "send_signal", {std::to_string(target), "10", "1500"});
    expect_lossless(trace);
    EXPECT_EQ(Facts::load(settings.facts).at("handled"), 1u);
    EXPECT_EQ(taken(trace.capture, target, 0).size(), 0u);
    const Json row = signal_row(trace.report, trace.facts.at("sender"), target, 10);
    ASSERT_FALSE(row.is_null());
    EXPECT_EQ(row["outcomes"]["delivered"], 1);
    EXPECT_EQ(row["unmatched"]["pending"], 0) << row.dump(1);
    EXPECT_EQ(row["unmatched"]["outside"], 1) << row.dump(1);
    EXPECT_EQ(row["target"]["comm"], "conformance");
    expect_without(report_text(trace), {"still pending", "did not run", "blocks it"});
}

}  // namespace
}  // namespace ipcscope::conformance
