// SPDX-License-Identifier: GPL-2.0-only
// Numbers as people read them.  None is longer than the width it names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipcscope {

/// A space at which lines are not broken: "4.02<glue>s".  It is a control character
/// because no SafeText can hold one; what prints text makes it a space.
inline constexpr char kGlue = '\x1f';
std::string glued(std::string text);   ///< every space becomes glue

/// "1.23 ms": three significant digits; from 1000 s in min, h, d, y.
std::string duration(std::uint64_t ns);
/// "1.50 MiB": three significant digits, exact below 1024 B.
std::string bytes(std::uint64_t bytes);

/// "18,446,744": exact, thousands separated.
std::string grouped(std::uint64_t value);

/// Exact below a million, "1.23 M" above: at most 7 columns.
std::string count(std::uint64_t value);

/// "1 time", "1,234 times".
std::string counted(std::uint64_t number, std::string_view one, std::string_view many);

/// "31.2 %"; ">999 %" beyond: at most 6 columns.  Of nothing: "0 %".
std::string percent(std::uint64_t part, std::uint64_t whole);

/// "31 %"; "<1 %", ">999%": at most 5 columns.
std::string whole_percent(std::uint64_t part, std::uint64_t whole);

/// "1.50 MiB/s", at most 10 columns; empty where no time passed.
std::string rate(std::uint64_t bytes, std::uint64_t ns);

/// a - b, or 0: times in a damaged capture may be in any order.
constexpr std::uint64_t since(std::uint64_t a, std::uint64_t b)
{
    return a > b ? a - b : 0;
}

/// part / whole >= numerator / denominator, without overflow.
constexpr bool at_least(std::uint64_t part, std::uint64_t whole, std::uint64_t numerator,
                        std::uint64_t denominator)
{
    return static_cast<unsigned __int128>(part) * denominator >=
           static_cast<unsigned __int128>(whole) * numerator;
}

/// a + b, at most UINT64_MAX.
constexpr std::uint64_t plus(std::uint64_t a, std::uint64_t b)
{
    return b > UINT64_MAX - a ? UINT64_MAX : a + b;
}

}  // namespace ipcscope
