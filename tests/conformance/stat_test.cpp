// SPDX-License-Identifier: GPL-2.0-only
// ipcscope stat: every count, and the sums that must be equal.
#include <csignal>
#include <map>
#include <numeric>
#include <sstream>
#include <tuple>

#include <gtest/gtest.h>

#include "trace.hpp"

namespace ipcscope::conformance {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

struct Stat {
    Finished finished;
    Facts facts;
    std::vector<Json> lines;
    const Json& total() const { return lines.back(); }
};

Stat run_stat(const Words& options, const Words& command)
{
    Settings settings;
    settings.facts = scratch() + "/facts";
    Words words{"stat", "--json"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back("--");
    words.insert(words.end(), command.begin(), command.end());
    Stat stat;
    stat.finished = ipcscope(words, settings);
    stat.facts = Facts::load(settings.facts);
    EXPECT_EQ(stat.finished.status, 0) << stat.finished.err;
    std::istringstream out(stat.finished.out);
    for (std::string line; std::getline(out, line);) {
        stat.lines.push_back(Json::parse(line, nullptr, false));
    }
    if (stat.lines.empty() || stat.total().is_discarded()) {
        ADD_FAILURE() << stat.finished.out;
        stat.lines = {Json{{"rows", Json::array()}, {"signals", Json::array()},
                           {"events", Json::array()}}};
    }
    return stat;
}

/// "SIGUSR1 taken handler", "pipes read ok", … → events
Counts rows_of(const Json& report)
{
    Counts counts;
    for (const Json& row : report["rows"]) {
        const Json& about = row["signal"].is_null() ? row["family"] : row["signal"];
        counts[about.get<std::string>() + " " + row["operation"].get<std::string>() + " " +
               row["outcome"].get<std::string>()] += row["count"].get<std::uint64_t>();
    }
    return counts;
}

std::uint64_t latencies(const Json& report, const std::string& signal)
{
    std::uint64_t count = 0;
    for (const Json& row : report["rows"]) {
        if (row["signal"] == signal && row["operation"] == "taken" && !row["latency_ns"].is_null()) {
            count += row["latency_ns"]["count"].get<std::uint64_t>();
        }
    }
    return count;
}

std::uint64_t sum_of(const Json& object)
{
    return std::accumulate(object.begin(), object.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const Json& number) {
                               return sum + number.get<std::uint64_t>();
                           });
}

Json signal_of(const Json& report, const std::string& name)
{
    for (const Json& signal : report["signals"]) {
        if (signal["signal"] == name) {
            return signal;
        }
    }
    ADD_FAILURE() << "nothing of " << name;
    return {};
}

/// generated = paired + unpaired + pending, and = aggregated + filtered + lost.
void expect_sums(const Json& report)
{
    for (const Json& signal : report["signals"]) {
        EXPECT_EQ(signal["generated"].get<std::uint64_t>(),
                  signal["paired"].get<std::uint64_t>() + sum_of(signal["unpaired"]) +
                      signal["pending"].get<std::uint64_t>())
            << signal;
        EXPECT_EQ(signal["paired"].get<std::uint64_t>(),
                  latencies(report, signal["signal"].get<std::string>()))
            << signal;
    }
    std::map<std::string, std::uint64_t> aggregated;
    for (const Json& event : report["events"]) {
        aggregated[event["kind"]] = event["aggregated"].get<std::uint64_t>();
        EXPECT_EQ(event["generated"].get<std::uint64_t>(),
                  event["aggregated"].get<std::uint64_t>() +
                      event["filtered"].get<std::uint64_t>() + sum_of(event["lost"]))
            << event;
        EXPECT_EQ(sum_of(event["lost"]), 0u) << event;
    }
    EXPECT_EQ(report["rows_used"].get<std::size_t>(), report["rows"].size());
}

const Counts& expected()
{
    static const Counts counts{
        {"SIGUSR1 sent delivered", 101},    {"SIGUSR1 taken handler", 101},
        {"SIGUSR2 sent delivered", 13},     {"SIGUSR2 taken handler", 13},
        {"SIGRTMIN sent delivered", 23},    {"SIGRTMIN taken handler", 23},
        {"SIGRTMIN+1 sent delivered", 11},  {"SIGRTMIN+1 taken sigwait", 11},
        {"SIGRTMIN+2 sent delivered", 26},  {"SIGALRM sent delivered", 5},
        {"SIGALRM taken sigwait", 5},       {"SIGTSTP sent delivered", 3},
        {"SIGCONT sent ignored", 3},        {"SIGURG sent delivered", 2},
        {"SIGURG taken discarded", 2},      {"SIGHUP sent delivered", 1},
        {"SIGHUP sent already_pending", 4}, {"SIGHUP taken sigwait", 1},
        {"SIGTERM sent delivered", 7},      {"SIGTERM taken group_exit", 7},
        {"SIGCHLD sent ignored", 8},        {"SIGPIPE sent ignored", 3},   // its own end, too
        {"pipes write ok", 211},            {"pipes read ok", 211},
        {"pipes read again", 17},           {"pipes read end", 1},
        {"pipes write broken", 3},          {"eventfd write ok", 19},
        {"eventfd read ok", 19},            {"unix send ok", 29},
        {"unix receive ok", 29 + 7},        {"unix receive again", 11},
        {"unix send broken", 2},
    };
    return counts;
}

const Words kFamilies{"--trace=signals,pipes,unix,eventfd"};

Stat stat_of(Words options, const std::string& workload, const Words& arguments = {})
{
    options.insert(options.end(), kFamilies.begin(), kFamilies.end());
    return run_stat(options, workload_words(workload, arguments));
}

class StatOf : public testing::Test {
protected:
    static const Stat& plain()
    {
        static const Stat stat = [] {
            const Stat of_events = stat_of({}, "stat_events");
            end_stays(of_events);
            return of_events;
        }();
        return stat;
    }
    /// The process that the workload has left.
    static void end_stays(const Stat& stat)
    {
        kill(static_cast<pid_t>(stat.facts.at("stays")), SIGKILL);
    }
};

TEST_F(StatOf, EveryCount)
{
    EXPECT_EQ(rows_of(plain().total()), expected());
    expect_sums(plain().total());
    EXPECT_EQ(plain().lines.size(), 1u);
}

TEST_F(StatOf, EveryEndOfASignal)
{
    const auto expect = [&](const char* name, unsigned paired, const char* cause, unsigned number,
                            unsigned pending) {
        const Json signal = signal_of(plain().total(), name);
        EXPECT_EQ(signal["paired"], paired) << name;
        EXPECT_EQ(signal["unpaired"][cause], number) << name << " " << signal;
        EXPECT_EQ(sum_of(signal["unpaired"]), number) << name << " " << signal;
        EXPECT_EQ(signal["pending"], pending) << name;
    };
    expect("SIGUSR1", 101, "flushed", 0, 0);
    expect("SIGUSR2", 13, "flushed", 0, 0);
    expect("SIGRTMIN", 16, "deep", 7, 0);
    expect("SIGRTMIN+1", 11, "deep", 0, 0);
    expect("SIGRTMIN+2", 0, "exited", 21, 5);
    expect("SIGALRM", 5, "flushed", 0, 0);
    expect("SIGTSTP", 0, "flushed", 3, 0);
    expect("SIGURG", 0, "flushed", 2, 0);
    expect("SIGHUP", 1, "flushed", 0, 0);
    expect("SIGTERM", 7, "exited", 0, 0);
}

TEST_F(StatOf, BytesOfPipes)
{
    for (const Json& row : plain().total()["rows"]) {
        if (row["family"] == "pipes" && row["outcome"] == "ok") {
            EXPECT_EQ(row["bytes"], 211 * 64) << row;
            EXPECT_EQ(row["latency_ns"]["count"], 211) << row;
        }
    }
}

TEST_F(StatOf, BytesOfSocketsWithoutThoseThatWerePeekedAt)
{
    unsigned rows = 0;
    for (const Json& row : plain().total()["rows"]) {
        if (row["family"] == "unix" && row["outcome"] == "ok") {
            EXPECT_EQ(row["bytes"], 29 * 64) << row;
            ++rows;
        }
    }
    EXPECT_EQ(rows, 2u);
}

TEST_F(StatOf, ByAnythingTheSumsAreTheSame)
{
    for (const char* by : {"comm", "cgroup", "pid", "object"}) {
        const Stat stat = stat_of({"--by", by}, "stat_events");
        end_stays(stat);
        EXPECT_EQ(rows_of(stat.total()), expected()) << by;
        expect_sums(stat.total());
        EXPECT_EQ(stat.total()["by"], by);
    }
}

TEST_F(StatOf, RowsAreOfTheCommTheyAreBy)
{
    const Stat stat = stat_of({"--by", "comm"}, "stat_events");
    end_stays(stat);
    Counts by_comm;
    for (const Json& row : stat.total()["rows"]) {
        if (row["signal"] == "SIGRTMIN+2") {
            by_comm[row["key"]["comm"]] += row["count"].get<std::uint64_t>();
        }
    }
    EXPECT_EQ(by_comm, (Counts{{"ends", 21}, {"stays", 5}}));
}

TEST_F(StatOf, MoreObjectsThanRowsAreCountedAsLost)
{
    const Stat stat = stat_of({"--by", "object", "--max-rows", "16"}, "stat_objects", {"41"});
    for (const Json& event : stat.total()["events"]) {
        if (event["kind"] != "call_pipe") {
            continue;
        }
        EXPECT_EQ(event["aggregated"].get<std::uint64_t>() +
                      event["lost"]["table_full"].get<std::uint64_t>(),
                  41u);
        EXPECT_GE(event["lost"]["table_full"].get<std::uint64_t>(), 41u - 16);
    }
    EXPECT_EQ(stat.total()["rows_used"], 16);
}

TEST_F(StatOf, OneSignalAlone)
{
    const Stat stat = stat_of({"--signal", "USR1"}, "stat_events");
    end_stays(stat);
    Counts signals = rows_of(stat.total());
    std::erase_if(signals, [](const auto& row) { return !row.first.starts_with("SIG"); });
    EXPECT_EQ(signals, (Counts{{"SIGUSR1 sent delivered", 101}, {"SIGUSR1 taken handler", 101}}));
    expect_sums(stat.total());
}

TEST_F(StatOf, OfAnotherNameAllIsFiltered)
{
    const Stat stat = stat_of({"--all", "--comm", "none"}, "stat_events");
    end_stays(stat);
    EXPECT_EQ(rows_of(stat.total()), Counts{});
    expect_sums(stat.total());
    for (const Json& event : stat.total()["events"]) {
        if (event["kind"] == "signal_generate") {
            EXPECT_GE(event["filtered"].get<std::uint64_t>(), 207u);
        }
    }
}

TEST_F(StatOf, IntervalsAddUpToTheTotal)
{
    const Stat stat = stat_of({"0.05"}, "stat_events");
    end_stays(stat);
    ASSERT_GE(stat.lines.size(), 2u);
    Counts sum;
    for (std::size_t i = 0; i + 1 < stat.lines.size(); ++i) {
        EXPECT_EQ(stat.lines[i]["final"], false);
        for (const auto& [row, count] : rows_of(stat.lines[i])) {
            sum[row] += count;
        }
    }
    EXPECT_EQ(stat.total()["final"], true);
    const Counts total = rows_of(stat.total());
    EXPECT_EQ(total, expected());
    for (const auto& [row, count] : sum) {
        EXPECT_LE(count, total.at(row)) << row;
    }
    EXPECT_EQ(sum["SIGUSR1 taken handler"], 101u);
}

/// The collector stands still for most of the time.
TEST_F(StatOf, NothingIsLostToTheLoad)
{
    const Stat stat = stat_of({"0.1"}, "flood", {"3", "1"});
    const std::uint64_t rounds = stat.facts.at("flood", 1) + stat.facts.at("flood", 2);
    Counts seen = rows_of(stat.total());
    EXPECT_EQ(seen["pipes write ok"], 4 * rounds + 10);
    EXPECT_EQ(seen["pipes read ok"], 4 * rounds + 10);
    EXPECT_EQ(seen["SIGUSR1 sent ignored"], rounds);
    EXPECT_EQ(seen["SIGRTMIN sent delivered"], rounds);
    EXPECT_EQ(seen["SIGRTMIN taken handler"], rounds);
    EXPECT_EQ(signal_of(stat.total(), "SIGRTMIN")["paired"], rounds);
    expect_sums(stat.total());
}

TEST_F(StatOf, ManyTargetsAtOnce)
{
    const Stat stat = stat_of({}, "stat_storm", {"997"});
    std::uint64_t queued = 0, standard = 0;
    for (const Numbers& process : stat.facts.all("sent")) {
        queued += process.at(0);
        standard += process.at(1);
    }
    Counts seen = rows_of(stat.total());
    EXPECT_EQ(standard, 5u * 997);
    EXPECT_EQ(seen["SIGRTMIN+3 sent delivered"], queued);
    EXPECT_EQ(seen["SIGUSR1 sent delivered"] + seen["SIGUSR1 sent already_pending"], standard);
    EXPECT_EQ(signal_of(stat.total(), "SIGUSR1")["generated"], seen["SIGUSR1 sent delivered"]);
    expect_sums(stat.total());
}

TEST_F(StatOf, ACountEndsIt)
{
    const Finished finished = ipcscope({"stat", "--json", "--signal", "USR1", "0.1", "3"});
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(std::count(finished.out.begin(), finished.out.end(), '\n'), 4);
}

TEST_F(StatOf, OneLineForWhatIsNoInterval)
{
    const std::vector<Words> refused{{"0"}, {"-1"}, {"1", "0"}, {"x"}, {"--by", "nothing"},
                                     {"--max-rows", "0"}};
    for (const Words& words : refused) {
        Words all{"stat"};
        all.insert(all.end(), words.begin(), words.end());
        const Finished finished = ipcscope(all);
        EXPECT_EQ(finished.status, 2) << words[0] << finished.err;
        EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
        EXPECT_EQ(finished.out, "");
    }
}

}  // namespace
}  // namespace ipcscope::conformance
