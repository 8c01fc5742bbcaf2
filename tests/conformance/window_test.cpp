// SPDX-License-Identifier: GPL-2.0-only
// The window of a trace: all hooks count from one instant to another, and what is
// kept when the collector does not live to see the second.
#include <algorithm>
#include <csignal>
#include <fstream>
#include <optional>

#include <unistd.h>

#include <gtest/gtest.h>

#include "time_ledger.hpp"

namespace ipcscope::conformance {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

/// The workload steady_pipeline, which pours and drains from `go` on.
class Pipeline {
public:
    Pipeline() : directory_(scratch())
    {
        settings_.facts = directory_ + "/facts";
        process_.emplace(workload_words("steady_pipeline", {directory_}), settings_);
        for (int tries = 0; tries < 500 && !Facts::load(settings_.facts).has("drains"); tries++) {
            usleep(20'000);
        }
    }
    void go() const { std::ofstream(directory_ + "/go"); }
    Facts facts() const { return Facts::load(settings_.facts); }

private:
    std::string directory_;
    Settings settings_;
    std::optional<Process> process_;
};

std::uint64_t bytes(const Calls& calls)
{
    std::uint64_t sum = 0;
    for (const auto& one : calls) {
        sum += one->ret > 0 ? static_cast<std::uint64_t>(one->ret) : 0;
    }
    return sum;
}

/// A pipeline that began in the trace and goes on after it: reads and writes differ
/// by what was under way, no more.
TEST(Window, ReadsAndWritesAgree)
{
    const Pipeline pipeline;
    Trace trace;
    trace.file = scratch() + "/trace.ipcs";
    Process record(ipcscope_words({"record", "-o", trace.file, "-d", "3"}));
    ASSERT_TRUE(attached(trace.file));
    pipeline.go();
    trace.record = record.wait();
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    analyse(trace);
    expect_lossless(trace);
    expect_time_ledgers(trace);
    const std::uint64_t pipe = pipeline.facts().at("pipe");
    const std::uint64_t written = bytes(calls_on(trace.capture, IPCSCOPE_OP_WRITE, pipe));
    const std::uint64_t read = bytes(calls_on(trace.capture, IPCSCOPE_OP_READ, pipe));
    EXPECT_GT(written, 200'000u);
    // What the pipe holds, what the reader was taking, and the writer giving.
    EXPECT_LE(written > read ? written - read : read - written, 65536u + 65536u + 1000u)
        << written << " written, " << read << " read";
    for (const decode::Event& event : trace.capture.events) {
        if (event.cpu < trace.capture.host.cpus) {
            EXPECT_GE(event.time_ns, trace.capture.host.start_ns) << event.kind;
            EXPECT_LE(event.time_ns, trace.capture.end_ns) << event.kind;
        }
    }
}

TEST(Window, IsAsLongAsAsked)
{
    const Trace trace = [] {
        Trace made;
        made.file = scratch() + "/trace.ipcs";
        made.record = ipcscope({"record", "-o", made.file, "-d", "2"});
        analyse(made);
        return made;
    }();
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    const std::uint64_t window = trace.capture.end_ns - trace.capture.host.start_ns;
    EXPECT_GE(window, 2 * kSecond);
    EXPECT_LT(window, 2 * kSecond + kSecond / 4);   // that the guest may need to stop the hooks
    EXPECT_EQ(trace.report["duration_ns"], window);
    EXPECT_NE(ipcscope({"report", trace.file}).out.find("2.0"), std::string::npos);
}

/// A capture is written as the trace goes: what a killed collector had is kept, but
/// for the last second, and is known to be cut.
TEST(Window, KilledCollectorKeepsWhatItHad)
{
    const unsigned before = loaded_programs();
    const std::string file = scratch() + "/trace.ipcs";
    Process record(ipcscope_words({"record", "-o", file}));
    ASSERT_TRUE(attached(file));
    Process trickle(workload_words("trickle", {}));
    sleep(6);
    record.signal(SIGKILL);
    EXPECT_EQ(record.wait().status, 128 + SIGKILL);
    const Capture capture = load_capture(file);
    EXPECT_EQ(capture.error, "");
    EXPECT_EQ(capture.malformed, 0u);
    EXPECT_NE(capture.incomplete_why, "");
    EXPECT_EQ(capture.host.cpus, static_cast<unsigned>(sysconf(_SC_NPROCESSORS_CONF)));
    const Calls calls = select<decode::Call>(capture, [](auto&, auto&) { return true; });
    ASSERT_GT(calls.size(), 100u);   // 20 writes and 20 reads a second
    EXPECT_GE(calls.back().event->time_ns - capture.host.start_ns, 5 * kSecond);
    for (const unsigned op : {IPCSCOPE_OP_READ, IPCSCOPE_OP_WRITE}) {
        std::uint64_t last = 0;
        for (const auto& one : calls) {
            if (one->op == op) {
                EXPECT_LT(one.event->time_ns - (last ? last : one.event->time_ns), kSecond);
                last = one.event->time_ns;
            }
        }
    }
    const Finished report = ipcscope({"report", "--json", file});
    EXPECT_EQ(report.status, 6) << report.err;
    const Json parsed = Json::parse(report.out, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << report.err;
    EXPECT_EQ(parsed["complete"], false);
    EXPECT_GE(parsed["duration_ns"], 5 * kSecond);
    const Finished text = ipcscope({"report", file});
    EXPECT_NE(text.out.find("INCOMPLETE"), std::string::npos) << text.out << text.err;
    EXPECT_TRUE(nothing_attached(before));
}

/// A process of 2,000 idle threads dies at once.
TEST(Window, ManyThreadsDieTogether)
{
    constexpr std::uint64_t kThreads = 2000;
    const Trace trace = record_workload({}, "many_threads", {std::to_string(kThreads)});
    expect_exact(trace);
    const Capture& capture = trace.capture;
    const std::uint64_t process = trace.facts.at("many");
    const auto exits = exits_of(capture, process);
    // The director's own end is the other one.
    EXPECT_EQ(capture.threads_ended(), kThreads + 1);
    EXPECT_GE(exits.size() * 100, kThreads * 99);
    const auto takings = taken(capture, process, 9, IPCSCOPE_TAKE_GROUP_EXIT);
    EXPECT_EQ(capture.decoded[IPCSCOPE_SIGNAL_TAKE] + capture.lost(IPCSCOPE_SIGNAL_TAKE),
              kThreads);
    EXPECT_GE(takings.size() * 100, kThreads * 99);
    for (const auto& one : takings) {
        EXPECT_EQ(one->group, IPCSCOPE_GROUP_EXIT);
        EXPECT_EQ(one->group_signal, 9);
    }
    // No state is left under the number of a dead thread.
    const auto left = select<decode::ThreadTime>(capture, [&](auto& event, auto&) {
        return event.kind == IPCSCOPE_THREAD_TIME && event.task.tgid == process;
    });
    EXPECT_EQ(left.size(), 0u);
    EXPECT_EQ(trace.report["loss"]["late"], 0);
    if (capture.lost() == 0) {
        expect_time_ledgers(trace);
    }
    RecordProperty("lost", std::to_string(capture.lost()));
}

}  // namespace
}  // namespace ipcscope::conformance
