// SPDX-License-Identifier: GPL-2.0-only
#include "correlate/end_names.hpp"

#include <array>

namespace ipcscope::correlate {
namespace {

constexpr std::array<std::string_view, 15> kNames{
    "handler",  "default", "ignored",    "sigwait",    "signalfd",
    "debugger", "kernel_thread", "death", "not_queued", "pending",
    "target_exited", "unseen", "flushed", "discarded",  "outside",
};
static_assert(kNames.size() == kEnds);

}  // namespace

std::string_view end_name(End end) { return kNames[static_cast<std::size_t>(end)]; }

}  // namespace ipcscope::correlate
