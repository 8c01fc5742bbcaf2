// SPDX-License-Identifier: GPL-2.0-only
#include "bench/enum_names.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

constexpr std::array<std::string_view, 4> kMetrics{"call", "round_trip", "one_way",
                                                   "throughput"};
static_assert(kMetrics.size() == static_cast<std::size_t>(Metric::throughput) + 1);

constexpr std::array<std::string_view, 3> kDistances{"same_cpu", "smt", "other_cpu"};
static_assert(kDistances.size() == static_cast<std::size_t>(Distance::other_cpu) + 1);

constexpr std::array<std::string_view, 2> kWaitings{"block", "spin"};
static_assert(kWaitings.size() == static_cast<std::size_t>(WaitMode::spin) + 1);

constexpr std::array<std::string_view, 9> kFamilies{
    "Shared memory", "eventfd", "Futex",         "Semaphore", "Pipe",
    "Unix socket",   "TCP",     "Message queue", "Signal"};
static_assert(kFamilies.size() == static_cast<std::size_t>(Family::signal) + 1);

template <typename Value, std::size_t N>
std::optional<Value> find(const std::array<std::string_view, N>& words, std::string_view text)
{
    std::string wanted(text);
    for (char& c : wanted) {
        if (c == '-') c = '_';
    }
    for (std::size_t at = 0; at < N; at++) {
        if (words[at] == wanted) return static_cast<Value>(at);
    }
    return std::nullopt;
}

struct Unit {
    std::string_view name;
    std::size_t bytes;
};
constexpr Unit kUnits[] = {{"GiB", std::size_t{1} << 30},
                           {"MiB", std::size_t{1} << 20},
                           {"KiB", std::size_t{1} << 10}};

}  // namespace

std::string_view name_of(Metric metric) { return kMetrics[static_cast<std::size_t>(metric)]; }
std::string_view name_of(Distance distance)
{
    return kDistances[static_cast<std::size_t>(distance)];
}
std::string_view name_of(WaitMode waiting)
{
    return kWaitings[static_cast<std::size_t>(waiting)];
}
std::string_view title(Family family) { return kFamilies[static_cast<std::size_t>(family)]; }

std::optional<Metric> parse_metric(std::string_view text)
{
    return find<Metric>(kMetrics, text);
}
std::optional<Distance> parse_distance(std::string_view text)
{
    return find<Distance>(kDistances, text);
}
std::optional<WaitMode> parse_wait_mode(std::string_view text)
{
    return find<WaitMode>(kWaitings, text);
}

std::string format_size(std::size_t bytes)
{
    for (const Unit& unit : kUnits) {
        if (bytes != 0 && bytes % unit.bytes == 0)
            return fmt::format("{}{}", bytes / unit.bytes, unit.name);
    }
    return fmt::format("{}B", bytes);
}

std::optional<std::size_t> parse_size(std::string_view text)
{
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    const std::string_view suffix(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (suffix.empty() || suffix == "B") return number;
    for (const Unit& unit : kUnits) {
        if (suffix != unit.name && suffix != unit.name.substr(0, 1)) continue;
        if (number > std::numeric_limits<std::size_t>::max() / unit.bytes) return std::nullopt;
        return number * unit.bytes;
    }
    return std::nullopt;
}

}  // namespace ipcscope::bench
