// SPDX-License-Identifier: GPL-2.0-only
// Which BPF program goes where on this kernel: decided from BTF and kallsyms,
// never from a version number.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "source/hooks.hpp"

struct btf;

namespace ipcscope::source::bpf {

/// One hook: a program, or several of which the first that fits is used.
struct Hook {
    std::string_view name;          ///< as doctor shows it
    std::string_view program;       ///< in ipcscope.bpf.o
    std::string_view mechanism;     ///< "tp_btf", "fentry", "fexit"
    std::vector<std::string_view> targets;  ///< candidates, in this order
    std::vector<Family> families;   ///< that need it
    unsigned kind;                  ///< IPCSCOPE_… that a skipped run loses, 0: none
    bool required;                  ///< a family is useless without it
    std::string_view twin = {};     ///< the program's second copy (bpf/call.bpf.h)
};

std::span<const Hook> hooks();

/// Where a hook goes on this kernel.
struct Placement {
    const Hook* hook = nullptr;
    std::string target;   ///< empty: nowhere
    std::string why;      ///< where target is empty
};

/// Places every hook.  `btf` is the running kernel's.
std::vector<Placement> place(const ::btf* btf);

}  // namespace ipcscope::source::bpf
