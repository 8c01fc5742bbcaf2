// SPDX-License-Identifier: GPL-2.0-only
// What tests need of the guest: file systems and a cgroup.
#pragma once

#include <string>

namespace ipcscope::conformance {

/// A tmpfs of `size` bytes at a new directory; unmounted with the guest.
std::string mount_tmpfs(const std::string& size);

/// An ext4 on a loop device, at a new directory; empty (and a failure) where it
/// cannot be had.  Made once.
const std::string& ext4();
/// Ends a freeze that a workload has left.
void thaw(const std::string& directory);

/// A new cgroup v2 below the root.
std::string make_cgroup(const std::string& name);

}  // namespace ipcscope::conformance
