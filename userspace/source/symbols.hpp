// SPDX-License-Identifier: GPL-2.0-only
// Kernel stacks by name.  No kernel address leaves the collector: records get
// the ids of names instead.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/kernel_text.hpp"

namespace ipcscope::source {

/// Whether a sleeper's stack has "NAME+0x1f" at its top for no better reason than
/// that it is off the CPU, or that a hook of ours was called: __schedule,
/// __traceiter_sched_switch, what is in the module ipcscope.
bool is_switch_frame(std::string_view frame);

class Symbols {
public:
    struct Named {
        std::uint64_t id;
        std::string text;   ///< "io_schedule+0x46", or "?" where it is not known
        bool is_new;        ///< first time this id is given out
    };

    /// Names for kernel text addresses.
    std::vector<Named> of_addresses(std::span<const std::uint64_t> addresses);

    /// Names in the text of a /proc/PID/task/TID/stack.
    std::vector<Named> of_stack_text(const std::string& text);

private:
    /// The scheduler's and the tracer's own functions at the top are left out.
    std::vector<Named> named(std::vector<std::string> stack);

    KernelText text_;
    std::map<std::string, std::uint64_t> ids_;     ///< by text
};

}  // namespace ipcscope::source
