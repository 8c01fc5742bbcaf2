// SPDX-License-Identifier: GPL-2.0-only
// How a trace begins and ends: the command's status, Ctrl-C, a killed collector,
// hostile names, and an ordinary pipeline.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <set>
#include <sstream>

#include <time.h>

#include <gtest/gtest.h>

#include "show.hpp"

namespace ipcscope::conformance {
namespace {

void sleep_ms(unsigned milliseconds)
{
    const timespec rest{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
    nanosleep(&rest, nullptr);
}

TEST(Command, StatusIsPassedOn)
{
    const auto status = [](const Words& command) {
        Words words{"record", "-o", scratch() + "/trace.ipcs", "--"};
        words.insert(words.end(), command.begin(), command.end());
        return ipcscope(words);
    };
    EXPECT_EQ(status(workload_words("exit_with", {"3"})).status, 3);
    EXPECT_EQ(status(workload_words("die_of", {"9"})).status, 128 + 9);
    const Finished missing = status({"no-such-command-anywhere"});
    EXPECT_EQ(missing.status, 127);
    EXPECT_NE(missing.err.find("no-such-command-anywhere"), std::string::npos);
}

TEST(Command, CtrlC)
{
    const unsigned before = loaded_programs();
    Trace trace;
    trace.file = scratch() + "/trace.ipcs";
    Process record(ipcscope_words({"record", "-o", trace.file}));
    ASSERT_TRUE(attached(trace.file));
    Process known(workload_words("rename_self", {}));
    EXPECT_EQ(known.wait().status, 0);
    record.signal(SIGINT);
    trace.record = record.wait();
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    analyse(trace);
    EXPECT_EQ(trace.capture.incomplete_why, "");
    EXPECT_EQ(trace.report["complete"], true);
    expect_lossless(trace);
    EXPECT_EQ(generated(trace.capture, static_cast<std::uint64_t>(known.pid()),
                        static_cast<std::uint64_t>(known.pid()), 10).size(), 12u);
    EXPECT_TRUE(nothing_attached(before));
}

/// With a command the first Ctrl-C is the command's own; its end ends the trace.
TEST(Command, TerminatedWithItsCommand)
{
    const std::string file = scratch() + "/trace.ipcs";
    Words words{"record", "-o", file, "--"};
    for (const std::string& word : workload_words("linger", {})) {
        words.push_back(word);
    }
    Process record(ipcscope_words(words));
    ASSERT_TRUE(attached(file));
    record.signal(SIGTERM);
    EXPECT_EQ(record.wait().status, 128 + SIGTERM);
    EXPECT_EQ(load_capture(file).incomplete_why, "");
}

TEST(Command, KilledCollector)
{
    const unsigned before = loaded_programs();
    Trace trace;
    trace.file = scratch() + "/trace.ipcs";
    Process record(ipcscope_words({"record", "-o", trace.file}));
    ASSERT_TRUE(attached(trace.file));
    EXPECT_GT(loaded_programs(), before);
    Process known(workload_words("rename_self", {}));
    EXPECT_EQ(known.wait().status, 0);
    sleep_ms(1500);   // so that the collector has written what it saw
    record.signal(SIGKILL);
    EXPECT_EQ(record.wait().status, 128 + SIGKILL);
    EXPECT_TRUE(nothing_attached(before));

    const Finished report = ipcscope({"report", "--json", trace.file});
    EXPECT_EQ(report.status, 6) << report.err;
    const Json parsed = Json::parse(report.out, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << report.err;
    EXPECT_EQ(parsed["complete"], false);
    const Capture capture = load_capture(trace.file);
    EXPECT_EQ(capture.error, "");
    EXPECT_NE(capture.incomplete_why, "");
    EXPECT_EQ(capture.malformed, 0u);
    EXPECT_EQ(generated(capture, static_cast<std::uint64_t>(known.pid()),
                        static_cast<std::uint64_t>(known.pid()), 10).size(), 12u);
    // And the next trace begins as if nothing had been.
    EXPECT_EQ(record_workload({}, "exit_with", {"0"}).record.status, 0);
}

bool has_control_byte(const std::string& text)
{
    for (std::size_t i = 0; i < text.size(); i++) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool c1 = byte == 0xc2 && i + 1 < text.size() &&
                        static_cast<unsigned char>(text[i + 1]) < 0xa0;
        const bool bidi = text.compare(i, 3, "\xe2\x80\xae") == 0;
        if ((byte < 0x20 && byte != '\n') || byte == 0x7f || c1 || bidi) {
            return true;
        }
    }
    return false;
}

TEST(Command, HostileNames)
{
    const Trace trace = record_workload({}, "rename_self");
    expect_lossless(trace);
    const auto all = generated(trace.capture, trace.facts.at("renamed"),
                               trace.facts.at("renamed"), 10);
    ASSERT_EQ(all.size(), trace.facts.at("renamed", 1));
    std::set<std::string> names;
    for (const auto& one : all) {
        names.insert(name_of(one.event->task));
        EXPECT_EQ(one.event->task, one.event->target);
        EXPECT_FALSE(has_control_byte(name_of(one.event->task)));
    }
    EXPECT_EQ(names.size(), all.size());
    EXPECT_TRUE(names.count("\\x1b[31mred"));

    for (const Words& words : {Words{"report", trace.file}, Words{"report", "--json", trace.file},
                               Words{"dump", trace.file}}) {
        const Finished shown = ipcscope(words);
        EXPECT_EQ(shown.status, 0) << shown.err;
        EXPECT_FALSE(has_control_byte(shown.out)) << words[0];
        EXPECT_FALSE(has_control_byte(shown.err)) << words[0];
    }
    const Finished live = ipcscope([] {
        Words words{"trace", "--"};
        for (const std::string& word : workload_words("rename_self", {})) {
            words.push_back(word);
        }
        return words;
    }());
    EXPECT_EQ(live.status, 0) << live.err;
    EXPECT_NE(live.out, "");
    EXPECT_FALSE(has_control_byte(live.out));
}

/// Signals that wait for their taking are among lines of calls that do not.
TEST(Command, LinesOfATraceAreInOrder)
{
    Words words{"trace", "--no-report", "--trace", "signals,pipes", "--"};
    for (const std::string& word : workload_words("signal_pairs", {})) {
        words.push_back(word);
    }
    const Finished live = ipcscope(words);
    EXPECT_EQ(live.status, 0) << live.err;
    std::istringstream lines(live.out);
    std::string line;
    double last = 0;
    unsigned count = 0;
    while (std::getline(lines, line)) {
        if (line.find_first_of("0123456789") == std::string::npos) {
            continue;   // a heading
        }
        const double time = std::atof(line.c_str());
        EXPECT_GE(time, last) << line;
        last = time;
        ++count;
    }
    EXPECT_GT(count, 10u) << live.out;
}

TEST(Command, TimesOfDay)
{
    const std::time_t before = std::time(nullptr);
    Words words{"trace", "--no-report", "-T", "--trace", "signals", "--"};
    for (const std::string& word : workload_words("rename_self", {})) {
        words.push_back(word);
    }
    const Finished live = ipcscope(words);
    EXPECT_EQ(live.status, 0) << live.err;
    int hours = 0, minutes = 0, seconds = 0;
    const std::size_t zone = live.out.find(", UTC");
    ASSERT_NE(zone, std::string::npos) << live.out;
    const std::string first = live.out.substr(live.out.find('\n', zone) + 1);
    ASSERT_EQ(std::sscanf(first.c_str(), "%d:%d:%d", &hours, &minutes, &seconds), 3) << first;
    std::tm shown{};
    localtime_r(&before, &shown);
    shown.tm_hour = hours;
    shown.tm_min = minutes;
    shown.tm_sec = seconds;
    const double passed = std::difftime(std::mktime(&shown), before);
    EXPECT_TRUE(passed >= -1 && passed < 60) << first;
    EXPECT_EQ(live.out.find(", UTC", zone + 1), std::string::npos) << live.out;
}

/// `yes | head -c 50M | wc -c`
TEST(Command, Pipeline)
{
    constexpr std::uint64_t kBytes = 50u << 20;
    const Trace trace = record({}, {"sh", "-c", "yes | head -c 50M | wc -c"});
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    EXPECT_EQ(trace.record.out, std::to_string(kBytes) + "\n");
    expect_exact(trace);

    const auto ends = [](const Json& rows) {
        std::set<std::string> names;
        for (const Json& row : rows) {
            if (row["holds_only"] != true) {
                names.insert(row["comm"]);
            }
        }
        return names;
    };
    const Json *first = nullptr, *second = nullptr;
    for (const Json& pipe : trace.report["pipes"]) {
        if (ends(pipe["writers"]).count("yes")) first = &pipe;
        if (ends(pipe["readers"]).count("wc")) second = &pipe;
    }
    ASSERT_TRUE(first && second) << trace.report["pipes"].dump();
    EXPECT_EQ(ends((*first)["readers"]), std::set<std::string>{"head"});
    EXPECT_EQ(ends((*second)["writers"]), std::set<std::string>{"head"});
    EXPECT_NE((*first)["inode"], (*second)["inode"]);
    if (trace.capture.lost() == 0) {
        EXPECT_EQ((*second)["writes"]["bytes"], kBytes);
        EXPECT_EQ((*second)["reads"]["bytes"], kBytes);
        EXPECT_EQ((*second)["reads"]["eof"], 1);
        EXPECT_GE((*first)["writes"]["bytes"], kBytes);
        EXPECT_LE((*first)["reads"]["bytes"], (*first)["writes"]["bytes"]);
    }
    EXPECT_EQ(trace.capture.lost(), 0u) << "the pipeline outran the collector";
    ASSERT_EQ(trace.report["pipelines"].size(), 1u);
    std::vector<std::string> stages;
    for (const Json& stage : trace.report["pipelines"][0]["stages"]) {
        stages.push_back(stage["comm"]);
    }
    EXPECT_EQ(stages, (std::vector<std::string>{"yes", "head", "wc"}));

    const std::string text = ipcscope({"report", trace.file}).out;
    for (const char* name : {"yes", "head", "wc"}) {
        EXPECT_NE(text.find(name), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace ipcscope::conformance
