// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_trace.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include <unistd.h>

#include "aggregate/round_trips.hpp"
#include "base/clock.hpp"
#include "base/family.hpp"
#include "bench/channel.hpp"
#include "cli/backend.hpp"
#include "decode/decode.hpp"
#include "decode/merge.hpp"
#include "source/source.hpp"

namespace ipcscope::cli {
namespace {

/// A round has to fit into the rings: they are not read while it runs, since the reader
/// would take CPU time from the measured workers.
constexpr std::size_t kRingBytes = 8 << 20;
constexpr double kRoundTrips = 1000;   ///< a round; less than 4 KiB of records each

/// The families of hooks that see the messages of a case; 0: none.
FamilyMask traced_by(const bench::Case& what)
{
    const bench::Mechanism* mechanism = bench::find_mechanism(what.mechanism);
    if (!mechanism || what.metric != bench::Metric::round_trip || what.rate_hz != 0) return 0;
    const FamilyMask families = mechanism->traced_by;
    if ((families & IPCSCOPE_FAMILY_FUTEX) == 0) return families;
    // Who spins on a word makes no call; threads use private futexes.
    if (what.waiting == bench::WaitMode::spin) return families & ~IPCSCOPE_FAMILY_FUTEX;
    return what.threads ? families | IPCSCOPE_FAMILY_FUTEX_ALL : families;
}

/// The records of these families, a bit for each kind.
std::uint64_t kinds_of(FamilyMask families)
{
    std::uint64_t kinds = 0;
    for (const Family& family : kFamilies) {
        if ((families & family.mask()) != 0) kinds |= family.kinds;
    }
    return kinds;
}

aggregate::RoundTrips split(const bench::Case& what, const bench::Observed& seen,
                            std::span<const decode::Event> events)
{
    const FamilyMask families = traced_by(what);
    const auto a = static_cast<std::uint32_t>(seen.a.tid);
    const auto b = static_cast<std::uint32_t>(seen.b.tid);
    if ((families & IPCSCOPE_FAMILY_SIGNALS) != 0) {
        return aggregate::split_signals(events, a, b, seen.from_ns, seen.to_ns);
    }
    return aggregate::split_calls(events, kinds_of(families), a, b, seen.from_ns, seen.to_ns);
}

/// The events of a round, in the order of time, and what was lost until now.
class EventCollector final : public source::Sink {
public:
    EventCollector() : merger_([this](const decode::Event& event) { events_.push_back(event); })
    {
    }

    Result<void> host(const source::Host&) override { return {}; }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        while (!bytes.empty()) {
            auto decoded = decode::decode(cpu, bytes);
            if (!decoded) {
                return fail(Exit::kernel, "a record of the tracer cannot be decoded");
            }
            merger_.add(std::move(decoded->event));
            bytes = bytes.subspan(decoded->size);
        }
        return {};
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        merger_.watermark(time_ns);
        complete_ns_ = time_ns;
        return {};
    }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        lost_ = 0;
        for (const ipcscope_ledger& cpu : ledger) {
            lost_ += cpu.lost;
        }
        return {};
    }
    Result<void> end(std::uint64_t) override { return {}; }

    const std::vector<decode::Event>& events() const { return events_; }
    std::uint64_t complete_ns() const { return complete_ns_; }
    std::uint64_t lost() const { return lost_; }
    void clear() { events_.clear(); }

private:
    std::vector<decode::Event> events_;
    decode::Merger merger_;
    std::uint64_t complete_ns_ = 0;
    std::uint64_t lost_ = 0;
};

/// Sums the parts of each case over its rounds.
class KernelObserver final : public bench::Observer {
public:
    KernelObserver(source::Source& source, const std::vector<bench::Case>& cases)
        : source_(source), sums_(cases.size()), cases_(cases)
    {
    }

    void measured(const bench::Case& what, const bench::Observed& seen) override
    {
        const auto at = std::find(cases_.begin(), cases_.end(), what);
        if (failed_ || at == cases_.end()) {
            return;
        }
        // Wait until the watermark has passed the newest records.
        const std::uint64_t give_up = monotonic_ns() + 2'000'000'000;
        while (events_.complete_ns() <= seen.to_ns && monotonic_ns() < give_up) {
            if (auto more = source_.poll(events_, std::chrono::milliseconds(1)); !more) {
                failed_ = more.error();
                return;
            }
        }
        Sum& sum = sums_[static_cast<std::size_t>(at - cases_.begin())];
        const aggregate::RoundTrips trips = split(what, seen, events_.events());
        sum.trips.count += trips.count;
        sum.trips.left_out += trips.left_out;
        sum.trips.total_ns += trips.total_ns;
        for (std::size_t i = 0; i < trips.ns.size(); i++) {
            sum.trips.ns[i] += trips.ns[i];
        }
        sum.lost += events_.lost() - lost_;
        sum.samples += seen.count;
        sum.user_ns += seen.sum_ns;
        lost_ = events_.lost();
        events_.clear();
    }

    /// The result of a case.
    bench::KernelView view(std::size_t which) const;
    const std::optional<Error>& failed() const { return failed_; }

private:
    struct Sum {
        aggregate::RoundTrips trips;
        std::uint64_t lost = 0;
        std::uint64_t samples = 0;
        std::uint64_t user_ns = 0;
    };

    source::Source& source_;
    EventCollector events_;
    std::vector<Sum> sums_;
    const std::vector<bench::Case>& cases_;
    std::uint64_t lost_ = 0;
    std::optional<Error> failed_;
};

double per(std::uint64_t sum, std::uint64_t count)
{
    return count ? static_cast<double>(sum) / static_cast<double>(count) : 0;
}

bench::KernelView KernelObserver::view(std::size_t which) const
{
    const Sum& sum = sums_[which];
    bench::KernelView view;
    view.round_trips = sum.trips.count;
    view.left_out = sum.trips.left_out;
    view.lost = sum.lost;
    view.kernel_ns = per(sum.trips.total_ns, sum.trips.count);
    view.user_ns = per(sum.user_ns, sum.samples);
    for (std::size_t i = 0; i < aggregate::kStretches; i++) {
        // Calls have no stretch that only signals have, and the other way round.
        if (sum.trips.ns[i]) {
            view.parts.push_back({std::string(aggregate::name(static_cast<aggregate::Stretch>(i))),
                                  per(sum.trips.ns[i], sum.trips.count)});
        }
    }
    return view;
}

}  // namespace

std::vector<std::string> traceable_mechanisms()
{
    std::vector<std::string> names;
    for (const bench::Mechanism& mechanism : bench::mechanisms()) {
        if (mechanism.traced_by != 0) names.emplace_back(mechanism.name);
    }
    return names;
}

Result<void> add_kernel_views(bench::Run& run, const bench::Options& options,
                              bench::Progress& progress)
{
    std::vector<bench::Case> cases;
    FamilyMask families = 0;
    std::chrono::nanoseconds budget{0};
    for (const bench::CaseResult& result : run.results) {
        if (!result.rounds.empty() && traced_by(result.what) != 0) {
            cases.push_back(result.what);
            families |= traced_by(result.what);
            budget += options.min_rounds *
                      std::chrono::nanoseconds(std::llround(kRoundTrips * result.estimate.median));
        }
    }
    if (cases.empty()) {
        return {};
    }
    // The workers are children of this process, and children are traced too.
    source::Options trace;
    trace.command_pid = static_cast<std::uint32_t>(getpid());
    trace.families = families;
    trace.ring_bytes = kRingBytes;
    auto source = open_backend("auto", trace);
    if (!source) {
        return tl::unexpected(source.error());
    }
    KernelObserver observer(**source, cases);
    bench::Options traced = options;
    traced.max_rounds = options.min_rounds;
    traced.budget = budget;
    traced.ipcns = false;   // it is in one already
    traced.observer = &observer;
    auto again = bench::run(cases, traced, progress);
    if (!again) {
        return tl::unexpected(again.error());
    }
    if (observer.failed()) {
        return tl::unexpected(*observer.failed());
    }
    run.interrupted |= again->interrupted;
    run.elapsed_s += again->elapsed_s;
    for (bench::CaseResult& result : run.results) {
        const auto at = std::find(cases.begin(), cases.end(), result.what);
        if (at != cases.end()) {
            result.kernel = observer.view(static_cast<std::size_t>(at - cases.begin()));
            result.kernel->untraced_ns = per(result.latency_ns.sum(), result.latency_ns.count());
        }
    }
    return {};
}

}  // namespace ipcscope::cli
