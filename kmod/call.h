/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls on IPC objects by kretprobes: what is the same for every family.  The
 * scheduler's hooks (task.c) add to a call what its thread does meanwhile.
 */
#ifndef IPCSCOPE_CALL_H
#define IPCSCOPE_CALL_H

#include <linux/fs.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "filter.h"
#include "hooks.h"
#include "time.h"

/* The same where it is not the first of its bucket, or has none. */
struct scope_thread *scope_call_find(struct scope_trace *trace,
				     struct scope_bucket *bucket, u16 kind,
				     u64 now);

/*
 * The state of current, which begins here where the sweep has not seen it, with
 * interrupts off.  NULL: there is no room, and a call of `kind` is lost.
 */
static inline struct scope_thread *scope_call_state(struct scope_trace *trace,
						    u16 kind, u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);

	return scope_thread_own(bucket) ?:
	       scope_call_find(trace, bucket, kind, now);
}

static inline bool scope_call_nonblock(const struct kiocb *iocb)
{
	return (iocb->ki_filp->f_flags & O_NONBLOCK) ||
	       (iocb->ki_flags & (__force int)IOCB_NOWAIT);
}

/*
 * An entry handler: `look` fills the call's object, op, requested, flags and
 * tail from the function's arguments.  The instance keeps the thread's state.
 */
static __always_inline int
scope_call_enter(struct kretprobe_instance *ri, struct pt_regs *regs, u16 kind,
		 void (*look)(struct ipcscope_call *call, struct pt_regs *regs))
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread = NULL;
	unsigned long flags;
	u64 now;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	if (!scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, kind);
		return 1;
	}
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now))
		thread = scope_call_state(trace, kind, now);
	if (thread) {
		look(&thread->call, regs);
		ipcscope_account_enter(&thread->account, now, kind);
	}
	local_irq_restore(flags);
	*(struct scope_thread **)ri->data = thread;
	return !thread;
}

#endif /* IPCSCOPE_CALL_H */
