// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

namespace ipcscope {

/// "statx" for 332 on x86-64: the name of a system call of this machine, as the kernel
/// headers of the build have it; empty: none of those.
std::string_view syscall_name(unsigned number);

}  // namespace ipcscope
