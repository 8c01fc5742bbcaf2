/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of threads and of their calls: who calls account.h, and the records
 * that come of it.  The thread's bucket is locked, but for scope_time_exit(),
 * whose thread runs, with interrupts off.
 */
#ifndef IPCSCOPE_TIME_H
#define IPCSCOPE_TIME_H

#include <linux/types.h>

#include "threads.h"

struct ipcscope_unfinished;
struct scope_trace;
struct task_struct;

/* A state for a task that is in `state`; NULL: there is no room, counted. */
struct scope_thread *scope_time_begin(struct scope_trace *trace,
				      struct scope_bucket *bucket,
				      struct task_struct *task, u8 state,
				      u64 now);

/* Leaves the CPU. `bits`: of its state; `preempt`: it still wants one. */
void scope_time_leave(struct scope_trace *trace, struct scope_thread *thread,
		      bool preempt, unsigned int bits, u64 now);

void scope_time_resume(struct scope_trace *trace, struct scope_thread *thread,
		       u64 now);

/* Leaves the call that it is in, with its record. */
void scope_time_exit(struct scope_trace *trace, struct scope_thread *thread,
		     s32 ret, u64 now);

/* Its last switch: records what it has under way, and its end (`wanted`). */
void scope_time_end(struct scope_trace *trace, struct task_struct *task,
		    struct scope_thread *thread, bool wanted, u64 now);

/* A state for each wanted thread that there is, as the trace begins. */
void scope_time_sweep(struct scope_trace *trace);

/* Counts what threads had under way as the trace ended; gives one of it. */
void scope_time_count_unfinished(struct scope_trace *trace);
void scope_time_unfinished(struct scope_trace *trace,
			   struct ipcscope_unfinished *unfinished);

#endif /* IPCSCOPE_TIME_H */
