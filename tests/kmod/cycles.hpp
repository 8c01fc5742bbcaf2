// SPDX-License-Identifier: GPL-2.0-only
// Loading and unloading, again and again.
#pragma once

namespace ipcscope::kmod_test {

/// Has the device open and mapped, and waits for records until SIGTERM; prints
/// "mapped" when hooks run.
/// @return its exit status: 0, or 1 where something failed
int wait_as_reader();

/// Loads and unloads the module N times, while processes on all CPUs make signals,
/// pipe traffic and tasks, and a reader has it open and mapped and is blocked in
/// poll().  The reader ends by SIGTERM and SIGKILL in turn.  Nothing may be left: no
/// user of the module, no probe, no memory.
/// @return its exit status: 0, or 1 where something was left
int cycles(unsigned count, const char* module);

}  // namespace ipcscope::kmod_test
