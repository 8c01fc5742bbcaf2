/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task is in, as records give it: its state and its system call. */
#ifndef IPCSCOPE_STATE_H
#define IPCSCOPE_STATE_H

#include <linux/sched.h>
#include <linux/types.h>

#include <ipcscope/policy.h>

#include "compat.h"

/* Of a task that is in the kernel; IPCSCOPE_SYSCALL_NONE: in none. */
u16 scope_syscall_of(struct task_struct *task);

/* `bits`: of its state, for a thread that leaves or has left the CPU. */
u8 scope_state_of(const struct task_struct *task, unsigned int bits,
		  u16 syscall);

static inline u8 scope_task_state(struct task_struct *task)
{
	return ipcscope_task_state(scope_task_state_bits(task),
				   READ_ONCE(task->exit_state));
}

#endif /* IPCSCOPE_STATE_H */
