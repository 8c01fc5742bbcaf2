// SPDX-License-Identifier: GPL-2.0-only
// One line a case (RFC 4180), for spreadsheets: no cell can become a formula.
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/safe_text.hpp"
#include "bench/output/output.hpp"
#include "bench/output/page.hpp"
#include "bench/stats.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::bench {
namespace {

constexpr const char kHead[] =
    "key,mechanism,metric,message_bytes,cpu_a,cpu_b,distance,waiting,threads,awake,producers,"
    "consumers,rate_hz,unit,median,low,high,confidence,rounds,noisy_rounds,spread,bytes_per_s,"
    "count,min,p50,p90,p99,p999,p9999,max,failed\n";

/// A spreadsheet takes what begins with one of these for a formula; an
/// apostrophe makes it text.
bool starts_formula(const std::string& text)
{
    return !text.empty() && std::string_view("=+-@\t\r").find(text[0]) != std::string::npos;
}

std::string cell(std::string_view outside)
{
    std::string text = SafeText::escape(outside).str();
    if (starts_formula(text)) text = '\'' + text;
    if (text.find_first_of(",\"\n\r'") == std::string::npos) return text;
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

std::vector<std::string> case_cells(const Case& what)
{
    return {cell(key(what)),
            cell(what.mechanism),
            std::string(name_of(what.metric)),
            fmt::format("{}", what.message_bytes),
            fmt::format("{}", what.placement.cpu_a),
            fmt::format("{}", what.placement.cpu_b),
            std::string(name_of(what.placement.distance)),
            std::string(name_of(what.waiting)),
            what.threads ? "1" : "0",
            what.awake ? "1" : "0",
            fmt::format("{}", what.producers),
            fmt::format("{}", what.consumers),
            fmt::format("{}", what.rate_hz),
            what.metric == Metric::throughput ? "messages/s" : "ns"};
}

/// Empty where nothing was measured.
std::vector<std::string> estimate_cells(const CaseResult& result)
{
    if (!measured(result)) return std::vector<std::string>(8);
    const Estimate& estimate = result.estimate;
    std::vector<double> values;
    std::size_t noisy = 0;
    for (const Round& round : result.rounds) {
        values.push_back(round.value);
        noisy += round.noisy;
    }
    const bool has_bytes = result.higher_is_better() && result.what.message_bytes != 0;
    return {fmt::format("{}", estimate.median),
            fmt::format("{}", estimate.low),
            fmt::format("{}", estimate.high),
            fmt::format("{}", estimate.confidence),
            fmt::format("{}", result.rounds.size()),
            fmt::format("{}", noisy),
            fmt::format("{:.4f}", spread(values)),
            has_bytes ? fmt::format("{:.0f}", result.bytes_per_s()) : ""};
}

std::vector<std::string> latency_cells(const Histogram& latency)
{
    if (latency.count() == 0) return std::vector<std::string>(8);
    std::vector<std::string> cells{fmt::format("{}", latency.count()),
                                   fmt::format("{}", latency.min())};
    for (const double q : {0.5, 0.9, 0.99, 0.999, 0.9999})
        cells.push_back(fmt::format("{}", latency.quantile(q)));
    cells.push_back(fmt::format("{}", latency.max()));
    return cells;
}

}  // namespace

std::string csv(const Run& run)
{
    std::string out = kHead;
    for (const CaseResult& result : run.results) {
        std::vector<std::string> cells = case_cells(result.what);
        for (auto& more : {estimate_cells(result), latency_cells(result.latency_ns)})
            cells.insert(cells.end(), more.begin(), more.end());
        cells.push_back(result.failed ? cell(*result.failed) : "");
        out += fmt::format("{}\n", fmt::join(cells, ","));
    }
    return out;
}

}  // namespace ipcscope::bench
