// SPDX-License-Identifier: GPL-2.0-only
#include "bench/plan.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "bench/enum_names.hpp"
#include "sample_run.hpp"

namespace ipcscope::bench {
namespace {

/// CPUs 0 and 1 are one core, 2 and 3 another.
Distance two_cores(unsigned a, unsigned b)
{
    return a == b ? Distance::same_cpu : a / 2 == b / 2 ? Distance::smt : Distance::other_cpu;
}

Result<Plan> planned(const Request& request, std::vector<unsigned> cpus = {0, 1, 2, 3})
{
    return plan(request, sample::mechanisms(), {std::move(cpus), two_cores});
}

std::vector<std::string> keys(const Result<Plan>& plan)
{
    std::vector<std::string> keys;
    for (const Case& one : plan.value().cases) keys.push_back(key(one));
    return keys;
}

using Keys = std::vector<std::string>;

TEST(Plan, NoSizeBeyondTheUsualLimitsUnasked)
{
    EXPECT_EQ(keys(planned({.names = {"posix-mq"}, .metrics = {Metric::throughput}})),
              (Keys{"posix-mq/throughput/64B/same_cpu", "posix-mq/throughput/64B/other_cpu"}));
    EXPECT_EQ(keys(planned({.names = {"posix-mq"}, .metrics = {Metric::throughput},
                            .sizes = {4096}})),
              (Keys{"posix-mq/throughput/4KiB/same_cpu", "posix-mq/throughput/4KiB/other_cpu"}));
}

TEST(Plan, DefaultOfOne)
{
    EXPECT_EQ(keys(planned({.names = {"pipe"}})),
              (Keys{"pipe/call/1B", "pipe/round_trip/1B/same_cpu",
                    "pipe/round_trip/1B/other_cpu", "pipe/throughput/64B/same_cpu",
                    "pipe/throughput/64B/other_cpu", "pipe/throughput/4KiB/same_cpu",
                    "pipe/throughput/4KiB/other_cpu", "pipe/throughput/64KiB/same_cpu",
                    "pipe/throughput/64KiB/other_cpu", "pipe/throughput/1MiB/same_cpu",
                    "pipe/throughput/1MiB/other_cpu"}));
    EXPECT_EQ(planned({.names = {"pipe"}})->cases.back().placement,
              (Placement{0, 2, Distance::other_cpu}));
}

TEST(Plan, OtherMappingsByNameOrWhereAllAre)
{
    std::vector<Mechanism> two(2, sample::mechanisms()[0]);   // shm-spin
    two[1].name = "memfd-spin";
    two[1].other_mapping = true;
    const auto has = [&](const Request& request, std::string_view name) {
        const auto made = plan(request, two, {{0, 1}, two_cores});
        return made && std::ranges::count(made->cases, name, &Case::mechanism) != 0;
    };
    EXPECT_TRUE(has({}, "shm-spin"));
    EXPECT_FALSE(has({}, "memfd-spin"));
    EXPECT_TRUE(has({.all = true}, "memfd-spin"));
    EXPECT_TRUE(has({.all = true}, "shm-spin"));
    EXPECT_TRUE(has({.names = {"memfd-*"}}, "memfd-spin"));
    EXPECT_FALSE(has({.names = {"shm-spin"}, .all = true}, "shm-spin"));
}

TEST(Plan, EachMechanismAsItCan)
{
    EXPECT_EQ(keys(planned({.names = {"shm-spin"}})),
              (Keys{"shm-spin/call/64B/spin", "shm-spin/round_trip/64B/other_cpu/spin"}));
    EXPECT_EQ(keys(planned({.names = {"eventfd"}})),
              (Keys{"eventfd/call", "eventfd/round_trip/same_cpu",
                    "eventfd/round_trip/other_cpu"}));
    EXPECT_EQ(keys(planned({.names = {"signal-queue"}, .quick = true})),
              (Keys{"signal-queue/call/8B", "signal-queue/round_trip/8B/same_cpu",
                    "signal-queue/round_trip/8B/other_cpu"}));
    // Its two ends cannot be one thread: no call, and nothing refused either.
    const auto pair = planned({.names = {"signal-pair"}});
    EXPECT_EQ(keys(pair), (Keys{"signal-pair/round_trip/same_cpu",
                                "signal-pair/round_trip/other_cpu"}));
    EXPECT_TRUE(pair->refused.empty());
}

TEST(Plan, QuickLeavesThroughputOut)
{
    const auto all = planned({.quick = true});
    EXPECT_TRUE(std::ranges::none_of(all->cases, [](const Case& one) {
        return one.metric == Metric::throughput || one.metric == Metric::one_way;
    }));
    for (const Mechanism& mechanism : sample::mechanisms())
        EXPECT_NE(std::ranges::count(all->cases, mechanism.name, &Case::mechanism), 0);
}

TEST(Plan, OneCpuAndSmt)
{
    EXPECT_EQ(keys(planned({.names = {"futex"}}, {3})),
              (Keys{"futex/call", "futex/round_trip/same_cpu"}));
    EXPECT_EQ(keys(planned({.names = {"futex"}}, {0, 1})),
              (Keys{"futex/call", "futex/round_trip/same_cpu", "futex/round_trip/smt"}));
    const auto spin = planned({.names = {"shm-spin"}}, {3});
    EXPECT_EQ(keys(spin), Keys{"shm-spin/call/64B/spin"});
    ASSERT_EQ(spin->refused.size(), 1u);
    EXPECT_EQ(spin->refused[0].failed, "spinning takes two CPUs, and there is one to run on");
}

TEST(Plan, ChosenCpus)
{
    const auto pair = planned({.names = {"futex"}, .cpus = {{3, 2}}});
    EXPECT_EQ(pair->cases[0].placement, (Placement{3, 3, Distance::same_cpu}));
    EXPECT_EQ(pair->cases[2].placement, (Placement{3, 2, Distance::smt}));
    EXPECT_EQ(planned({.names = {"futex"}, .cpus = {{1, 1}}})->cases.size(), 2u);
    const auto absent = planned({.cpus = {{0, 77}}});
    ASSERT_FALSE(absent);
    EXPECT_EQ(absent.error().code, Exit::usage);
    EXPECT_EQ(absent.error().message,
              "CPU 77 is not one that this process may run on; those are 0,1,2,3");
    EXPECT_EQ(planned({}, {}).error().code, Exit::kernel);
}

TEST(Plan, MatrixIsEveryPair)
{
    const auto all = planned({.names = {"pipe"}, .matrix = true});
    EXPECT_EQ(all->cases.size(), 4u + 6u);
    EXPECT_EQ(std::ranges::count(all->cases, Distance::smt,
                                 [](const Case& one) { return one.placement.distance; }), 2);
}

TEST(Plan, Globs)
{
    EXPECT_EQ(planned({.names = {"shm-*", "pipe"}, .metrics = {Metric::round_trip}})
                  ->cases.size(), 1u + 2u + 2u);
    const auto none = planned({.names = {"zzz*"}});
    EXPECT_EQ(none.error().code, Exit::usage);
    EXPECT_EQ(none.error().message,
              "no mechanism matches 'zzz*': ipcscope bench --list shows all");
}

TEST(Plan, UnknownNamesOfferTheNearest)
{
    EXPECT_EQ(planned({.names = {"pipr"}}).error().message,
              "no mechanism is called 'pipr'; near it: pipe");
    EXPECT_EQ(planned({.names = {"socket\x1b"}}).error().message,
              "no mechanism is called 'socket\\x1b': ipcscope bench --list shows all");
    const auto near = [](std::string_view word) { return nearest(word, sample::mechanisms()); };
    EXPECT_EQ(near("shm-sipn"), std::vector<std::string_view>{"shm-spin"});   // swapped
    EXPECT_EQ(near("futx").front(), "futex");
    EXPECT_EQ(near("stream"), std::vector<std::string_view>{"unix-stream"});
    EXPECT_EQ(near("signal").size(), 2u);
    EXPECT_EQ(near("signals"), near("signal"));
    EXPECT_TRUE(near("").empty());
    EXPECT_TRUE(near("xyzzyxyzzy").empty());
    EXPECT_LE(near("e").size(), 3u);
}

TEST(Plan, SizesThatDoNotFit)
{
    const Request by_name{.names = {"posix-mq"}, .metrics = {Metric::call}, .sizes = {1, 8193}};
    const auto named = planned(by_name);
    EXPECT_EQ(keys(named), Keys{"posix-mq/call/1B"});
    ASSERT_EQ(named->refused.size(), 1u);
    EXPECT_EQ(key(named->refused[0].what), "posix-mq/call/8193B");
    EXPECT_EQ(named->refused[0].failed,
              "message larger than the mechanism takes: 8KiB is the most");
    Request by_glob = by_name;
    by_glob.names = {"posix-*"};
    EXPECT_TRUE(planned(by_glob)->refused.empty());
    const auto small = planned({.names = {"signal-queue"}, .metrics = {Metric::call},
                                .sizes = {4}});
    EXPECT_EQ(small->refused.at(0).failed,
              "message smaller than the mechanism takes: 8B is the least");
    // A mechanism without payload has no sizes: 1 and 64 are not two cases.
    EXPECT_EQ(keys(planned({.names = {"futex"}, .metrics = {Metric::call}, .sizes = {1, 64}})),
              Keys{"futex/call"});
    EXPECT_EQ(planned({.names = {"pipe"}, .metrics = {Metric::call, Metric::call},
                       .sizes = {1, 1}})->cases.size(), 1u);
}

TEST(Plan, AbilitiesThatAreNotThere)
{
    const auto refused = [](const Request& request) {
        const auto made = planned(request);
        return made && made->cases.empty() && made->refused.size() == 1
                   ? *made->refused[0].failed : std::string("?");
    };
    const std::vector<Metric> one_metric{Metric::round_trip};
    EXPECT_EQ(refused({.names = {"signal-queue"}, .metrics = one_metric, .threads = true}),
              "it does not work between threads: leave --threads out");
    EXPECT_EQ(refused({.names = {"pipe"}, .metrics = one_metric, .spin = true}),
              "it cannot spin: leave --spin out");
    EXPECT_EQ(refused({.names = {"futex"}, .metrics = {Metric::throughput}}),
              "each message must be answered: take --metric round-trip");
    EXPECT_EQ(refused({.names = {"signal-pair"}, .metrics = {Metric::call}}),
              "one thread cannot do both ends: take --metric round-trip");
    EXPECT_EQ(refused({.names = {"posix-mq"}, .sizes = {64}, .producers = 2}),
              "it has one producer and one consumer: leave --producers and --consumers out");
    // Not named in full: unsupported mechanisms are left out silently.
    EXPECT_EQ(keys(planned({.metrics = one_metric, .spin = true})),
              (Keys{"shm-spin/round_trip/64B/other_cpu/spin",
                    "eventfd/round_trip/other_cpu/spin",
                    "unix-stream/round_trip/1B/other_cpu/spin"}));
    const auto nothing = planned({.names = {"sig*"}, .threads = true, .producers = 2});
    EXPECT_EQ(nothing.error().code, Exit::usage);
}

TEST(Plan, ModesReachTheCases)
{
    const auto paced = planned({.names = {"pipe"}, .threads = true, .awake = true,
                                .rate_hz = 100});
    EXPECT_EQ(keys(paced), (Keys{"pipe/round_trip/1B/same_cpu/threads/100Hz",
                                 "pipe/round_trip/1B/other_cpu/threads/awake/100Hz"}));
    EXPECT_EQ(keys(planned({.names = {"pipe"}, .sizes = {64}, .producers = 2, .consumers = 3})),
              (Keys{"pipe/throughput/64B/same_cpu/2x3", "pipe/throughput/64B/other_cpu/2x3"}));
}

TEST(Words, ReadBackWhatTheySay)
{
    EXPECT_EQ(parse_metric("round-trip"), Metric::round_trip);
    EXPECT_EQ(parse_metric("one_way"), Metric::one_way);
    EXPECT_FALSE(parse_metric("latency"));
    EXPECT_EQ(parse_distance(name_of(Distance::smt)), Distance::smt);
    EXPECT_EQ(parse_wait_mode("spin"), WaitMode::spin);
    EXPECT_EQ(parse_size("64"), 64u);
    EXPECT_EQ(parse_size("64B"), 64u);
    EXPECT_EQ(parse_size("4K"), 4096u);
    EXPECT_EQ(parse_size("1MiB"), 1u << 20);
    for (const char* bad : {"", "K", "-1", "1.5K", "4k", "1 K", "99999999999999999999",
                            "99999999999999999G"})
        EXPECT_FALSE(parse_size(bad)) << bad;
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{1000}, std::size_t{4096},
                                    std::size_t{3} << 20, std::size_t{5} << 30})
        EXPECT_EQ(parse_size(format_size(bytes)), bytes);
}

}  // namespace
}  // namespace ipcscope::bench
