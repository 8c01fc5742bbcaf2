// SPDX-License-Identifier: GPL-2.0-only
// The eBPF backend as a source of aggregated rows.
#pragma once

#include <memory>

#include "source/options.hpp"
#include "source/stat.hpp"

namespace ipcscope::source::bpf {

/// Armed on return; `options.stat` is set.  See Tracer::attach for the errors.
Result<std::unique_ptr<StatSource>> open_stat(const Options& options);

}  // namespace ipcscope::source::bpf
