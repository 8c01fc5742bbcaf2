// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace ipcscope::bench {

/// A processor hint for loops that wait for another CPU.
inline void cpu_relax()
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
}

}  // namespace ipcscope::bench
