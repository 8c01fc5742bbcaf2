// SPDX-License-Identifier: GPL-2.0-only
// The linked BPF programs, as they are built in.
#pragma once

#include <cstddef>
#include <span>

namespace ipcscope::source::bpf {

/// An ELF file: the programs that write records, or those of `ipcscope stat`.
std::span<const std::byte> built_in_object(bool stat);

}  // namespace ipcscope::source::bpf
