// SPDX-License-Identifier: GPL-2.0-only
// The eBPF backend as a source of records.
#pragma once

#include <memory>

#include "source/options.hpp"
#include "source/source.hpp"

namespace ipcscope::source::bpf {

/// Attached on return; see Tracer::attach for the errors.
Result<std::unique_ptr<Source>> open_source(const Options& options);

}  // namespace ipcscope::source::bpf
