// SPDX-License-Identifier: GPL-2.0-only
#include "cli/option_values.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace ipcscope::cli {
namespace {

/// A transformation of CLI11: "100ms", "1.5s" and "2min" become nanoseconds; "", or what is wrong.
std::string in_nanoseconds(std::string& text)
{
    constexpr double kMost_ns = 1e18;
    constexpr std::pair<std::string_view, double> kUnits[] = {{"ms", 1e6}, {"s", 1e9}, {"min", 60e9}};
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    const std::string_view unit(read.ptr, static_cast<std::size_t>(end - read.ptr));
    const auto* const found = std::ranges::find(kUnits, unit, &std::pair<std::string_view, double>::first);
    if (read.ec != std::errc() || found == std::end(kUnits) || !(number >= 0) ||
        !(number * found->second < kMost_ns)) {
        return fmt::format("{}: a time with its unit is needed: 100ms, 1.5s, 2min", text);
    }
    text = std::to_string(std::llround(number * found->second));
    return {};
}

constexpr std::uint32_t kMostPid = 4'194'304;   ///< PID_MAX_LIMIT

}  // namespace

std::string not_empty(const std::string& text)
{
    return text.empty() ? "its value is empty" : "";
}

std::string seconds_above_0(const std::string& text)
{
    double seconds = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seconds);
    return read.ec == std::errc() && read.ptr == end && seconds > 0 && std::isfinite(seconds)
        ? "" : fmt::format("{}: seconds are needed, more than 0: 10, 0.5", text);
}

void declare_numbers(CLI::App& app, const std::string& names, std::vector<std::uint32_t>& into,
                            const std::string& text, const std::string& type)
{
    const std::string name = names.substr(names.find("--"));
    const auto take = [&into, name](const std::vector<std::string>& words) {
        for (const std::string& word : words) {
            for (std::size_t at = 0;; ++at) {
                const std::size_t end = std::min(word.find_first_of(", \n", at), word.size());
                std::uint32_t number = 0;
                const auto read = std::from_chars(word.data() + at, word.data() + end, number);
                // An empty value is refused: of nothing that pidof found, it would trace everything.
                if (read.ec != std::errc() || read.ptr != word.data() + end) {
                    throw CLI::ConversionError(name, std::vector{word});
                }
                if (number == 0) {
                    throw CLI::ValidationError(
                        name, fmt::format("Value {} not in range 1 to {}", number, kMostPid));
                }
                into.push_back(number);
                at = end;
                if (at == word.size()) {
                    break;
                }
            }
        }
    };
    app.add_option_function<std::vector<std::string>>(names, take, text)->type_name(type);
}

CLI::Option* declare_duration(CLI::App& app, const std::string& name, std::uint64_t& value_ns,
                              const std::string& text)
{
    return app.add_option(name, value_ns, text)
        ->transform(CLI::Validator(in_nanoseconds, "DURATION"))->type_name("DURATION");
}

}  // namespace ipcscope::cli
