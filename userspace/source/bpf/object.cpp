// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/object.hpp"

#include "config.h"
#include "ipcscope.skel.h"
#include "ipcscope_stat.skel.h"

namespace ipcscope::source::bpf {

std::span<const std::byte> built_in_object(bool stat)
{
    std::size_t size = 0;
    const void* elf =
        stat ? ipcscope_stat_bpf__elf_bytes(&size) : ipcscope_bpf__elf_bytes(&size);
    return {static_cast<const std::byte*>(elf), size};
}

}  // namespace ipcscope::source::bpf
