/* SPDX-License-Identifier: GPL-2.0-only */
/* A task's state, as records tell it. */
#ifndef IPCSCOPE_STATE_H
#define IPCSCOPE_STATE_H

#include <linux/sched.h>

#include <ipcscope/record.h>

#include "compat.h"

/* By mask: other bits may be set beside the one that tells. */
static inline u8 scope_state_of_bits(unsigned int bits)
{
	if (bits & TASK_UNINTERRUPTIBLE) {
		if (bits & TASK_WAKEKILL)
			return IPCSCOPE_STATE_KILLABLE;
		if (bits & TASK_NOLOAD)
			return IPCSCOPE_STATE_IDLE;
		return IPCSCOPE_STATE_UNINTERRUPTIBLE;
	}
	if (bits & __TASK_STOPPED)
		return IPCSCOPE_STATE_STOPPED;
	if (bits & __TASK_TRACED)
		return IPCSCOPE_STATE_TRACED;
	if (bits & TASK_INTERRUPTIBLE)
		return IPCSCOPE_STATE_INTERRUPTIBLE;
	if (bits == 0 || bits == TASK_WAKING)
		return IPCSCOPE_STATE_RUNNING;
	return IPCSCOPE_STATE_OTHER;
}

static inline u8 scope_task_state(struct task_struct *task)
{
	int exited = READ_ONCE(task->exit_state);

	if (exited & EXIT_DEAD)
		return IPCSCOPE_STATE_DEAD;
	if (exited & EXIT_ZOMBIE)
		return IPCSCOPE_STATE_ZOMBIE;
	return scope_state_of_bits(scope_task_state_bits(task));
}

static inline bool scope_stuck(u8 state)
{
	return state == IPCSCOPE_STATE_UNINTERRUPTIBLE ||
	       state == IPCSCOPE_STATE_KILLABLE;
}

#endif /* IPCSCOPE_STATE_H */
