// SPDX-License-Identifier: GPL-2.0-only
// The contract's table of families (ipcscope/family.h) for C++.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <ipcscope/family.h>

namespace ipcscope {

struct Family {
    unsigned bit;             ///< 0 .. 31
    std::string_view name;    ///< "signals", as on the command line
    std::uint64_t kinds;      ///< bit n: records of kind n are its own
    constexpr std::uint32_t mask() const { return 1u << bit; }
    /// Whether the backends have hooks for it.
    constexpr bool hooked() const { return (IPCSCOPE_FAMILY_HOOKED & mask()) != 0; }
};

inline constexpr std::array kFamilies{
#define IPCSCOPE_FAMILY_ROW(bit, NAME, name, kinds) Family{bit, name, kinds},
    IPCSCOPE_FAMILIES(IPCSCOPE_FAMILY_ROW)
#undef IPCSCOPE_FAMILY_ROW
};

/// A set of families: IPCSCOPE_FAMILY_* bits.
using FamilyMask = std::uint32_t;

constexpr std::optional<Family> find_family(std::string_view name)
{
    for (const Family& family : kFamilies)
        if (family.name == name) return family;
    return std::nullopt;
}

}  // namespace ipcscope
