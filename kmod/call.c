// SPDX-License-Identifier: GPL-2.0-only
#include "call.h"
#include "stat.h"

struct scope_thread *scope_call_find(struct scope_trace *trace,
				     struct scope_bucket *bucket, u16 kind,
				     u64 now)
{
	struct scope_thread *thread;

	raw_spin_lock(&bucket->lock);
	thread = scope_thread_find(bucket, current);
	if (!thread)
		thread = scope_thread_add(&trace->threads, bucket, current,
					  now);
	raw_spin_unlock(&bucket->lock);
	if (!thread)
		scope_count_lost(trace, kind, IPCSCOPE_LOST_TABLE_FULL);
	return thread;
}

struct scope_thread *scope_call_current(struct scope_trace *trace, u16 kind)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);
	struct scope_thread *thread = scope_thread_own(bucket);

	if (!thread) {
		raw_spin_lock(&bucket->lock);
		thread = scope_thread_find(bucket, current);
		raw_spin_unlock(&bucket->lock);
	}
	return thread && thread->account.call == kind ? thread : NULL;
}

/* The thread's state has stayed: it is taken out at its last switch only. */
int scope_call_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);

	if (trace)
		scope_call_returns(trace, (void *)ri->data,
				   regs_return_value(regs));
	return 0;
}
