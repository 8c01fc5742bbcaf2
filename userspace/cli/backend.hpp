// SPDX-License-Identifier: GPL-2.0-only
// The backends, and which one is used.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "source/hooks.hpp"
#include "source/options.hpp"
#include "source/source.hpp"
#include "source/stat.hpp"

namespace ipcscope::cli {

/// `name`: "bpf", "kmod", or "auto": bpf, and where this kernel does not take
/// that, kmod if the module is loaded.
Result<std::unique_ptr<source::Source>> open_backend(std::string_view name,
                                                     const source::Options& options);

/// The same for `ipcscope stat`: `options.stat` is set.
Result<std::unique_ptr<source::StatSource>> open_stat(std::string_view name,
                                                      const source::Options& options);

struct BackendStatus {
    std::string name;
    bool works = false;    ///< each family does
    std::vector<source::FamilyStatus> families;
};

/// The status of both backends, in the order in which auto tries them.
std::vector<BackendStatus> examine_backends();

}  // namespace ipcscope::cli
