// SPDX-License-Identifier: GPL-2.0-only
// The kernel function or tracepoint that a program is for, given to libbpf by its id in
// the kernel's BTF: libbpf 1.1 takes a name only, and reads all of the BTF to find it.
#pragma once

#include <cstdint>

struct bpf_program;

namespace ipcscope::source::bpf {

/// Before an object with programs of fentry, fexit or tp_btf is opened.  False: no memory.
bool register_targets();

/// Before the program is loaded.  `id`: in the kernel's BTF.
void set_target(bpf_program* program, std::uint32_t id);

}  // namespace ipcscope::source::bpf
