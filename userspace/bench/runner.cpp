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
#include "bench/names.hpp"
#include "bench/stats.hpp"
#include "bench/supervisor.hpp"
#include "bench/worker.hpp"

namespace ipcscope::bench {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
/// A share of each slice that no sample comes from: caches, branch predictors,
/// the frequency governor.
constexpr std::uint64_t kWarmUpShare = 5;
/// A round's values farther than this from their median are marked.
constexpr double kNoisy = 0.10;

std::uint64_t ns_of(std::chrono::nanoseconds time)
{
    return static_cast<std::uint64_t>(time.count());
}

struct Unmap {
    void operator()(Shared* shared) const { munmap(shared, sizeof(Shared)); }
};
using SharedMemory = std::unique_ptr<Shared, Unmap>;

Result<SharedMemory> share()
{
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return fail(Exit::kernel, fmt::format("mmap: {}", std::strerror(errno)));
    }
    return SharedMemory(new (memory) Shared);
}

/// How much of a case makes one slice; found before its first round.
struct Amount {
    std::uint64_t group = 1;      ///< operations timed together
    double messages_per_ns = 0;   ///< Metric::throughput
};

/// What a round came to.
struct Outcome {
    bool interrupted = false;
    std::string failed;
    Round round;
    Histogram latency_ns;
};

class Bench {
public:
    Bench(const std::vector<Case>& cases, const Options& options, Progress& progress,
          Names& names, Shared& shared, HeldSignals& signals)
        : options_(options), progress_(progress), names_(names), shared_(shared),
          signals_(signals), amounts_(cases.size())
    {
        for (const Case& one : cases) {
            run_.results.push_back({.what = one});
        }
    }

    Run run();

private:
    void step(std::size_t which);
    std::optional<Outcome> calibrate(const Case& what, Amount& amount);
    Outcome round(const Case& what, const Amount& amount, std::uint64_t slice_ns);
    Outcome round_of(const Case& what, std::uint64_t slice_ns, std::uint64_t group,
                     std::uint64_t messages);
    Round figures(const Case& what, const Histogram& ticks, std::uint64_t per_ns) const;
    std::uint64_t left_ns() const;
    std::uint64_t overhead_ns() const;
    std::uint64_t slice_ns() const;
    std::size_t going() const;
    unsigned rounds_in_time() const;
    void conclude();
    void warn_of_noise(std::uint64_t wall_ns, const CpuTimes& before);

    const Options& options_;
    Progress& progress_;
    Names& names_;
    Shared& shared_;
    HeldSignals& signals_;
    std::vector<Amount> amounts_;
    Run run_;
    std::uint64_t start_ns_ = 0;
    std::uint64_t overhead_ns_ = 0;   ///< time of all steps that was no slice
    std::size_t done_ = 0;
    std::size_t all_ = 0;
};

/// What is left of the budget.
std::uint64_t Bench::left_ns() const
{
    const std::uint64_t budget = ns_of(options_.budget);
    const std::uint64_t used = monotonic_ns() - start_ns_;
    return budget > used ? budget - used : 0;
}

/// What making and ending workers costs each step, whatever is measured.
std::uint64_t Bench::overhead_ns() const { return done_ ? overhead_ns_ / done_ : 0; }

/// An equal share of what is left for each step that is left.
std::uint64_t Bench::slice_ns() const
{
    const std::uint64_t share = left_ns() / std::max<std::size_t>(all_ - done_, 1);
    const std::uint64_t cost = done_ ? std::min(share / 2, overhead_ns()) : share / 10;
    return std::clamp(share - cost, ns_of(kLeastSlice), kSecond);
}

/// After the first round: how many there will be.
unsigned Bench::rounds_in_time() const
{
    const std::uint64_t step = ns_of(kGoodSlice) + overhead_ns();
    const std::uint64_t more = left_ns() / (step * std::max<std::size_t>(going(), 1));
    return static_cast<unsigned>(
        std::clamp<std::uint64_t>(1 + more, options_.least_rounds, options_.most_rounds));
}

/// Cases that have not failed.
std::size_t Bench::going() const
{
    return static_cast<std::size_t>(std::ranges::count_if(
        run_.results, [](const CaseResult& result) { return !result.failed; }));
}

/// What the workers told, their latencies in ticks.
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

/// Everything that was sent has come: by count, and by the sum of the numbers.
bool all_arrived(const Case& what, const Shared& shared)
{
    if (what.metric != Metric::throughput) {
        return true;
    }
    // Short messages show only the low bytes of their number, if any.
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

Outcome Bench::round_of(const Case& what, std::uint64_t slice, std::uint64_t group,
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
    std::optional<Awake> awake;
    if (what.awake) {
        awake.emplace(std::vector{what.placement.cpu_a, what.placement.cpu_b}, signals_);
    }
    const CpuTimes before = cpu_times();
    // Emulated guests take their time to fork; a mechanism that hangs is not slow.
    const Ending ending =
        run_workers(job, signals_, monotonic_ns() + 20 * slice + 10 * kSecond);
    Outcome outcome{.interrupted = ending.interrupted, .failed = ending.failed};
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

Outcome Bench::round(const Case& what, const Amount& amount, std::uint64_t slice)
{
    std::uint64_t messages = 0;
    if (what.metric == Metric::throughput) {
        const auto fit = static_cast<std::uint64_t>(amount.messages_per_ns *
                                                    static_cast<double>(slice));
        // Each producer's share is whole, and the warm-up's too.
        const std::uint64_t unit = what.producers * kWarmUpShare;
        messages = std::max<std::uint64_t>(fit / unit, 2) * unit;
    }
    return round_of(what, slice, amount.group, messages);
}

/// @return what went wrong, if anything
std::optional<Outcome> Bench::calibrate(const Case& what, Amount& amount)
{
    const std::uint64_t least = ns_of(kLeastSlice);
    const bool spins = what.metric == Metric::round_trip && what.waiting == Waiting::spin &&
                       what.rate_hz == 0;
    if (what.metric == Metric::call || spins) {
        Outcome outcome = round_of(what, least / 2, 1, 0);
        if (outcome.interrupted || !outcome.failed.empty()) {
            return outcome;
        }
        // The clock takes its part of every group: at most a fiftieth.
        const double wanted = 50 * run_.environment.clock_cost_ns;
        const double one = std::max(1.0, outcome.round.value);
        amount.group = std::clamp<std::uint64_t>(
            static_cast<std::uint64_t>(std::ceil(wanted / one)), 1, 1024);
    } else if (what.metric == Metric::throughput) {
        // Four times as many until it takes long enough to tell; twice, for a short
        // one can be held up by whatever else the CPU does.
        std::uint64_t count = 20;
        for (int long_enough = 0; long_enough < 2;) {
            const std::uint64_t messages = count * what.producers * kWarmUpShare;
            Outcome outcome = round_of(what, least, 1, messages);
            if (outcome.interrupted || !outcome.failed.empty()) {
                return outcome;
            }
            amount.messages_per_ns = outcome.round.value / 1e9;
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

/// A whole round tells better than the calibration how many messages fill a slice;
/// one that was too short tells too many.
void refine(Amount& amount, const Round& round, const Case& what)
{
    constexpr double kAtOnce = 4;
    if (what.metric == Metric::throughput && round.value > 0) {
        amount.messages_per_ns =
            std::min(round.value / 1e9, kAtOnce * amount.messages_per_ns);
    }
}

void Bench::step(std::size_t which)
{
    CaseResult& result = run_.results[which];
    progress_.step(done_, all_, result.what);
    const bool first = result.rounds.empty();
    std::optional<Outcome> outcome;
    if (first) {
        outcome = calibrate(result.what, amounts_[which]);
    }
    if (!outcome) {
        const std::uint64_t slice = slice_ns(), from = monotonic_ns();
        outcome = round(result.what, amounts_[which], slice);
        const std::uint64_t took = monotonic_ns() - from;
        overhead_ns_ += took - std::min(took, slice);
    }
    done_++;
    if (outcome->interrupted) {
        run_.interrupted = true;
    } else if (!outcome->failed.empty()) {
        result.failed = outcome->failed;
    } else {
        refine(amounts_[which], outcome->round, result.what);
        result.rounds.push_back(outcome->round);
        result.latency_ns.merge(outcome->latency_ns);
    }
}

void Bench::conclude()
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

void Bench::warn_of_noise(std::uint64_t wall_ns, const CpuTimes& before)
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
    run_.environment = look_at_environment();
    run_.environment.ipcns = options_.ipcns;
    start_ns_ = monotonic_ns();
    const CpuTimes before = cpu_times();
    unsigned rounds = options_.most_rounds;
    for (unsigned round = 0; round < rounds && !run_.interrupted; round++) {
        if (round == 1) rounds = rounds_in_time();
        all_ = done_ + going() * (rounds - round);
        for (std::size_t i = 0; i < run_.results.size() && !run_.interrupted; i++) {
            if (!run_.results[i].failed) step(i);
        }
    }
    const std::uint64_t wall_ns = monotonic_ns() - start_ns_;
    run_.elapsed_s = static_cast<double>(wall_ns) / 1e9;
    conclude();
    warn_of_noise(wall_ns, before);
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
    HeldSignals signals;
    auto names = Names::start();
    if (!names) {
        return tl::unexpected(names.error());
    }
    auto shared = share();
    if (!shared) {
        return tl::unexpected(shared.error());
    }
    return Bench(cases, options, progress, **names, **shared, signals).run();
}

}  // namespace ipcscope::bench
