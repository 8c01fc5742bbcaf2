// SPDX-License-Identifier: GPL-2.0-only
#include "cli/bench_request.hpp"

#include <charconv>
#include <optional>
#include <string_view>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "bench/enum_names.hpp"

namespace ipcscope::cli {
namespace {

std::vector<std::string_view> split(std::string_view text)
{
    std::vector<std::string_view> words;
    for (std::size_t at = 0;;) {
        const std::size_t comma = text.find(',', at);
        words.push_back(text.substr(at, comma - at));
        if (comma == text.npos) return words;
        at = comma + 1;
    }
}

/// Each word between commas; `what` they must be.
template <typename Value, typename Parse>
Result<std::vector<Value>> parse_list(const char* option, std::string_view text,
                                      const char* what, Parse parse)
{
    std::vector<Value> values;
    for (const std::string_view word : split(text)) {
        const std::optional<Value> value = parse(word);
        if (!value)
            return fail(Exit::usage, fmt::format("{}: '{}' is no {}", option,
                                                 SafeText::escape(word).str(), what));
        values.push_back(*value);
    }
    return values;
}

}  // namespace

Result<std::vector<std::size_t>> parse_sizes(const std::string& text)
{
    return parse_list<std::size_t>(
        "--sizes", text, "size from 1 on (1, 64, 4K, 1M)",
        [](std::string_view word) -> std::optional<std::size_t> {
            const auto size = bench::parse_size(word);
            return size && *size != 0 ? size : std::nullopt;
        });
}

Result<std::vector<bench::Metric>> parse_metrics(const std::string& text)
{
    return parse_list<bench::Metric>(
        "--metric", text, "metric; those are call, round-trip, one-way, throughput",
        bench::parse_metric);
}

Result<std::pair<unsigned, unsigned>> parse_cpus(const std::string& text)
{
    const auto cpus = parse_list<unsigned>(
        "--cpus", text, "CPU number", [](std::string_view word) -> std::optional<unsigned> {
            unsigned cpu = 0;
            const auto [end, error] =
                std::from_chars(word.data(), word.data() + word.size(), cpu);
            if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
            return cpu;
        });
    if (!cpus) return tl::unexpected(cpus.error());
    if (cpus->size() > 2)
        return fail(Exit::usage, "--cpus takes one CPU, or two: one for each end");
    return std::pair(cpus->front(), cpus->back());
}

}  // namespace ipcscope::cli
