// SPDX-License-Identifier: GPL-2.0-only
// The textbook comparison: each claim beside what was measured here.
#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "bench/output/claims.hpp"
#include "bench/output/page.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

/// One row: a mechanism with a size, however it was measured.
struct Line {
    Variant variant;
    const CaseResult* call = nullptr;
    const CaseResult* same = nullptr;    ///< round trips
    const CaseResult* other_cpu = nullptr;
    const CaseResult* throughput = nullptr;
    bool failed = false;
};

bool is_latency(const CaseResult& result)
{
    return result.what.metric == Metric::call || result.what.metric == Metric::round_trip;
}

/// A call is the same whether the ends of other cases are threads, spin or are
/// paced: it is shown in each row of its mechanism and size.
const CaseResult* find_call(const Run& run, const Variant& variant)
{
    for (const CaseResult& result : run.results) {
        if (result.what.metric == Metric::call && measured(result) &&
            result.what.mechanism == variant.mechanism &&
            result.what.message_bytes == variant.message_bytes)
            return &result;
    }
    return nullptr;
}

/// The best that was measured of this mechanism, at any size and distance.
const CaseResult* best_throughput(const Run& run, const Variant& variant)
{
    const CaseResult* best = nullptr;
    const auto rate = [](const CaseResult& result) {
        return result.what.message_bytes != 0 ? result.bytes_per_s() : result.estimate.median;
    };
    for (const CaseResult& result : run.results) {
        if (result.what.metric != Metric::throughput || !measured(result) ||
            result.what.mechanism != variant.mechanism ||
            result.what.threads != variant.threads || result.what.producers != 1 ||
            result.what.consumers != 1)
            continue;
        if (best == nullptr || rate(result) > rate(*best)) best = &result;
    }
    return best;
}

std::vector<Line> lines(const Page& page)
{
    auto wanted = variants(page, is_latency);
    // Calls have rows of their own only where no round trip has one for them.
    std::erase_if(wanted, [&](const Variant& variant) {
        const bool round_trip = std::ranges::any_of(page.run.results, [&](const auto& result) {
            return result.what.metric == Metric::round_trip && variant.fits(result.what);
        });
        const bool other = std::ranges::any_of(page.run.results, [&](const auto& result) {
            return result.what.metric == Metric::round_trip &&
                   result.what.mechanism == variant.mechanism &&
                   result.what.message_bytes == variant.message_bytes;
        });
        return !round_trip && other;
    });
    std::vector<Line> lines;
    for (const Variant& variant : wanted) {
        Line line{variant};
        line.call = find_call(page.run, variant);
        line.same = find(page.run, Metric::round_trip, variant, true);
        line.other_cpu = find(page.run, Metric::round_trip, variant, false);
        line.throughput = best_throughput(page.run, variant);
        line.failed = std::ranges::any_of(page.run.results, [&](const CaseResult& result) {
            return result.failed && is_latency(result) && variant.fits(result.what);
        });
        lines.push_back(line);
    }
    return lines;
}

/// The measured figure that the claim means, in ns.
std::optional<double> basis_ns(const Line& line, Basis basis)
{
    const CaseResult* result = basis == Basis::call        ? line.call
                               : basis == Basis::half_same_cpu ? line.same
                                                           : line.other_cpu;
    if (result == nullptr) return std::nullopt;
    return result->estimate.median / (basis == Basis::call ? 1 : 2);
}

std::string verdict_cell(const Page& page, const Claim* claim, const Line& line)
{
    if (line.call == nullptr && line.same == nullptr && line.other_cpu == nullptr)
        return line.failed ? "not measured" : page.none();
    if (claim == nullptr || claim->ns == 0 || line.variant.rate_hz != 0 ||
        line.variant.message_bytes > kClaimedBytes)
        return page.none();
    const bool spins = line.variant.waiting == WaitMode::spin;
    const auto figure = basis_ns(line, spins ? claim->spinning : claim->blocking);
    const std::string word = figure ? verdict(*figure, claim->ns, page.style.utf8) : "";
    return word.empty() ? page.none() : word;
}

std::string claim_cell(const Page& page, const Claim* claim)
{
    return claim == nullptr || claim->ns == 0 ? page.none() : "~" + page.style.time(
        static_cast<std::uint64_t>(claim->ns));
}

std::string throughput_cell(const Page& page, const Line& line)
{
    return line.throughput == nullptr ? page.none() : page.median(line.throughput);
}

/// Removes the decimals of "~1.00 µs": a claim has no such precision.
std::string rounded(std::string claim)
{
    if (const auto at = claim.find(".00"); at != std::string::npos) claim.erase(at, 3);
    if (const auto at = claim.find(".0 "); at != std::string::npos) claim.erase(at, 2);
    return claim;
}

std::string heading(const Page& page, const Claim& claim)
{
    const std::string name(title(claim.family));
    if (claim.ns == 0) return name + ": no claim";
    return fmt::format("{}, {}: held against {}", name, rounded(claim_cell(page, &claim)),
                       claim.basis_text);
}

const Claim* claim_of(const Page& page, const Variant& variant)
{
    const Mechanism* mechanism = page.mechanism(variant.mechanism);
    if (mechanism == nullptr) return nullptr;
    const auto all = claims();
    const auto found = std::ranges::find(all, mechanism->family, &Claim::family);
    return found == all.end() ? nullptr : &*found;
}

std::string other_cpu_title(const Page& page)
{
    bool smt = false, other = false, awake = false;
    for (const CaseResult& result : page.run.results) {
        if (result.what.metric != Metric::round_trip) continue;
        smt = smt || result.what.placement.distance == Distance::smt;
        other = other || result.what.placement.distance == Distance::other_cpu;
        awake = awake || result.what.awake;
    }
    std::string title = smt && !other ? "SMT SIBLING" : "OTHER CPU";
    return awake ? title + ", AWAKE" : title;
}

/// Several sizes of one mechanism would be several equal rows without it.
bool several_sizes(const std::vector<Line>& lines)
{
    for (const Line& line : lines) {
        for (const Line& other : lines) {
            if (line.variant.mechanism == other.variant.mechanism &&
                line.variant.message_bytes != other.variant.message_bytes)
                return true;
        }
    }
    return false;
}

std::vector<TextTable::Column> columns(const Page& page, const std::vector<Line>& lines)
{
    const bool rates = std::ranges::any_of(lines, [](const Line& line) {
        return line.throughput != nullptr;
    });
    const std::string other_cpu = other_cpu_title(page);
    std::vector<TextTable::Column> columns{
        {"MECHANISM", "", true, 12},
        {"SIZE", "", false, 0, !several_sizes(lines)},
        {"CLAIM"},
        {"CALL"},
        {"p50", "SAME CPU"},
        {"p99", "SAME CPU"},
        {"p50", other_cpu},
        {"p99", other_cpu},
    };
    if (rates) columns.push_back({"BEST RATE", "", false, 0, true});
    columns.push_back({"VERDICT", "", true, 6});
    return columns;
}

/// What a wake-up of another CPU costs, over all that sleep.
std::string distance_note(const Page& page, const std::vector<Line>& lines)
{
    std::vector<double> ratios;
    for (const Line& line : lines) {
        if (line.same == nullptr || line.other_cpu == nullptr ||
            line.variant.waiting == WaitMode::spin || !(line.same->estimate.median > 0))
            continue;
        ratios.push_back(line.other_cpu->estimate.median / line.same->estimate.median);
    }
    constexpr double kWorthTelling = 3;
    const double typical = median_of(ratios);
    if (typical < kWorthTelling) return {};
    return fmt::format("Between CPUs a sleeping receiver takes {:.0f}{} as long as on one CPU "
                       "(median of {}): that is the cost of waking a CPU, not of the "
                       "mechanism. --awake keeps them from sleeping.",
                       typical, page.times(),
                       counted(ratios.size(), "mechanism", "mechanisms"));
}

std::string method_note(const Page& page, const std::vector<Line>& lines)
{
    std::size_t rounds = 0;
    double confidence = 0;
    bool threads = false, processes = false;
    for (const Line& line : lines) {
        for (const CaseResult* result : {line.call, line.same, line.other_cpu}) {
            if (result == nullptr || result->rounds.size() <= rounds) continue;
            rounds = result->rounds.size();
            confidence = result->estimate.confidence;
        }
        (line.variant.threads ? threads : processes) = true;
    }
    const char* ends = threads && processes ? "workers" : threads ? "threads" : "processes";
    std::string text = fmt::format(
        "CALL: one thread sends and receives. SAME CPU and {}: round trips between two {}. "
        "CALL and p50 are medians of {}", other_cpu_title(page), ends,
        counted(rounds, "round", "rounds"));
    if (confidence > 0)
        text += fmt::format(" (intervals in --json and --csv hold the true one with {:.1f}{}%)",
                            confidence * 100, kGlue);
    return text + ", p99 is over all samples.";
}

/// Of a run of all that is measured without being named.
std::string other_mappings_note(const Page& page)
{
    std::size_t left_out = 0;
    for (const Mechanism& mechanism : page.mechanisms) {
        const bool in_run = std::ranges::any_of(page.run.results, [&](const CaseResult& result) {
            return result.what.mechanism == mechanism.name;
        });
        if (in_run == mechanism.other_mapping) return {};
        left_out += mechanism.other_mapping ? 1 : 0;
    }
    return left_out == 0 ? std::string()
                         : fmt::format("{} not measured, other mappings of shared memory: --all, or "
                                       "by name (bench --list).",
                                       counted(left_out, "mechanism", "mechanisms"));
}

}  // namespace

Section textbook(const Page& page)
{
    const auto all = lines(page);
    Section section{"Textbook claims beside this machine: latency"};
    section.table.columns = columns(page, all);
    const Claim* before = nullptr;
    bool first = true;
    for (const Line& line : all) {
        const Claim* claim = claim_of(page, line.variant);
        if (first || claim != before)
            section.table.heading(claim == nullptr ? "Others: no claim"
                                                   : heading(page, *claim));
        first = false;
        before = claim;
        std::vector<std::string> cells{
            line.variant.label(page),
            line.variant.message_bytes == 0 ? page.none()
                                            : size_text(line.variant.message_bytes),
            rounded(claim_cell(page, claim)),
            page.median(line.call),
            page.median(line.same),
            page.quantile(line.same, 0.99),
            page.median(line.other_cpu),
            page.quantile(line.other_cpu, 0.99),
        };
        if (section.table.columns.size() == cells.size() + 2)
            cells.push_back(throughput_cell(page, line));
        cells.push_back(verdict_cell(page, claim, line));
        section.table.row(std::move(cells));
    }
    if (section.table.empty()) return {};
    section.notes.push_back(method_note(page, all));
    section.notes.push_back(fmt::format("holds: within a factor of {:.0f} of the claim.",
                                        kHoldsFactor));
    if (auto note = distance_note(page, all); !note.empty()) section.notes.push_back(note);
    if (auto note = other_mappings_note(page); !note.empty()) section.notes.push_back(note);
    return section;
}

}  // namespace ipcscope::bench
