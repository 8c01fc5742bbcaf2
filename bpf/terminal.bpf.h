/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPCSCOPE_TERMINAL_BPF_H
#define IPCSCOPE_TERMINAL_BPF_H

#include "compat.bpf.h"

/* Its dev_t: 12 bits of major, 20 of minor. */
static __always_inline __u32 device_of_terminal(struct tty_struct *tty)
{
	struct tty_driver *driver = BPF_CORE_READ(tty, driver);
	__u32 minor = BPF_CORE_READ(driver, minor_start) + BPF_CORE_READ(tty, index);

	return (__u32)BPF_CORE_READ(driver, major) << 20 | minor;
}

#endif /* IPCSCOPE_TERMINAL_BPF_H */
