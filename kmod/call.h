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

#include <asm/syscall.h>

#include "emit.h"
#include "filter.h"
#include "hooks.h"
#include "stat.h"
#include "time.h"

/* The same where it is not the first of its bucket, or has none. */
struct scope_thread *scope_call_find(struct scope_trace *trace,
				     struct scope_bucket *bucket, u16 kind,
				     u64 now);

/* What scope_call_exit() does, of a trace that goes on. */
static __always_inline void
scope_call_returns(struct scope_trace *trace, const struct scope_call *call,
		   s32 ret)
{
	unsigned long flags;
	u64 now;

	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (!scope_armed(trace, now))
		;
	else if (!trace->stat)
		scope_time_exit(trace, call->thread, ret, now);
	else if (scope_armed(trace, call->enter_ns))
		scope_stat_call(trace, call, ret, now);
	local_irq_restore(flags);
}

/* The state of current, if it is in a call of that kind; with interrupts off. */
struct scope_thread *scope_call_current(struct scope_trace *trace, u16 kind);

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
 * What a splice or sendfile calls itself (a socket's functions; until 5.12
 * pipe_write) is a part of it.
 */
static inline bool scope_call_inside_splice(const struct scope_trace *trace)
{
	int syscall;

	if (!(trace->config.families & IPCSCOPE_FAMILY_PIPES))
		return false;
	syscall = syscall_get_nr(current, task_pt_regs(current));
	return syscall == __NR_splice || syscall == __NR_sendfile;
}

/*
 * For its sum, which may need the object; whether it began in the window shows as it
 * returns.
 */
static __always_inline int
scope_call_begin(struct scope_trace *trace, struct scope_call *call,
		 struct pt_regs *regs, u16 kind, u8 op,
		 void (*look)(struct ipcscope_call *call, struct pt_regs *regs))
{
	struct ipcscope_call seen;

	if (op != IPCSCOPE_OP_READ && scope_call_inside_splice(trace))
		return 1;
	if (trace->config.stat_by == IPCSCOPE_STAT_BY_OBJECT) {
		look(&seen, regs);
		call->object = seen.object;
		call->dev = seen.dev;
		call->type = seen.type;
		call->requested = seen.requested;
	}
	call->op = op;
	call->kind = kind;
	call->flags = 0;
	call->enter_ns = ktime_get_mono_fast_ns();
	return 0;
}

/*
 * An entry handler of `op`: `look` fills the call's object, requested, flags and
 * tail from the function's arguments.
 */
static __always_inline int
scope_call_enter(struct kretprobe_instance *ri, struct pt_regs *regs, u16 kind,
		 u8 op,
		 void (*look)(struct ipcscope_call *call, struct pt_regs *regs))
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call *call = (void *)ri->data;
	struct scope_thread *thread = NULL;
	unsigned long flags;
	u64 now;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	if (!scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, kind);
		return 1;
	}
	if (trace->stat)
		return scope_call_begin(trace, call, regs, kind, op, look);
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now))
		thread = scope_call_state(trace, kind, now);
	if (thread && thread->account.call == IPCSCOPE_CALL_SPLICE)
		thread = NULL;	/* a part of it, as above */
	if (thread) {
		look(&thread->call, regs);
		thread->call.op = op;
		ipcscope_account_enter(&thread->account, now, kind);
	}
	local_irq_restore(flags);
	call->thread = thread;
	return !thread;
}

#endif /* IPCSCOPE_CALL_H */
