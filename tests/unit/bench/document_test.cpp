// SPDX-License-Identifier: GPL-2.0-only
// A run as JSON: what the schema says, the same when read back, and no file,
// however made, that does harm.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include <unistd.h>

#include "../render/schema.hpp"
#include "bench/output/output.hpp"
#include "sample_run.hpp"

namespace ipcscope::bench {
namespace {

using Json = nlohmann::ordered_json;

/// Only what failed is looked at: valid text gives a run or one line.
Result<bench::Run> read(const std::string& text)
{
    auto found = parse(text, "base.json");
    if (!found) {
        EXPECT_EQ(found.error().code, Exit::input);
        EXPECT_TRUE(found.error().message.starts_with("base.json: "));
        EXPECT_EQ(found.error().message.find_first_of("\n\x1b"), std::string::npos);
        EXPECT_LT(found.error().message.size(), 300u);
    }
    return found;
}

std::string why_not(const Json& json)
{
    const auto found = read(json.dump());
    return found ? "" : found.error().message.substr(std::string("base.json: ").size());
}

/// One of few cases: short enough to try every change of it.
bench::Run small()
{
    bench::Run run = sample::whole();
    run.results = {run.results[0], run.results[run.results.size() - 2],
                   sample::failed(sample::round_trip("fifo", 1, Distance::smt), "mkfifo: \x1b")};
    return run;
}

bench::Run random_run(std::mt19937_64& random)
{
    bench::Run run = sample::hostile();
    const auto any = [&] { return random() >> random() % 64; };
    run.elapsed_s = static_cast<double>(any() >> 12) / 1024;
    run.interrupted = random() % 2;
    run.environment.started_unix_ns = any();
    run.environment.clock_cost_ns = static_cast<double>(any() % 1000) / 7;
    run.environment.cpus_online = static_cast<unsigned>(any());
    for (CaseResult& result : run.results) {
        result.what.placement.cpu_a = static_cast<unsigned>(any());
        result.what.threads = random() % 2;
        result.what.rate_hz = static_cast<double>(any() % 1000) / 3;
        if (result.failed) continue;
        std::vector<double> values(random() % 7);
        for (double& value : values) value = static_cast<double>(any() >> 5) / 3;
        const bool latency = !result.higher_is_better();
        result = sample::result(result.what, values);
        for (Round& round : result.rounds) {
            round.messages = any();
            round.stolen_ns = any();
            round.noisy = random() % 2;
        }
        for (int i = 0; latency && i < 20; i++) result.latency_ns.add(any());
    }
    return run;
}

TEST(BenchJson, FollowsItsSchema)
{
    for (const auto& run : {sample::whole(), sample::matrix(), sample::hostile(), bench::Run()})
        EXPECT_EQ(schema::check(nlohmann::json::parse(json(run)), schema::bench()), "");
    const Comparison comparison = compare(sample::whole(), sample::hostile());
    EXPECT_EQ(schema::check(nlohmann::json::parse(json(comparison)), schema::bench_diff()), "");
    auto extra = nlohmann::json::parse(json(sample::whole()));
    extra["results"][0]["surprise"] = 1;
    EXPECT_EQ(schema::check(extra, schema::bench()), "$.results[0]: must not have surprise");
}

TEST(BenchJson, IsTheSameWhenReadBack)
{
    for (const auto& run : {sample::whole(), sample::matrix(), sample::hostile(), bench::Run()}) {
        const auto again = read(json(run));
        ASSERT_TRUE(again) << again.error().message;
        EXPECT_EQ(json(*again), json(run));
        ASSERT_EQ(again->results.size(), run.results.size());
        EXPECT_EQ(again->environment.hostname, run.environment.hostname);
        EXPECT_EQ(again->warnings, run.warnings);
        for (std::size_t at = 0; at < run.results.size(); at++) {
            EXPECT_EQ(again->results[at].what, run.results[at].what);
            EXPECT_EQ(again->results[at].failed, run.results[at].failed);
            EXPECT_EQ(again->results[at].estimate.median, run.results[at].estimate.median);
        }
        EXPECT_EQ(text(*again, sample::mechanisms()), text(run, sample::mechanisms()));
    }
}

TEST(BenchJson, AnyRunIsTheSameWhenReadBack)
{
    std::mt19937_64 random(4);
    for (int trial = 0; trial < 200; trial++) {
        const bench::Run run = random_run(random);
        const auto again = read(json(run));
        ASSERT_TRUE(again) << again.error().message;
        ASSERT_EQ(json(*again), json(run));
        ASSERT_EQ(schema::check(nlohmann::json::parse(json(run)), schema::bench()), "");
    }
}

TEST(BenchJson, IntegersAreExact)
{
    bench::Run run = small();
    run.results[0].rounds[0].messages = UINT64_MAX;
    run.environment.started_unix_ns = (1ull << 63) + 1;
    const std::string text = json(run);
    EXPECT_NE(text.find("18446744073709551615"), std::string::npos);
    EXPECT_NE(text.find("9223372036854775809"), std::string::npos);
    EXPECT_EQ(read(text)->environment.started_unix_ns, (1ull << 63) + 1);
}

TEST(BenchJson, NeverShowsWhatIsNotANumber)
{
    bench::Run run = small();
    run.environment.clock_cost_ns = std::nan("");
    run.results[0].rounds[0].value = INFINITY;
    EXPECT_FALSE(read(json(run)));   // null is no number, so it cannot be a measurement
}

TEST(BenchLoad, EveryBeginningIsRefused)
{
    const std::string whole = json(small());
    for (std::size_t size = 0; size < whole.size(); size++)
        ASSERT_FALSE(read(whole.substr(0, size))) << size;
    EXPECT_TRUE(read(whole));
    EXPECT_TRUE(read(whole + "\n"));
    EXPECT_FALSE(read(whole + whole));
    EXPECT_EQ(read(whole.substr(0, 2000)).error().message,
              "base.json: cut off or damaged: not whole JSON");
}

TEST(BenchLoad, AnyDamageIsReadOrRefused)
{
    const std::string whole = json(small());
    std::mt19937_64 random(5);
    std::size_t refused = 0;
    for (int trial = 0; trial < 3000; trial++) {
        std::string text = whole;
        for (std::size_t changes = 1 + random() % 3; changes > 0; changes--) {
            const char byte = "0123456789-.eE\"{}[],:\\x\xff\0n"[random() % 27];
            text[random() % text.size()] = byte;
        }
        const auto found = read(text);
        refused += !found;
        if (!found) continue;
        // A document that was accepted can be used like any other.
        const std::string shown = bench::text(*found, sample::mechanisms());
        EXPECT_EQ(shown.find('\x1b'), std::string::npos);
        EXPECT_TRUE(read(json(*found)));
        compare(*found, *found);
        csv(*found);
    }
    EXPECT_GT(refused, 1000u);
}

/// Every place in the document, with what to do to it.
void at_every_place(const Json& json, Json::json_pointer here,
                    const std::function<void(const Json::json_pointer&)>& visit)
{
    visit(here);
    if (json.is_object())
        for (const auto& [name, member] : json.items()) at_every_place(member, here / name, visit);
    if (json.is_array())
        for (std::size_t at = 0; at < json.size(); at++)
            at_every_place(json[at], here / at, visit);
}

/// Follow from the rest: not read.
bool is_derived(const Json::json_pointer& place)
{
    const std::string text = place.to_string();
    for (const char* part : {"/key", "/unit", "/estimate", "/bytes_per_s", "/count", "/p50",
                             "/p90", "/p99", "/p999", "/p9999"})
        if (text.find(part) != std::string::npos) return true;
    return false;
}

TEST(BenchLoad, EveryFieldMustBeThereAndOfItsKind)
{
    const Json whole = Json::parse(json(small()));
    at_every_place(whole, Json::json_pointer(), [&](const Json::json_pointer& place) {
        if (place.empty() || is_derived(place)) return;
        const bool nullable = place.back() == "failed" || place.back() == "kernel" ||
                              place.to_string() == "/results/1/latency_ns";
        for (const Json& wrong : {Json(), Json(-1), Json(1e300), Json(-0.5), Json("text"),
                                  Json::object(), Json::array({Json::array()})}) {
            Json changed = whole;
            const Json& old = whole[place];
            if (old.is_string() && wrong.is_string()) continue;
            if (nullable && (wrong.is_null() || wrong.is_string())) continue;
            if (place.to_string() == "/results/1/latency_ns") continue;   // of throughput
            changed[place] = wrong;
            EXPECT_NE(why_not(changed), "") << place << " " << wrong;
        }
        if (whole[place.parent_pointer()].is_object()) {
            Json lacks = whole;
            lacks[place.parent_pointer()].erase(place.back());
            if (place.to_string() != "/results/1/latency_ns") {
                EXPECT_NE(why_not(lacks), "") << place;
            }
        }
    });
}

TEST(BenchLoad, MoreFieldsAreNoFault)
{
    Json json = Json::parse(bench::json(small()));
    json["later"] = 1;
    json["results"][0]["later"] = {{"a", 1}};
    EXPECT_EQ(why_not(json), "");
}

TEST(BenchLoad, SaysWhatIsWrong)
{
    const Json whole = Json::parse(json(small()));
    const auto with = [&](const char* place, const Json& value) {
        Json json = whole;
        json[Json::json_pointer(place)] = value;
        return why_not(json);
    };
    EXPECT_EQ(with("/schema", "ipcscope.bench/2"),
              "schema ipcscope.bench/2, but this ipcscope reads ipcscope.bench/1: measure again");
    EXPECT_EQ(with("/schema", "ipcscope.report/1"),
              "schema ipcscope.report/1, not ipcscope.bench/1");
    EXPECT_EQ(with("/schema", "\x1b[2J"), "schema \\x1b[2J, not ipcscope.bench/1");
    EXPECT_EQ(with("/results/0/metric", "latency"),
              "results[0]: metric 'latency' is unknown");
    EXPECT_EQ(with("/results/0/metric", "round-trip"),
              "results[0]: metric 'round-trip' is unknown");
    EXPECT_EQ(with("/results/0/rounds/1/value", -3),
              "results[0]: rounds[1]: value is no number that can be measured");
    EXPECT_EQ(with("/results/0/rounds/1/messages", 1.5),
              "results[0]: rounds[1]: messages is no whole number up to 18446744073709551615");
    EXPECT_EQ(with("/results/0/latency_ns/max", 1),
              "results[0]: latency_ns: histogram is none that values can give");
    EXPECT_EQ(with("/results/0/producers", 4'000'000'000),
              "results[0]: producers is no whole number up to 1000000");
    EXPECT_EQ(with("/environment/cpus_allowed/0", -1),
              "environment: cpus_allowed holds what is no whole number");
    EXPECT_EQ(why_not(Json::array()), "JSON, but not of ipcscope bench");
    EXPECT_EQ(read("hello").error().message, "base.json: not JSON");
    EXPECT_EQ(read("").error().message, "base.json: empty");
}

TEST(BenchLoad, TooMuchOfAnything)
{
    Json many = Json::parse(json(small()));
    many["results"][0]["rounds"] = Json(kMaxRounds + 1, many["results"][0]["rounds"][0]);
    EXPECT_EQ(why_not(many), "results[0]: rounds is too long");
    const std::string deep(100'000, '[');
    EXPECT_EQ(read(deep).error().message,
              "base.json: no run of ipcscope bench: nested too deep");
    EXPECT_FALSE(read("{\"schema\":\"ipcscope.bench/1\",\"x\":1e999}"));
    // Brackets in text are no nesting.
    bench::Run run = small();
    run.warnings = {std::string(1000, '['), "\"[[[[[[[[[[[[[[[[[[[[[\\"};
    EXPECT_TRUE(read(json(run)));
}

TEST(BenchLoad, Files)
{
    const auto path = std::filesystem::temp_directory_path() /
                      fmt::format("ipcscope-bench-{}.json", getpid());
    std::ofstream(path) << json(small());
    const auto found = load(path);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(json(*found), json(small()));
    std::filesystem::remove(path);
    EXPECT_EQ(load(path).error().message, "cannot read " + path.string() + ": No such file or directory");
    EXPECT_EQ(load("/").error().code, Exit::input);
}

}  // namespace
}  // namespace ipcscope::bench
