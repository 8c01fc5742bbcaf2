// SPDX-License-Identifier: GPL-2.0-only
// Kernel stacks by name.  No kernel address leaves the collector: records get
// the ids of names instead.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace ipcscope::source {

class Symbols {
public:
    struct Named {
        std::uint64_t id;
        std::string text;   ///< "io_schedule+0x46", or "?" where it is not known
        bool is_new;        ///< first time this id is given out
    };

    /// Names for kernel text addresses.  Reads /proc/kallsyms once per call
    /// that has an address it has not seen, and keeps no copy of it.
    std::vector<Named> of_addresses(std::span<const std::uint64_t> addresses);

    /// Names in the text of a /proc/PID/task/TID/stack.
    std::vector<Named> of_stack_text(const std::string& text);

private:
    void look_up(std::span<const std::uint64_t> addresses);
    Named named(const std::string& text);

    std::map<std::uint64_t, std::string> texts_;   ///< by address
    std::map<std::string, std::uint64_t> ids_;     ///< by text
};

}  // namespace ipcscope::source
