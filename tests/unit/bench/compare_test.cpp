// SPDX-License-Identifier: GPL-2.0-only
#include "bench/compare.hpp"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "sample_run.hpp"

namespace ipcscope::bench {
namespace {

using sample::round_trip;
using sample::throughput;

class Rounds {
public:
    explicit Rounds(std::uint64_t seed) : random_(seed) {}
    std::vector<double> draw(double median, double sigma, std::size_t n = 5)
    {
        std::lognormal_distribution<double> distribution(std::log(median), sigma);
        std::vector<double> values(n);
        for (double& value : values) value = distribution(random_);
        return values;
    }

private:
    std::mt19937_64 random_;
};

Run run_of(std::vector<CaseResult> results)
{
    Run run;
    run.results = std::move(results);
    return run;
}

Verdict verdict_of(const CaseResult& a, const CaseResult& b, double percent = 10)
{
    return compare(run_of({a}), run_of({b}), percent).changes.at(0).verdict;
}

CaseResult pipe(const std::vector<double>& values)
{
    return sample::result(round_trip("pipe", 1, Distance::same_cpu), values);
}

CaseResult pipe_rate(const std::vector<double>& values)
{
    return sample::result(throughput("pipe", 64, Distance::same_cpu), values);
}

/// The median of all ratios is another: what is shown is that of the medians beside it.
TEST(Compare, TheChangeIsThatOfTheMedians)
{
    const auto change =
        compare(run_of({pipe({100, 100, 100, 90, 80})}), run_of({pipe({100, 100, 105, 110, 120})}))
            .changes.at(0);
    EXPECT_DOUBLE_EQ(change.ratio->median, change.b->median / change.a->median);
    EXPECT_LE(change.ratio->low, change.ratio->median);
    EXPECT_GE(change.ratio->high, change.ratio->median);
}

std::size_t verdicts(double sigma, double shift, Verdict verdict, std::size_t trials)
{
    Rounds rounds(static_cast<std::uint64_t>(sigma * 1000 + shift * 10));
    std::size_t found = 0;
    for (std::size_t trial = 0; trial < trials; trial++)
        found += verdict_of(pipe(rounds.draw(2000, sigma)),
                            pipe(rounds.draw(2000 * shift, sigma))) == verdict;
    return found;
}

TEST(Compare, TheSameIsNotWorse)
{
    EXPECT_EQ(verdicts(0.03, 1, Verdict::worse, 5000), 0u);
    EXPECT_EQ(verdicts(0.03, 1, Verdict::better, 5000), 0u);
    // However noisy: at most the 0.4 % on either side that 99.2 % leave.
    EXPECT_LE(verdicts(0.3, 1, Verdict::worse, 5000), 20u + 18u);
    EXPECT_LE(verdicts(0.3, 1, Verdict::better, 5000), 20u + 18u);
}

TEST(Compare, AFifthIsFound)
{
    EXPECT_EQ(verdicts(0.02, 1.2, Verdict::worse, 1000), 1000u);
    EXPECT_EQ(verdicts(0.02, 1 / 1.2, Verdict::better, 1000), 1000u);
}

TEST(Compare, LessThanTheLimitIsTheSame)
{
    EXPECT_EQ(verdicts(0.005, 1.05, Verdict::same, 1000), 1000u);
    const auto a = pipe({100, 101, 102, 103, 104});
    const auto b = pipe({105, 106, 107, 108, 109});
    EXPECT_EQ(verdict_of(a, b), Verdict::same);
    EXPECT_EQ(verdict_of(a, b, 3), Verdict::worse);
    EXPECT_EQ(verdict_of(b, a, 3), Verdict::better);
    EXPECT_EQ(verdict_of(a, b, 0), Verdict::worse);
}

TEST(Compare, OfThroughputLessIsWorse)
{
    const auto much = pipe_rate({1000, 1010, 1020, 1030, 1040});
    const auto little = pipe_rate({800, 810, 820, 830, 840});
    EXPECT_EQ(verdict_of(much, little), Verdict::worse);
    EXPECT_EQ(verdict_of(little, much), Verdict::better);
    EXPECT_EQ(verdict_of(much, much), Verdict::same);
}

TEST(Compare, TooFewOrTooWideIsUnclear)
{
    EXPECT_EQ(verdict_of(pipe({100, 100, 100}), pipe({200, 200, 200})), Verdict::unclear);
    EXPECT_EQ(verdict_of(pipe({100, 100, 100, 100}), pipe({200, 200, 200, 200})),
              Verdict::worse);
    EXPECT_EQ(verdict_of(pipe({100, 120, 150, 90, 80}), pipe({100, 110, 160, 90, 85})),
              Verdict::unclear);
    // Beyond the limit by the median, but the rounds overlap.
    EXPECT_EQ(verdict_of(pipe({100, 100, 100, 100, 130}), pipe({120, 120, 120, 120, 120})),
              Verdict::unclear);
}

TEST(Compare, WhatIsNotInBoth)
{
    const auto pipes = pipe({1, 1, 1, 1, 1});
    const auto broken = sample::failed(pipes.what, "no such file");
    const auto other = sample::result(round_trip("fifo", 1, Distance::same_cpu), {1, 1});
    EXPECT_EQ(verdict_of(pipes, broken), Verdict::broken);
    EXPECT_EQ(verdict_of(broken, pipes), Verdict::unmeasured);
    EXPECT_EQ(verdict_of(broken, broken), Verdict::unmeasured);
    EXPECT_EQ(verdict_of(pipes, pipe({0, 1, 1, 1, 1})), Verdict::broken);

    const Comparison comparison = compare(run_of({pipes}), run_of({other}));
    ASSERT_EQ(comparison.changes.size(), 2u);
    EXPECT_EQ(comparison.changes[0].verdict, Verdict::only_b);
    EXPECT_EQ(comparison.changes[1].verdict, Verdict::only_a);
    EXPECT_TRUE(comparison.no_common_cases());
    EXPECT_FALSE(comparison.regressed());
    EXPECT_TRUE(compare(run_of({pipes}), run_of({broken})).regressed());
    EXPECT_FALSE(compare(run_of({pipes}), run_of({pipes})).no_common_cases());
    EXPECT_TRUE(compare(run_of({}), run_of({})).no_common_cases());
}

TEST(Compare, AMatrixIsMatchedByCpu)
{
    const bench::Run a = sample::matrix();
    bench::Run b = a;
    std::reverse(b.results.begin(), b.results.end());
    const Comparison comparison = compare(a, b);
    EXPECT_EQ(comparison.changes.size(), a.results.size());
    EXPECT_EQ(comparison.count(Verdict::same), a.results.size());
}

TEST(Compare, OtherCpusOfAnotherMachineAreStillCompared)
{
    auto b = pipe({1, 1, 1, 1, 1});
    b.what.placement.cpu_a = b.what.placement.cpu_b = 7;
    EXPECT_EQ(verdict_of(pipe({1, 1, 1, 1, 1}), b), Verdict::same);
}

TEST(Compare, TellsWhatDiffers)
{
    bench::Run a = sample::whole();
    bench::Run b = a;
    EXPECT_TRUE(compare(a, b).differences.empty());
    b.environment.kernel = "7.3.0";
    b.environment.cpus_allowed = {0};
    b.environment.load_average = 3;   // differs always
    b.interrupted = true;
    const Comparison comparison = compare(a, b);
    ASSERT_EQ(comparison.differences.size(), 2u);
    EXPECT_EQ(comparison.differences[0].what, "kernel");
    EXPECT_EQ(comparison.differences[0].b, "7.3.0");
    EXPECT_EQ(comparison.differences[1].a, "0,1,2,3");
    ASSERT_EQ(comparison.warnings.size(), 3u);
    EXPECT_EQ(comparison.warnings[0], "A: " + a.warnings[0]);
    EXPECT_EQ(comparison.warnings[2], "B: interrupted");
}

TEST(Key, HoldsAllButTheCpus)
{
    Case one;
    one.mechanism = "pipe";
    one.message_bytes = 1;
    EXPECT_EQ(key(one), "pipe/round_trip/1B/same_cpu");
    one.placement = {3, 9, Distance::other_cpu};
    one.message_bytes = 65'536;
    one.waiting = WaitMode::spin;
    one.threads = one.awake = true;
    one.rate_hz = 2500.5;
    EXPECT_EQ(key(one), "pipe/round_trip/64KiB/other_cpu/spin/threads/awake/2500.5Hz");
    Case many = throughput("posix-sem", 0, Distance::smt);
    many.producers = 4;
    EXPECT_EQ(key(many), "posix-sem/throughput/smt/4x1");
    Case call = round_trip("eventfd", 0, Distance::same_cpu);
    call.metric = Metric::call;
    EXPECT_EQ(key(call), "eventfd/call");
}

}  // namespace
}  // namespace ipcscope::bench
