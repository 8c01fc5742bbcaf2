// SPDX-License-Identifier: GPL-2.0-only
// Going through the records of a ring.
#pragma once

#include <cstddef>
#include <span>

#include <ipcscope/record.h>

namespace ipcscope::source {

/// Calls `visit` with the header of each whole record, up to what is none.
template <typename Visit>
void for_each_record(std::span<std::byte> bytes, Visit visit)
{
    while (bytes.size() >= sizeof(ipcscope_header)) {
        auto& header = *reinterpret_cast<ipcscope_header*>(bytes.data());
        const std::size_t size = header.size;
        if (size < sizeof header || size > bytes.size()) {
            return;
        }
        visit(header);
        bytes = bytes.subspan(size);
    }
}

}  // namespace ipcscope::source
