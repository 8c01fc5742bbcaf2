// SPDX-License-Identifier: GPL-2.0-only
// The parts of the page about a run.  Each gives whole sections, or none where
// the run has nothing for it.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bench/channel.hpp"
#include "bench/compare.hpp"
#include "bench/model.hpp"
#include "bench/output/text_table.hpp"
#include "render/layout.hpp"

namespace ipcscope::bench {

/// What every part needs.
struct Page {
    const Run& run;
    std::span<const Mechanism> mechanisms;
    render::Style style;
    std::size_t width;

    const Mechanism* mechanism(std::string_view name) const;
    std::string none() const { return style.none(); }
    std::string times() const { return style.utf8 ? "×" : "x"; }
    std::string plus_minus() const { return style.utf8 ? "±" : "+-"; }
    /// Text from outside, escaped.
    std::string safe(std::string_view text) const;
    /// "1.96 µs" of a latency.
    std::string time(double ns) const;
    /// A result's median in its unit: "1.96 µs", "4.90 GiB/s", "1.23 M/s".
    std::string figure(const CaseResult& result, double value) const;
    std::string median(const CaseResult* result) const;
    std::string quantile(const CaseResult* result, double q) const;
};

std::string safe_text(std::string_view text, const render::Style& style);
std::string time_text(double ns, const render::Style& style);
/// Of messages per second.
std::string rate_text(double per_second, std::size_t message_bytes);
std::string figure_text(const Case& what, double value, const render::Style& style);
std::string size_text(std::size_t bytes);   ///< "4 KiB"
/// Of B / A: "+12.3 %"; of a factor of ten and more "12×".
std::string percent_text(double ratio, const render::Style& style);
/// "kernel: 6.1 → 7.3"
std::vector<std::string> difference_lines(std::span<const Difference> differences,
                                          const render::Style& style);

bool measured(const CaseResult& result);

/// Cases that differ in where they ran, and in nothing else that a row shows.
struct Variant {
    std::string mechanism;
    std::size_t message_bytes = 0;
    WaitMode waiting = WaitMode::block;
    bool threads = false;
    unsigned producers = 1;
    unsigned consumers = 1;
    double rate_hz = 0;

    static Variant of(const Case& what);
    bool fits(const Case& what) const { return of(what) == *this; }
    /// "pipe, threads": all but the size.
    std::string label(const Page& page) const;

    friend bool operator==(const Variant&, const Variant&) = default;
};

/// Those of the results for which `wanted` holds, by the family's place in the
/// comparison, the place of the mechanism in the list, and the run's order.
std::vector<Variant> variants(const Page& page,
                              const std::function<bool(const CaseResult&)>& wanted);

/// The first that was measured; of pairs of CPUs, on two cores rather than on one.
const CaseResult* find(const Run& run, Metric metric, const Variant& variant, bool same_cpu);

/// Half of the results, by value; 0 where there is none.
double median_of(std::vector<double> values);

Section textbook(const Page& page);
std::vector<Section> throughput(const Page& page);
Section one_way(const Page& page);
std::vector<Section> matrices(const Page& page);
Section kernel_view(const Page& page);
Section wide_intervals(const Page& page);
Section failures(const Page& page);
Section warnings(const Page& page);
Section environment(const Page& page);

}  // namespace ipcscope::bench
