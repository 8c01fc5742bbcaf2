// SPDX-License-Identifier: GPL-2.0-only
// Formats runs and comparisons as text and as data, and reads runs from files.
//
// Text from outside (names, error messages, properties of the machine) passes SafeText
// in every output; a run that was read back has the same text as before.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "bench/channel.hpp"
#include "bench/compare.hpp"
#include "bench/model.hpp"
#include "bench/output/text_table.hpp"

namespace ipcscope::bench {

struct TextOptions {
    bool colour = false;
    bool utf8 = true;           ///< false: ASCII only
    std::size_t width = 99;     ///< no line is wider, tables below kMinWidth apart; at least kLeastWidth
    bool cut = true;            ///< false: but for rows of list() and of comparisons, as wide as they are

    Widths widths() const;
};

/// A narrower TextOptions.width counts as this one.
inline constexpr std::size_t kLeastWidth = 40;
/// What every table fits into.  In less, its columns are as narrow as they can be.
inline constexpr std::size_t kMinWidth = 80;

inline Widths TextOptions::widths() const
{
    const std::size_t prose = std::max(width, kLeastWidth);
    return {prose, cut ? prose : SIZE_MAX};
}

/// `mechanisms` give the family of each name; an unknown name has none.
std::string text(const Run& run, std::span<const Mechanism> mechanisms,
                 const TextOptions& options = {});
std::string markdown(const Run& run, std::span<const Mechanism> mechanisms);
std::string json(const Run& run);   ///< schema "ipcscope.bench/1" (docs/bench-json.md)
std::string csv(const Run& run);    ///< one line a case

std::string text(const Comparison& comparison, const TextOptions& options = {});
std::string markdown(const Comparison& comparison);
std::string json(const Comparison& comparison);   ///< "ipcscope.bench-diff/1"

/// What each can do: `bench --list`.
std::string list(std::span<const Mechanism> mechanisms, const TextOptions& options = {});

/// The run that json() wrote.  Exit::input with one line: no such file, no JSON
/// or cut off, another schema or version, impossible numbers.
Result<Run> load(const std::string& path);
/// The same from text; `name` is what errors call it.
Result<Run> parse(std::string_view text, std::string_view name);

/// No run that is read has more.
inline constexpr std::size_t kMaxFileBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxRounds = 1000;

}  // namespace ipcscope::bench
