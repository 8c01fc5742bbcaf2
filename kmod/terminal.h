/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef IPCSCOPE_TERMINAL_H
#define IPCSCOPE_TERMINAL_H

#include <linux/types.h>

struct scope_trace;
struct task_struct;

/*
 * dev_t of the target's controlling terminal; of a process that has lost it by the
 * hangup that current does, of that one; 0: neither.  The target's siglock is held.
 */
u32 scope_terminal_of(const struct scope_trace *trace,
		      const struct task_struct *target);

#endif /* IPCSCOPE_TERMINAL_H */
