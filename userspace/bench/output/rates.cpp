// SPDX-License-Identifier: GPL-2.0-only
// Throughput by message size; one way; every pair of CPUs.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "bench/output/page.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

bool is_throughput(const CaseResult& result)
{
    return result.what.metric == Metric::throughput;
}

bool is_many(const Variant& variant) { return variant.producers != 1 || variant.consumers != 1; }

Variant sizeless(Variant variant)
{
    variant.message_bytes = 0;
    return variant;
}

/// Rows of mechanisms, columns of sizes, for one kind of placement.
Section by_size(const Page& page, bool same_cpu, bool many)
{
    const auto wanted = [&](const CaseResult& result) {
        return is_throughput(result) && measured(result) &&
               (result.what.placement.distance == Distance::same_cpu) == same_cpu &&
               is_many(Variant::of(result.what)) == many;
    };
    const auto found = variants(page, wanted);
    std::set<std::size_t> sizes;
    for (const Variant& variant : found) sizes.insert(variant.message_bytes);
    Section section{fmt::format("Throughput, {}{}", same_cpu ? "same CPU" : "other CPU",
                                many ? ", several producers and consumers" : "")};
    section.table.columns.push_back({"MECHANISM", "", true, 12});
    for (const std::size_t size : sizes)
        section.table.columns.push_back({size == 0 ? "NO PAYLOAD" : size_text(size)});
    std::vector<Variant> shown;
    for (const Variant& variant : found) {
        const Variant row = sizeless(variant);
        if (std::ranges::find(shown, row) != shown.end()) continue;
        shown.push_back(row);
        std::vector<std::string> cells{row.label(page)};
        for (const std::size_t size : sizes) {
            Variant cell = row;
            cell.message_bytes = size;
            cells.push_back(page.median(find(page.run, Metric::throughput, cell, same_cpu)));
        }
        section.table.row(std::move(cells));
    }
    return section;
}

/// Results of one mechanism and variant between at least two pairs of CPUs.
std::vector<const CaseResult*> pairs_of(const Page& page, Metric metric,
                                        const Variant& variant)
{
    std::vector<const CaseResult*> pairs;
    std::set<std::pair<unsigned, unsigned>> other_cpu;
    for (const CaseResult& result : page.run.results) {
        if (result.what.metric != metric || !measured(result) || !variant.fits(result.what))
            continue;
        pairs.push_back(&result);
        if (result.what.placement.distance != Distance::same_cpu)
            other_cpu.insert({result.what.placement.cpu_a, result.what.placement.cpu_b});
    }
    if (other_cpu.size() < 2) pairs.clear();
    return pairs;
}

const CaseResult* between(const std::vector<const CaseResult*>& pairs, unsigned a, unsigned b)
{
    for (const CaseResult* result : pairs) {
        const Placement& at = result->what.placement;
        if ((at.cpu_a == a && at.cpu_b == b) || (at.cpu_a == b && at.cpu_b == a))
            return result;
    }
    return nullptr;
}

/// Of many columns as many side by side as fit.
Section matrix(const Page& page, Metric metric, const Variant& variant,
               const std::vector<const CaseResult*>& pairs, std::span<const unsigned> across,
               std::span<const unsigned> down)
{
    std::string name = variant.label(page);
    if (variant.message_bytes != 0) name += ", " + size_text(variant.message_bytes);
    Section section{fmt::format("CPU by CPU: {} of {}",
                                metric == Metric::throughput ? "throughput" : "median " +
                                    std::string(metric == Metric::one_way ? "way"
                                                : metric == Metric::call  ? "call"
                                                                          : "round trip"),
                                name)};
    section.table.columns.push_back({"CPU", "", true});
    for (const unsigned cpu : across) section.table.columns.push_back({std::to_string(cpu)});
    for (const unsigned a : down) {
        std::vector<std::string> cells{std::to_string(a)};
        for (const unsigned b : across) cells.push_back(page.median(between(pairs, a, b)));
        section.table.row(std::move(cells));
    }
    return section;
}

}  // namespace

std::vector<Section> throughput(const Page& page)
{
    std::vector<Section> sections;
    for (const bool many : {false, true}) {
        for (const bool same_cpu : {true, false}) {
            if (auto section = by_size(page, same_cpu, many); !section.table.empty())
                sections.push_back(std::move(section));
        }
    }
    return sections;
}

Section one_way(const Page& page)
{
    Section section{"One way: from before the send to after the receive"};
    section.table.columns = {{"MECHANISM", "", true, 12}, {"SIZE"},
                            {"p50", "SAME CPU"},         {"p99", "SAME CPU"},
                            {"p50", "OTHER CPU"},        {"p99", "OTHER CPU"}};
    const auto wanted = [](const CaseResult& result) {
        return result.what.metric == Metric::one_way && measured(result);
    };
    for (const Variant& variant : variants(page, wanted)) {
        const CaseResult* same = find(page.run, Metric::one_way, variant, true);
        const CaseResult* other_cpu = find(page.run, Metric::one_way, variant, false);
        section.table.row({variant.label(page),
                          variant.message_bytes == 0 ? page.none()
                                                     : size_text(variant.message_bytes),
                          page.median(same), page.quantile(same, 0.99), page.median(other_cpu),
                          page.quantile(other_cpu, 0.99)});
    }
    return section;
}

std::vector<Section> matrices(const Page& page)
{
    constexpr std::size_t kCellColumns = 11;   // "16.3 GiB/s" and a gap
    const std::size_t most = std::max<std::size_t>(1, (page.width - 8) / kCellColumns);
    std::vector<Section> sections;
    for (const Metric metric : {Metric::round_trip, Metric::one_way, Metric::throughput}) {
        const auto wanted = [&](const CaseResult& result) {
            return result.what.metric == metric && measured(result);
        };
        for (const Variant& variant : variants(page, wanted)) {
            const auto pairs = pairs_of(page, metric, variant);
            std::set<unsigned> set;
            for (const CaseResult* result : pairs)
                set.insert({result->what.placement.cpu_a, result->what.placement.cpu_b});
            const std::vector<unsigned> cpus(set.begin(), set.end());
            for (std::size_t at = 0; at < cpus.size(); at += most) {
                const auto across = std::span(cpus).subspan(at, std::min(most, cpus.size() - at));
                sections.push_back(matrix(page, metric, variant, pairs, across, cpus));
            }
        }
    }
    return sections;
}

}  // namespace ipcscope::bench
