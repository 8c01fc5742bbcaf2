// SPDX-License-Identifier: GPL-2.0-only
// The words for what is measured: on the command line, in keys, in files.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "bench/channel.hpp"
#include "bench/model.hpp"

namespace ipcscope::bench {

std::string_view name_of(Metric metric);      ///< "round_trip"
std::string_view name_of(Distance distance);  ///< "same_cpu"
std::string_view name_of(WaitMode waiting);    ///< "block"
std::string_view title(Family family);     ///< "Shared memory"

/// The value whose name_of() it is; a hyphen counts as an underscore.
std::optional<Metric> parse_metric(std::string_view text);
std::optional<Distance> parse_distance(std::string_view text);
std::optional<WaitMode> parse_wait_mode(std::string_view text);

/// "64B", "4KiB", "1MiB": exact, whole units only.
std::string format_size(std::size_t bytes);
/// "64", "4K", "4KiB", "1M": nothing where it is no size.
std::optional<std::size_t> parse_size(std::string_view text);

}  // namespace ipcscope::bench
