// SPDX-License-Identifier: GPL-2.0-only
// Distributions drawn with characters.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/histogram.hpp"
#include "render/layout.hpp"

namespace ipcscope::render {

/// One line per octave, or per 2, 4 … of them where that would be too many
/// lines, from the lowest value seen to the highest; a gap is one line.
std::string bars(const Histogram& histogram, std::size_t width, const Style& style);

/// Nine characters: how often the ring was empty, …, full.
std::string sparkline(const std::array<std::uint64_t, 9>& counts, const Style& style);

}  // namespace ipcscope::render
