// SPDX-License-Identifier: GPL-2.0-only
#include "base/units.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include <fmt/format.h>

namespace ipcscope {
namespace {

using Wide = unsigned __int128;

struct Unit {
    const char* name;
    std::uint64_t size;
    std::uint64_t limit;   ///< the next unit takes over from this many of them
};

/// `value / unit` to three significant digits, half rounded up, in integers:
/// exact over all of uint64_t.  Nothing where it rounds up to the limit.
std::optional<std::string> in_unit(std::uint64_t value, std::uint64_t unit,
                                   std::uint64_t limit)
{
    std::uint64_t scale = 100;
    for (int decimals = 2; decimals >= 0; decimals--, scale /= 10) {
        const Wide twice = (Wide{value} * scale * 2 + unit) / unit;
        const auto rounded = static_cast<std::uint64_t>(twice / 2);
        if (rounded >= limit * scale) return std::nullopt;
        if (rounded < 1000 || decimals == 0) {
            if (decimals == 0) return fmt::format("{}", rounded);
            return fmt::format("{}.{:0{}}", rounded / scale, rounded % scale, decimals);
        }
    }
    return std::nullopt;
}

/// The last unit has no limit.
std::string in_units(std::uint64_t value, std::span<const Unit> units)
{
    for (const Unit& unit : units.first(units.size() - 1)) {
        if (const auto digits = in_unit(value, unit.size, unit.limit))
            return fmt::format("{} {}", *digits, unit.name);
    }
    const Unit& last = units.back();
    return fmt::format("{} {}", *in_unit(value, last.size, last.limit), last.name);
}

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kDay = 86'400 * kSecond;

constexpr Unit kDurations[] = {
    {"µs", 1'000, 1000},
    {"ms", 1'000'000, 1000},
    {"s", kSecond, 1000},
    {"min", 60 * kSecond, 60},
    {"h", 3'600 * kSecond, 24},
    {"d", kDay, 1000},
    {"y", kDay / 4 * 1461, UINT32_MAX},   // 365.25 days
};

constexpr Unit kBytes[] = {
    {"KiB", 1ull << 10, 1024}, {"MiB", 1ull << 20, 1024}, {"GiB", 1ull << 30, 1024},
    {"TiB", 1ull << 40, 1024}, {"PiB", 1ull << 50, 1024}, {"EiB", 1ull << 60, UINT32_MAX},
};

constexpr Unit kCounts[] = {
    {"M", 1'000'000, 1000},
    {"G", 1'000'000'000, 1000},
    {"T", 1'000'000'000'000, 1000},
    {"P", 1'000'000'000'000'000, 1000},
    {"E", 1'000'000'000'000'000'000, UINT32_MAX},
};

}  // namespace

std::string duration(std::uint64_t ns)
{
    if (ns < 1'000) return fmt::format("{} ns", ns);
    return in_units(ns, kDurations);
}

std::string bytes(std::uint64_t bytes)
{
    if (bytes < 1024) return fmt::format("{} B", bytes);
    return in_units(bytes, kBytes);
}

std::string glued(std::string text)
{
    std::ranges::replace(text, ' ', kGlue);
    return text;
}

std::string counted(std::uint64_t number, std::string_view one, std::string_view many)
{
    return fmt::format("{} {}", grouped(number), number == 1 ? one : many);
}

std::string grouped(std::uint64_t value)
{
    std::string digits = std::to_string(value);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
    return digits;
}

std::string count(std::uint64_t value)
{
    return value < 1'000'000 ? grouped(value) : in_units(value, kCounts);
}

namespace {

/// part / whole, times `scale`, half rounded up.
std::uint64_t scaled(std::uint64_t part, std::uint64_t whole, std::uint64_t scale)
{
    const Wide twice = Wide{part} * scale * 2 / whole;
    return static_cast<std::uint64_t>((twice + 1) / 2);
}

}  // namespace

std::string percent(std::uint64_t part, std::uint64_t whole)
{
    if (part == 0 || whole == 0) return "0 %";
    if (at_least(part, whole, 9995, 1000)) return ">999 %";
    const std::uint64_t tenths = scaled(part, whole, 1000);
    if (tenths == 0) return "<0.1 %";
    if (tenths < 1000) return fmt::format("{}.{} %", tenths / 10, tenths % 10);
    return fmt::format("{} %", (tenths + 5) / 10);
}

std::string whole_percent(std::uint64_t part, std::uint64_t whole)
{
    if (part == 0 || whole == 0) return "0 %";
    if (at_least(part, whole, 9995, 1000)) return ">999%";
    if (!at_least(part, whole, 1, 100)) return "<1 %";
    return fmt::format("{} %", scaled(part, whole, 100));
}

std::string rate(std::uint64_t amount, std::uint64_t ns)
{
    if (ns == 0) return {};
    const Wide per_second = Wide{amount} * kSecond / ns;
    return bytes(per_second > UINT64_MAX ? UINT64_MAX
                                         : static_cast<std::uint64_t>(per_second)) + "/s";
}

}  // namespace ipcscope
