// SPDX-License-Identifier: GPL-2.0-only
// A live trace as a source of records, whichever backend makes them.
#pragma once

#include <memory>
#include <string>

#include "source/options.hpp"
#include "source/producer.hpp"
#include "source/source.hpp"
#include "source/thread_stacks.hpp"

namespace ipcscope::source {

/// From an attached producer.  `stacks` was made before it attached: its helper
/// process must not hold what the producer has open.
std::unique_ptr<Source> live_source(std::unique_ptr<Producer> producer,
                                    std::unique_ptr<ThreadStacks> stacks,
                                    const std::string& backend, std::uint64_t start_ns,
                                    const Options& options);

}  // namespace ipcscope::source
