// SPDX-License-Identifier: GPL-2.0-only
#include "bench/plan.hpp"

#include <algorithm>
#include <numeric>

#include <fnmatch.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/safe_text.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

constexpr std::size_t kThroughputSizes[] = {64, 4 << 10, 64 << 10, 1 << 20};
/// One cache line, a typical small record in shared memory.
constexpr std::size_t kSharedMemoryBytes = 64;

bool carries_bytes(const Mechanism& mechanism) { return mechanism.max_message != 0; }

std::size_t smallest_useful(const Mechanism& mechanism)
{
    const std::size_t wanted = mechanism.family == Family::shared_memory ? kSharedMemoryBytes
                                                                         : 1;
    return std::clamp(wanted, mechanism.min_message, mechanism.max_message);
}

bool fits(const Mechanism& mechanism, std::size_t bytes)
{
    return bytes >= mechanism.min_message && bytes <= mechanism.max_message && bytes != 0;
}

/// Optimal string alignment distance: insertions, deletions, substitutions and
/// transpositions.
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> before, last(b.size() + 1), now(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); i++) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); j++) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before = std::exchange(last, now);
    }
    return last[b.size()];
}

/// A mechanism to measure, and whether the request names it in full.
struct Selection {
    const Mechanism* mechanism;
    bool by_name;
};

bool is_glob(std::string_view name) { return name.find_first_of("*?[") != name.npos; }

Error unknown(const std::string& name, std::span<const Mechanism> mechanisms)
{
    const std::string safe = SafeText::escape(name).str();
    if (is_glob(name))
        return {Exit::usage, fmt::format("no mechanism matches '{}': ipcscope bench --list "
                                         "shows all", safe)};
    if (name == "all") return {Exit::usage, "no mechanism is called 'all': did you mean --all?"};
    const auto near = nearest(name, mechanisms);
    if (near.empty())
        return {Exit::usage, fmt::format("no mechanism is called '{}': ipcscope bench --list "
                                         "shows all", safe)};
    return {Exit::usage, fmt::format("no mechanism is called '{}'; near it: {}", safe,
                                     fmt::join(near, ", "))};
}

/// In the order of the list, each once.
Result<std::vector<Selection>> choose(const Request& request, std::span<const Mechanism> mechanisms)
{
    const std::vector<std::string>& names = request.names;
    if (request.all && !names.empty())
        return fail(Exit::usage, "--all goes without names, of which each is measured");
    std::vector<Selection> chosen;
    std::vector<bool> matched(names.size(), false);
    for (const Mechanism& mechanism : mechanisms) {
        bool wanted = names.empty() && (request.all || !mechanism.other_mapping);
        bool by_name = false;
        const std::string own(mechanism.name);
        for (std::size_t at = 0; at < names.size(); at++) {
            if (fnmatch(names[at].c_str(), own.c_str(), 0) != 0) continue;
            wanted = matched[at] = true;
            by_name = by_name || names[at] == own;
        }
        if (wanted) chosen.push_back({&mechanism, by_name});
    }
    for (std::size_t at = 0; at < names.size(); at++) {
        if (!matched[at]) return tl::unexpected(unknown(names[at], mechanisms));
    }
    return chosen;
}

/// The CPUs of the cases: single CPUs, and pairs of different ones.
struct Placements {
    std::vector<Placement> same;
    std::vector<Placement> other_cpu;
};

/// Two cores where there are two, else two hardware threads of one.
std::optional<Placement> farthest_pair(const Machine& machine)
{
    std::optional<Placement> best;
    for (std::size_t at = 1; at < machine.cpus.size(); at++) {
        const unsigned a = machine.cpus[0];
        const unsigned b = machine.cpus[at];
        const Distance distance = machine.distance(a, b);
        if (!best || distance > best->distance) best = Placement{a, b, distance};
    }
    return best;
}

Placements all_placements(const Machine& machine)
{
    Placements placements;
    for (std::size_t i = 0; i < machine.cpus.size(); i++) {
        const unsigned a = machine.cpus[i];
        placements.same.push_back({a, a, Distance::same_cpu});
        for (std::size_t j = i + 1; j < machine.cpus.size(); j++) {
            const unsigned b = machine.cpus[j];
            placements.other_cpu.push_back({a, b, machine.distance(a, b)});
        }
    }
    return placements;
}

Result<Placements> select_placements(const Request& request, const Machine& machine)
{
    if (machine.cpus.empty()) return fail(Exit::kernel, "no CPU that this process may run on");
    if (request.matrix) return all_placements(machine);
    Placements found;
    if (!request.cpus) {
        found.same.push_back({machine.cpus[0], machine.cpus[0], Distance::same_cpu});
        if (const auto pair = farthest_pair(machine)) found.other_cpu.push_back(*pair);
        return found;
    }
    const auto [a, b] = *request.cpus;
    for (const unsigned cpu : {a, b}) {
        if (std::ranges::find(machine.cpus, cpu) == machine.cpus.end())
            return fail(Exit::usage, fmt::format("CPU {} is not one that this process may run "
                                                 "on; those are {}", cpu,
                                                 fmt::join(machine.cpus, ",")));
    }
    found.same.push_back({a, a, Distance::same_cpu});
    if (a != b) found.other_cpu.push_back({a, b, machine.distance(a, b)});
    return found;
}

/// Each once, in the order given.
template <typename Value> std::vector<Value> unique(const std::vector<Value>& values)
{
    std::vector<Value> once;
    for (const Value& value : values) {
        if (std::ranges::find(once, value) == once.end()) once.push_back(value);
    }
    return once;
}

std::vector<Metric> metrics(const Request& request)
{
    if (!request.metrics.empty()) return unique(request.metrics);
    if (request.producers != 1 || request.consumers != 1) return {Metric::throughput};
    if (request.matrix || request.rate_hz != 0) return {Metric::round_trip};
    if (request.quick) return {Metric::call, Metric::round_trip};
    return {Metric::call, Metric::round_trip, Metric::throughput};
}

/// Builds the cases of one mechanism.
class Planner {
public:
    Planner(const Request& request, const Placements& placements, Selection chosen, Plan& plan)
        : request_(request), placements_(placements), mechanism_(*chosen.mechanism),
          by_name_(chosen.by_name), plan_(plan)
    {
    }

    void add(Metric metric)
    {
        Case one;
        one.mechanism = mechanism_.name;
        one.metric = metric;
        one.waiting = request_.spin || !mechanism_.blocks ? WaitMode::spin : WaitMode::block;
        one.threads = request_.threads && metric != Metric::call;
        if (metric == Metric::throughput) {
            one.producers = request_.producers;
            one.consumers = request_.consumers;
        } else if (metric != Metric::call) {
            one.rate_hz = request_.rate_hz;
        }
        // Metrics that were not requested are measured only where the mechanism has them.
        if (!has(metric)) {
            if (!request_.metrics.empty()) refuse(one, unsupported_metric(metric));
            return;
        }
        if (const std::string why = unsupported_reason(one); !why.empty()) {
            refuse(one, why);
            return;
        }
        add_sizes(one);
    }

private:
    /// Why the mechanism cannot run such a case; empty if it can.
    std::string unsupported_reason(const Case& one) const
    {
        if (one.waiting == WaitMode::spin && !mechanism_.spins && mechanism_.blocks)
            return "it cannot spin: leave --spin out";
        if (one.threads && !mechanism_.threads)
            return "it does not work between threads: leave --threads out";
        if (one.waiting == WaitMode::spin && one.metric != Metric::call &&
            placements_.other_cpu.empty())
            return "spinning takes two CPUs, and there is one to run on";
        if ((one.producers > 1 || one.consumers > 1) && !mechanism_.mpmc)
            return "it has one producer and one consumer: leave --producers and "
                   "--consumers out";
        return {};
    }

    bool has(Metric metric) const
    {
        if (metric == Metric::call) return mechanism_.single_thread;
        return metric != Metric::throughput || mechanism_.throughput;
    }

    static std::string unsupported_metric(Metric metric)
    {
        return metric == Metric::call
                   ? "one thread cannot do both ends: take --metric round-trip"
                   : "each message must be answered: take --metric round-trip";
    }

    void add_sizes(Case one)
    {
        if (!carries_bytes(mechanism_)) {
            add_placements(one);
            return;
        }
        for (const std::size_t bytes : sizes(one.metric)) {
            one.message_bytes = bytes;
            if (!fits(mechanism_, bytes))
                refuse(one, size_error(bytes));
            else if (one.metric == Metric::call && bytes > mechanism_.single_thread_max)
                refuse(one, fmt::format("one thread cannot do both ends: it holds {}",
                                        format_size(mechanism_.single_thread_max)));
            else
                add_placements(one);
        }
    }

    std::vector<std::size_t> sizes(Metric metric) const
    {
        if (!request_.sizes.empty()) return unique(request_.sizes);
        if (metric != Metric::throughput) return {smallest_useful(mechanism_)};
        std::vector<std::size_t> some;
        for (const std::size_t bytes : kThroughputSizes) {
            if (fits(mechanism_, bytes) && bytes <= mechanism_.default_max)
                some.push_back(bytes);
        }
        if (some.empty()) some.push_back(smallest_useful(mechanism_));
        return some;
    }

    std::string size_error(std::size_t bytes) const
    {
        if (bytes > mechanism_.max_message)
            return fmt::format("message larger than the mechanism takes: {} is the most",
                               format_size(mechanism_.max_message));
        return fmt::format("message smaller than the mechanism takes: {} is the least",
                           format_size(std::max<std::size_t>(1, mechanism_.min_message)));
    }

    void add_placements(Case one)
    {
        const auto add_all = [&](const std::vector<Placement>& where, bool awake) {
            for (const Placement& placement : where) {
                one.placement = placement;
                one.awake = awake;
                plan_.cases.push_back(one);
            }
        };
        if (one.metric == Metric::call) {
            // On every CPU only with --matrix.
            add_all(placements_.same, false);
            return;
        }
        // Two spinning ends on one CPU wait for each other's time slice to end.
        if (one.waiting == WaitMode::block) add_all(placements_.same, false);
        add_all(placements_.other_cpu, request_.awake);   // on one CPU it is busy anyway
    }

    void refuse(const Case& one, const std::string& why)
    {
        if (!by_name_) return;
        CaseResult result;
        result.what = one;
        if (one.metric != Metric::call && !placements_.other_cpu.empty())
            result.what.placement = placements_.other_cpu.front();
        else
            result.what.placement = placements_.same.front();
        result.failed = why;
        plan_.refused.push_back(std::move(result));
    }

    const Request& request_;
    const Placements& placements_;
    const Mechanism& mechanism_;
    bool by_name_;
    Plan& plan_;
};

}  // namespace

std::vector<std::string_view> nearest(std::string_view word,
                                      std::span<const Mechanism> mechanisms)
{
    constexpr std::size_t kMaxSuggestions = 3;
    const std::size_t limit = std::max<std::size_t>(2, word.size() / 3);
    const std::string_view one = word.ends_with('s') ? word.substr(0, word.size() - 1) : word;
    const auto is_in = [&](std::string_view text) {
        return one.size() >= 2 && text.find(one) != std::string_view::npos;
    };
    std::vector<std::pair<std::size_t, std::string_view>> found;
    for (const Mechanism& mechanism : mechanisms) {
        const std::size_t distance = edit_distance(word, mechanism.name);
        if (distance <= limit && distance < mechanism.name.size())
            found.emplace_back(distance, mechanism.name);
        else if (is_in(mechanism.name) || is_in(mechanism.title))
            found.emplace_back(limit + distance, mechanism.name);
    }
    std::ranges::stable_sort(found, {}, [](const auto& pair) { return pair.first; });
    found.resize(std::min(found.size(), kMaxSuggestions));
    std::vector<std::string_view> names;
    for (const auto& [distance, name] : found) names.push_back(name);
    return names;
}

Result<Plan> plan(const Request& request, std::span<const Mechanism> mechanisms,
                  const Machine& machine)
{
    const auto chosen = choose(request, mechanisms);
    if (!chosen) return tl::unexpected(chosen.error());
    const auto where = select_placements(request, machine);
    if (!where) return tl::unexpected(where.error());
    Plan made;
    for (const Selection& one : *chosen) {
        for (const Metric metric : metrics(request))
            Planner(request, *where, one, made).add(metric);
    }
    if (made.cases.empty() && made.refused.empty())
        return fail(Exit::usage, "no mechanism can do what was asked together: "
                                 "ipcscope bench --list shows what each can");
    return made;
}

}  // namespace ipcscope::bench
