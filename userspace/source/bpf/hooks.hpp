// SPDX-License-Identifier: GPL-2.0-only
// Which BPF program goes where on this kernel: decided from BTF, and by what the
// kernel takes, never from a version number.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/family.hpp"
#include "base/result.hpp"

struct btf;

namespace ipcscope::source::bpf {

/// Which traces need a hook.
enum class HookUse {
    always,
    records,   ///< not `ipcscope stat`
    follow,    ///< of `ipcscope stat` those that follow children; all records
};

/// One hook: a program, or several of which the first that fits is used.
struct Hook {
    std::string_view name;          ///< as doctor shows it
    std::string_view program;       ///< in ipcscope.bpf.o
    std::string_view mechanism;     ///< "tp_btf", "fentry", "fexit", "iter"
    std::vector<std::string_view> targets;  ///< candidates, in this order
    FamilyMask families;            ///< that need it
    unsigned kind;                  ///< IPCSCOPE_… that a skipped run loses, 0: none
    bool required;                  ///< a family is useless without it
    std::string_view twin = {};     ///< the program's second copy (bpf/call.bpf.h)
    HookUse use = HookUse::always;
    std::string_view unless = {};   ///< not where this function is: another hook takes its place
    /// Of the target's arguments, where it has had several; empty: any.  "3": three;
    /// "task,3", "file,3": of which the first is a task or a file.
    std::string_view shape = {};
};

std::span<const Hook> hooks();

/// Where a hook goes on this kernel.
struct Placement {
    const Hook* hook = nullptr;
    std::string target;   ///< empty: nowhere
    std::string why;      ///< where target is empty
    std::uint32_t id = 0; ///< of the target in the kernel's BTF; 0: libbpf finds it
};

/// What is to be hooked.
struct Wanted {
    FamilyMask families;
    bool stat = false;      ///< for `ipcscope stat`
    bool follow = false;    ///< children are followed
};

/// Places every hook that is needed.  `btf` is the running kernel's.
/// Errors: what keeps even an empty program from being loaded.
Result<std::vector<Placement>> place(const ::btf* btf, const Wanted& wanted);

}  // namespace ipcscope::source::bpf
