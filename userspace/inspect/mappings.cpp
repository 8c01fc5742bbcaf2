// SPDX-License-Identifier: GPL-2.0-only
#include "inspect/mappings.hpp"

#include "source/proc_text.hpp"

namespace ipcscope::inspect {

std::vector<Mapping> shared_mappings(std::string_view maps)
{
    std::vector<Mapping> mappings;
    while (!maps.empty()) {
        auto mapping = source::parse_mapping(source::proc::take_line(maps));
        if (mapping && mapping->shared && mapping->writable && mapping->inode != 0) {
            mappings.push_back(std::move(*mapping));
        }
    }
    return mappings;
}

}  // namespace ipcscope::inspect
