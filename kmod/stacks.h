/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel stacks of tasks in D and K sleep.  No module may walk another task's
 * stack (stack_trace_save_tsk() is not exported), so each is saved by the task
 * itself as it goes to sleep, and dropped as it runs again.
 *
 * One slot for each hash of a thread's number: of two that fall on the same
 * the later one has it, and the other's stack is left to the reader, who finds
 * it in /proc.
 */
#ifndef IPCSCOPE_STACKS_H
#define IPCSCOPE_STACKS_H

#include <linux/spinlock.h>
#include <linux/types.h>

#include <ipcscope/record.h>

struct scope_stack {
	raw_spinlock_t lock;
	pid_t tid;			/* 0: empty */
	u32 depth;
	u64 entries[IPCSCOPE_STACK_DEPTH];
};

struct scope_stacks {
	struct scope_stack *slots;
	unsigned long iterator;		/* calls sched_switch's hooks */
};

int scope_stacks_init(struct scope_stacks *stacks);
void scope_stacks_free(struct scope_stacks *stacks);

/* The current task's, which is about to sleep, from the scheduler on. */
void scope_stack_save(struct scope_stacks *stacks);
void scope_stack_forget(struct scope_stacks *stacks, pid_t tid);

/* Number of entries copied to `entries` (IPCSCOPE_STACK_DEPTH); 0: unknown. */
u32 scope_stack_of(struct scope_stacks *stacks, pid_t tid, u64 *entries);

#endif /* IPCSCOPE_STACKS_H */
