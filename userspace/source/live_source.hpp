// SPDX-License-Identifier: GPL-2.0-only
// A live trace as a source of records, whichever backend makes them.
#pragma once

#include <memory>
#include <string>

#include "source/calls_before.hpp"
#include "source/options.hpp"
#include "source/producer.hpp"
#include "source/source.hpp"
#include "source/thread_stacks.hpp"

namespace ipcscope::source {

/// From an attached producer.  `stacks` was made before it attached: its helper
/// process must not hold what the producer has open.  So was `calls`, which uses it.
std::unique_ptr<Source> live_source(std::unique_ptr<Producer> producer,
                                    std::unique_ptr<ThreadStacks> stacks,
                                    std::unique_ptr<CallsBefore> calls,
                                    const std::string& backend, const Options& options);

}  // namespace ipcscope::source
