// SPDX-License-Identifier: GPL-2.0-only
// Loading the kernel module where it is there and not yet loaded.
#pragma once

#include <utility>

#include "base/result.hpp"

namespace ipcscope::source::kmod {

/// What modprobe does, from /lib/modules of the running kernel; else the module
/// for it that was built beside this program (kmod/*/ipcscope.ko).  Exit::kernel
/// where there is none or it is for another kernel, Exit::permission where this
/// kernel or this user may not load it.
Result<void> load();

/// The module for as long as this is there: unloaded again if it had to be loaded.
class LoadedModule {
public:
    static Result<LoadedModule> load();
    ~LoadedModule();
    LoadedModule(LoadedModule&& other) noexcept : ours_(std::exchange(other.ours_, false)) {}
    LoadedModule& operator=(LoadedModule&&) = delete;

    bool ours() const { return ours_; }   ///< it was not loaded before

private:
    explicit LoadedModule(bool ours) : ours_(ours) {}
    bool ours_;
};

/// What went wrong, from the errno of the kernel's refusal.
Error load_error(int error);

}  // namespace ipcscope::source::kmod
