// SPDX-License-Identifier: GPL-2.0-only
#include "bench/output/page.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "bench/output/claims.hpp"
#include "bench/enum_names.hpp"
#include "render/render.hpp"
#include "base/units.hpp"

namespace ipcscope::bench {
namespace {

/// What a double can be shown as: never more than any run can have measured.
std::uint64_t whole(double value)
{
    if (!(value > 0)) return 0;
    return value >= 1e18 ? std::uint64_t{1'000'000'000'000'000'000}
                         : static_cast<std::uint64_t>(std::llround(value));
}

/// Sort key of a mechanism: family by claim, then as listed; unknown ones last.
std::size_t rank(const Page& page, const std::string& name)
{
    const Mechanism* mechanism = page.mechanism(name);
    if (mechanism == nullptr) return SIZE_MAX;
    const auto all = claims();
    const auto claim = std::ranges::find(all, mechanism->family, &Claim::family);
    return static_cast<std::size_t>(claim - all.begin()) * page.mechanisms.size() +
           static_cast<std::size_t>(mechanism - page.mechanisms.data());
}

}  // namespace

std::string safe_text(std::string_view text, const render::Style& style)
{
    const std::string safe = SafeText::escape(text).str();
    if (style.utf8) return safe;
    std::string ascii;
    for (const char c : safe) {
        const auto byte = static_cast<unsigned char>(c);
        ascii += byte < 0x80 ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
    }
    return ascii;
}

std::string time_text(double ns, const render::Style& style) { return style.time(whole(ns)); }

std::string rate_text(double per_second, std::size_t message_bytes)
{
    if (message_bytes == 0) return count(whole(per_second)) + "/s";
    return bytes(whole(per_second * static_cast<double>(message_bytes))) + "/s";
}

std::string figure_text(const Case& what, double value, const render::Style& style)
{
    return what.metric == Metric::throughput ? rate_text(value, what.message_bytes)
                                             : time_text(value, style);
}

std::string size_text(std::size_t bytes)
{
    const std::string word = format_size(bytes);
    const std::size_t digits = std::min(word.find_first_not_of("0123456789"), word.size());
    return fmt::format("{} {}", std::string_view(word).substr(0, digits),
                       std::string_view(word).substr(digits));
}

bool measured(const CaseResult& result) { return !result.failed && !result.rounds.empty(); }

const Mechanism* Page::mechanism(std::string_view name) const
{
    const auto found = std::ranges::find(mechanisms, name, &Mechanism::name);
    return found == mechanisms.end() ? nullptr : &*found;
}

std::string Page::safe(std::string_view text) const { return safe_text(text, style); }
std::string Page::time(double ns) const { return time_text(ns, style); }

std::string Page::figure(const CaseResult& result, double value) const
{
    return figure_text(result.what, value, style);
}

std::string Page::median(const CaseResult* result) const
{
    return result == nullptr ? none() : figure(*result, result->estimate.median);
}

std::string Page::quantile(const CaseResult* result, double q) const
{
    if (result == nullptr || result->latency_ns.count() == 0) return none();
    return style.time(result->latency_ns.quantile(q));
}

Variant Variant::of(const Case& what)
{
    return {what.mechanism, what.message_bytes, what.waiting, what.threads,
            what.producers, what.consumers,     what.rate_hz};
}

std::string Variant::label(const Page& page) const
{
    std::string label = page.safe(mechanism);
    const Mechanism* known = page.mechanism(mechanism);
    const bool only_spins = known != nullptr && !known->blocks;
    if (waiting == WaitMode::spin && !only_spins) label += ", spin";
    if (threads) label += ", threads";
    if (producers != 1 || consumers != 1)
        label += fmt::format(", {}{}{}", producers, page.times(), consumers);
    if (rate_hz != 0) label += fmt::format(", {:g}/s", rate_hz);
    return label;
}

std::vector<Variant> variants(const Page& page,
                              const std::function<bool(const CaseResult&)>& wanted)
{
    std::vector<Variant> found;
    for (const CaseResult& result : page.run.results) {
        if (!wanted(result)) continue;
        const Variant variant = Variant::of(result.what);
        if (std::ranges::find(found, variant) == found.end()) found.push_back(variant);
    }
    std::ranges::stable_sort(found, {}, [&](const Variant& variant) {
        return rank(page, variant.mechanism);
    });
    return found;
}

const CaseResult* find(const Run& run, Metric metric, const Variant& variant, bool same_cpu)
{
    const CaseResult* found = nullptr;
    for (const CaseResult& result : run.results) {
        if (result.what.metric != metric || !measured(result)) continue;
        const Distance distance = result.what.placement.distance;
        if ((distance == Distance::same_cpu) != same_cpu || !variant.fits(result.what)) continue;
        if (found == nullptr || distance > found->what.placement.distance) found = &result;
    }
    return found;
}

double median_of(std::vector<double> values)
{
    if (values.empty()) return 0;
    const auto half = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::ranges::nth_element(values, half);
    return *half;
}

}  // namespace ipcscope::bench
