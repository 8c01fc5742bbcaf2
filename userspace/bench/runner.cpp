// SPDX-License-Identifier: GPL-2.0-only
#include "bench/runner.hpp"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <optional>

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "bench/environment.hpp"
#include "bench/ipc_namespace.hpp"
#include "bench/name_registry.hpp"
#include "bench/stats.hpp"
#include "bench/supervisor.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
/// Fraction of each slice without samples: warms up caches, branch predictors and the
/// frequency governor.
constexpr std::uint64_t kWarmUpShare = 5;
/// A round is marked noisy if it is farther than this from the median of the rounds.
constexpr double kNoisy = 0.10;

std::uint64_t ns_of(std::chrono::nanoseconds time)
{
    return static_cast<std::uint64_t>(time.count());
}

struct Unmap {
    void operator()(Shared* shared) const { munmap(shared, sizeof(Shared)); }
};
using SharedMemory = std::unique_ptr<Shared, Unmap>;

Result<SharedMemory> map_shared()
{
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return fail(Exit::kernel, fmt::format("mmap: {}", std::strerror(errno)));
    }
    return SharedMemory(new (memory) Shared);
}

/// How many operations of a case fill one slice; calibrated before its first round.
struct SliceSize {
    std::uint64_t group = 1;      ///< operations timed together
    double messages_per_ns = 0;   ///< Metric::throughput
};

/// The result of one round.
struct RoundResult {
    bool interrupted = false;
    std::string failed;
    Round round;
    Histogram latency_ns;
};

class Bench {
public:
    Bench(const std::vector<Case>& cases, const Options& options, Progress& progress,
          NameRegistry& names, Shared& shared, BlockedSignals& signals)
        : options_(options), progress_(progress), names_(names), shared_(shared),
          signals_(signals), slice_sizes_(cases.size())
    {
        for (const Case& one : cases) {
            run_.results.push_back({.what = one});
        }
    }

    Run run();

private:
    void step(std::size_t which);
    std::optional<RoundResult> calibrate(const Case& what, SliceSize& size);
    RoundResult round(const Case& what, const SliceSize& size, std::uint64_t slice_ns);
    RoundResult round_of(const Case& what, std::uint64_t slice_ns, std::uint64_t group,
                     std::uint64_t messages);
    Round figures(const Case& what, const Histogram& ticks, std::uint64_t per_ns) const;
    std::uint64_t left_ns() const;
    std::uint64_t overhead_ns() const;
    std::uint64_t slice_ns() const;
    std::size_t active_cases() const;
    unsigned rounds_in_time() const;
    void compute_estimates();
    void warn_if_noisy(std::uint64_t wall_ns, const CpuTimes& before);

    const Options& options_;
    Progress& progress_;
    NameRegistry& names_;
    Shared& shared_;
    BlockedSignals& signals_;
    std::vector<SliceSize> slice_sizes_;
    Run run_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t overhead_ns_ = 0;   ///< time of all steps that was no slice
    std::size_t done_ = 0;
    std::size_t all_ = 0;
};

/// Remaining budget.
std::uint64_t Bench::left_ns() const
{
    const std::uint64_t budget = ns_of(options_.budget);
    const std::uint64_t used = monotonic_ns() - start_ns_;
    return budget > used ? budget - used : 0;
}

/// Mean cost of starting and ending the workers in a step.
std::uint64_t Bench::overhead_ns() const { return done_ ? overhead_ns_ / done_ : 0; }

/// An equal share of the remaining budget for each remaining step.
std::uint64_t Bench::slice_ns() const
{
    const std::uint64_t share = left_ns() / std::max<std::size_t>(all_ - done_, 1);
    const std::uint64_t cost = done_ ? std::min(share / 2, overhead_ns()) : share / 10;
    return std::clamp(share - cost, ns_of(kMinSlice), kSecond);
}

/// The number of rounds, computed after the first one.
unsigned Bench::rounds_in_time() const
{
    const std::uint64_t step = ns_of(kPreferredSlice) + overhead_ns();
    const std::uint64_t more = left_ns() / (step * std::max<std::size_t>(active_cases(), 1));
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(1 + more, options_.min_rounds, options_.max_rounds));
}

/// Cases that have not failed.
std::size_t Bench::active_cases() const
{
    return static_cast<std::size_t>(std::ranges::count_if(
        run_.results, [](const CaseResult& result) { return !result.failed; }));
}

/// The round's values from the workers' reports; `ticks`: their latencies.
Round Bench::figures(const Case& what, const Histogram& ticks, std::uint64_t per_ns) const
{
    Round round;
    for (unsigned i = 0; i < workers(what); i++) {
        round.involuntary_switches += shared_.reports[i].involuntary_switches;
    }
    if (what.metric != Metric::throughput) {
        round.value = ticks.interpolated(0.5) / static_cast<double>(per_ns);
        round.messages = ticks.count();
        return round;
    }
    std::uint64_t received = 0;
    for (unsigned i = what.producers; i < workers(what); i++) {
        received += shared_.reports[i].messages;
    }
    const std::uint64_t from = shared_.window_from_ns.value, to = shared_.window_to_ns.value;
    round.messages = received - received / kWarmUpShare;
    round.wall_ns = to > from ? to - from : 0;
    round.value = round.wall_ns ? static_cast<double>(round.messages) * 1e9 /
                                      static_cast<double>(round.wall_ns)
                                : 0;
    return round;
}

/// Whether every message arrived, by the count and by the sum of the numbers.
bool all_arrived(const Case& what, const Shared& shared)
{
    if (what.metric != Metric::throughput) {
        return true;
    }
    // Short messages hold only the low bytes of their number.
    const std::uint64_t mask = what.message_bytes >= sizeof(std::uint64_t)
                                   ? UINT64_MAX
                                   : (std::uint64_t{1} << 8 * what.message_bytes) - 1;
    std::uint64_t count = 0, sum = 0;
    for (unsigned i = 0; i < workers(what); i++) {
        const WorkerReport& report = shared.reports[i];
        count += i < what.producers ? report.messages : -report.messages;
        sum += i < what.producers ? report.numbers : -report.numbers;
    }
    return count == 0 && (sum & mask) == 0;
}

RoundResult Bench::round_of(const Case& what, std::uint64_t slice, std::uint64_t group,
                        std::uint64_t messages)
{
    const Mechanism* mechanism = find_mechanism(what.mechanism);
    if (!mechanism) {
        return {.failed = "no such mechanism"};
    }
    new (&shared_) Shared;
    auto channel = mechanism->create({.message_bytes = what.message_bytes,
                                      .waiting = what.waiting,
                                      .threads = what.threads,
                                      .one_direction = what.metric == Metric::throughput,
                                      .producers = what.producers,
                                      .consumers = what.consumers,
                                      .names = names_});
    if (!channel) {
        return {.failed = channel.error().message};
    }
    const Job job{.what = what,
                  .channel = **channel,
                  .shared = shared_,
                  .warm_up_ns = slice / kWarmUpShare,
                  .slice_ns = slice - slice / kWarmUpShare,
                  .group = group,
                  .messages = messages,
                  .warm_up_messages = messages / kWarmUpShare};
    std::optional<IdleInhibitor> awake;
    if (what.awake) {
        awake.emplace(std::vector{what.placement.cpu_a, what.placement.cpu_b}, signals_);
    }
    const CpuTimes before = cpu_times();
    // fork() is slow in emulated guests, so the limit is far above the slice.
    const WorkersResult ending =
        run_workers(job, signals_, monotonic_ns() + 20 * slice + 10 * kSecond);
    RoundResult outcome{.interrupted = ending.interrupted, .failed = ending.failed};
    if (ending.interrupted || !ending.failed.empty()) {
        return outcome;
    }
    if ((*channel)->drained() != 0 || !all_arrived(what, shared_)) {
        outcome.failed = "what arrived is not what was sent (counted at the end)";
        return outcome;
    }
    const Histogram ticks = shared_.latency.histogram();
    outcome.latency_ns = job.ticks_per_ns() == 1 ? ticks : ticks.divided(job.ticks_per_ns());
    outcome.round = figures(what, ticks, job.ticks_per_ns());
    if (options_.observer) {
        options_.observer->measured(what, {shared_.reports[0].self, shared_.reports[1].self,
                                           shared_.window_from_ns.value,
                                           shared_.window_to_ns.value,
                                           outcome.latency_ns.count(),
                                           outcome.latency_ns.sum()});
    }
    outcome.round.stolen_ns = cpu_times().stolen_ns - before.stolen_ns;
    return outcome;
}

RoundResult Bench::round(const Case& what, const SliceSize& size, std::uint64_t slice)
{
    std::uint64_t messages = 0;
    if (what.metric == Metric::throughput) {
        const auto fit = static_cast<std::uint64_t>(size.messages_per_ns *
                                                    static_cast<double>(slice));
        // A multiple of the producers and of the warm-up's fraction.
        const std::uint64_t unit = what.producers * kWarmUpShare;
        messages = std::max<std::uint64_t>(fit / unit, 2) * unit;
    }
    return round_of(what, slice, size.group, messages);
}

/// @return the failed round, if one failed
std::optional<RoundResult> Bench::calibrate(const Case& what, SliceSize& size)
{
    const std::uint64_t least = ns_of(kMinSlice);
    const bool spins = what.metric == Metric::round_trip && what.waiting == WaitMode::spin &&
                       what.rate_hz == 0;
    if (what.metric == Metric::call || spins) {
        RoundResult outcome = round_of(what, least / 2, 1, 0);
        if (outcome.interrupted || !outcome.failed.empty()) {
            return outcome;
        }
        // The clock reads take at most a fiftieth of a group's time.
        const double wanted = 50 * run_.environment.clock_cost_ns;
        const double one = std::max(1.0, outcome.round.value);
        size.group = std::clamp<std::uint64_t>(
            static_cast<std::uint64_t>(std::ceil(wanted / one)), 1, 1024);
    } else if (what.metric == Metric::throughput) {
        // Four times as many messages until a trial is long enough to measure the rate;
        // two such trials, since a short one can be delayed by other tasks on the CPU.
        std::uint64_t count = 20;
        for (int long_enough = 0; long_enough < 2;) {
            const std::uint64_t messages = count * what.producers * kWarmUpShare;
            RoundResult outcome = round_of(what, least, 1, messages);
            if (outcome.interrupted || !outcome.failed.empty()) {
                return outcome;
            }
            size.messages_per_ns = outcome.round.value / 1e9;
            if (outcome.round.wall_ns >= least / 4 || count > UINT32_MAX) {
                long_enough++;
            } else {
                long_enough = 0;
                count *= 4;
            }
        }
    }
    return std::nullopt;
}

/// Updates the rate from a whole round, which is more accurate than the calibration; a
/// round that was too short overestimates it.
void refine(SliceSize& size, const Round& round, const Case& what)
{
    constexpr double kAtOnce = 4;
    if (what.metric == Metric::throughput && round.value > 0) {
        size.messages_per_ns =
            std::min(round.value / 1e9, kAtOnce * size.messages_per_ns);
    }
}

void Bench::step(std::size_t which)
{
    CaseResult& result = run_.results[which];
    progress_.step(done_, all_, result.what);
    const bool first = result.rounds.empty();
    std::optional<RoundResult> outcome;
    if (first) {
        outcome = calibrate(result.what, slice_sizes_[which]);
    }
    if (!outcome) {
        const std::uint64_t slice = slice_ns(), from = monotonic_ns();
        outcome = round(result.what, slice_sizes_[which], slice);
        const std::uint64_t took = monotonic_ns() - from;
        overhead_ns_ += took - std::min(took, slice);
    }
    done_++;
    if (outcome->interrupted) {
        run_.interrupted = true;
    } else if (!outcome->failed.empty()) {
        result.failed = outcome->failed;
    } else {
        refine(slice_sizes_[which], outcome->round, result.what);
        result.rounds.push_back(outcome->round);
        result.latency_ns.merge(outcome->latency_ns);
    }
}

void Bench::compute_estimates()
{
    for (CaseResult& result : run_.results) {
        std::vector<double> values;
        for (const Round& round : result.rounds) {
            values.push_back(round.value);
        }
        if (values.empty()) {
            continue;
        }
        result.estimate = estimate(values);
        for (Round& round : result.rounds) {
            round.noisy = round.stolen_ns > 0 ||
                          std::abs(round.value / result.estimate.median - 1) > kNoisy;
        }
    }
}

void Bench::warn_if_noisy(std::uint64_t wall_ns, const CpuTimes& before)
{
    const CpuTimes after = cpu_times();
    rusage children{}, self{};
    getrusage(RUSAGE_CHILDREN, &children);
    getrusage(RUSAGE_SELF, &self);
    double own_ns = 0;
    for (const timeval& time : {children.ru_utime, children.ru_stime, self.ru_utime,
                                self.ru_stime}) {
        own_ns += static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_usec) * 1e3;
    }
    const double whole = static_cast<double>(wall_ns) * run_.environment.cpus_online;
    const double others = static_cast<double>(after.busy_ns - before.busy_ns) - own_ns;
    if (others > 0.03 * whole) {
        run_.warnings.push_back(fmt::format(
            "the machine was not quiet: other programs used {:.0f} % of its CPUs",
            100 * others / whole));
    }
    const double stolen = static_cast<double>(after.stolen_ns - before.stolen_ns);
    if (stolen > 0.01 * whole) {
        run_.warnings.push_back(fmt::format(
            "the hypervisor took {:.0f} % of the CPUs away (steal time)",
            100 * stolen / whole));
    }
    std::size_t wide = 0, measured = 0;
    for (const CaseResult& result : run_.results) {
        measured += !result.rounds.empty();
        wide += std::any_of(result.rounds.begin(), result.rounds.end(),
                            [](const Round& round) { return round.noisy; });
    }
    if (wide * 10 > measured) {
        run_.warnings.push_back(fmt::format(
            "in {} of {} cases a round was more than {:.0f} % off its median: do not "
            "trust small differences", wide, measured, 100 * kNoisy));
    }
    const std::string& governor = run_.environment.governor;
    if (governor != "performance" && governor != "none") {
        run_.warnings.push_back(fmt::format(
            "the frequency governor is {}: cpupower frequency-set -g performance", governor));
    }
}

Run Bench::run()
{
    run_.environment = read_environment();
    run_.environment.ipcns = options_.ipcns;
    start_ns_ = monotonic_ns();
    const CpuTimes before = cpu_times();
    unsigned rounds = options_.max_rounds;
    for (unsigned round = 0; round < rounds && !run_.interrupted; round++) {
        if (round == 1) rounds = rounds_in_time();
        all_ = done_ + active_cases() * (rounds - round);
        for (std::size_t i = 0; i < run_.results.size() && !run_.interrupted; i++) {
            if (!run_.results[i].failed) step(i);
        }
    }
    const std::uint64_t wall_ns = monotonic_ns() - start_ns_;
    run_.elapsed_s = static_cast<double>(wall_ns) / 1e9;
    compute_estimates();
    warn_if_noisy(wall_ns, before);
    return std::move(run_);
}

}  // namespace

Result<Run> run(const std::vector<Case>& cases, const Options& options, Progress& progress)
{
    if (options.ipcns) {
        if (auto entered = enter_ipc_namespace(); !entered) {
            return tl::unexpected(entered.error());
        }
    }
    BlockedSignals signals;
    auto names = NameRegistry::start();
    if (!names) {
        return tl::unexpected(names.error());
    }
    auto shared = map_shared();
    if (!shared) {
        return tl::unexpected(shared.error());
    }
    return Bench(cases, options, progress, **names, **shared, signals).run();
}

}  // namespace ipcscope::bench
