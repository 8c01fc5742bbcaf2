// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of threads: born, on and off the CPU, woken, another program, ended.
 *
 *   sched_wakeup_new --> sched_switch ... sched_switch (TASK_DEAD) --> freed
 *   THREAD (FORK)        sched_waking     THREAD_EXIT       THREAD_FREE
 *
 * Hooks of scheduler context come with the run queue's lock held, or pi_lock.
 */
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "hooks.h"
#include "name.h"
#include "stat.h"
#include "state.h"
#include "take.h"
#include "time.h"

/*
 * A death by a signal is wanted whichever thread died: the killer may be the
 * one that the filters name, and its kill ends here.
 */
static bool death_wanted(struct scope_trace *trace, struct task_struct *task)
{
	return (task->exit_code & 0x7f) ||
	       scope_task_wanted(&trace->filters, task);
}

/* Its last switch: after it the task can be freed, so its state goes as well. */
static void ends(struct scope_trace *trace, struct task_struct *task,
		 bool armed, u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;

	raw_spin_lock(&bucket->lock);
	thread = scope_thread_find(bucket, task);
	if (armed) {
		if (thread)
			scope_take_end(trace, thread, now);
		scope_time_end(trace, task, thread,
			       thread || death_wanted(trace, task), now);
	}
	if (thread && armed)
		scope_thread_remove(&trace->threads, thread);
	else if (thread)
		scope_thread_close(thread);
	raw_spin_unlock(&bucket->lock);
}

static void leaves_cpu(struct scope_trace *trace, struct task_struct *task,
		       bool preempt, unsigned int bits, u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;

	if (hlist_empty(&bucket->threads))
		return;
	raw_spin_lock(&bucket->lock);
	thread = scope_thread_find(bucket, task);
	if (thread)
		scope_time_leave(trace, thread, preempt, bits, now);
	raw_spin_unlock(&bucket->lock);
}

static void gets_cpu(struct scope_trace *trace, struct task_struct *task,
		     u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;

	if (hlist_empty(&bucket->threads))
		return;
	raw_spin_lock(&bucket->lock);
	thread = scope_thread_find(bucket, task);
	if (thread)
		scope_time_resume(trace, thread, now);
	raw_spin_unlock(&bucket->lock);
}

/* prev is current: only its own stack can be walked. */
static void note_stack(struct scope_trace *trace, bool preempt,
		       unsigned int bits, struct task_struct *next)
{
	if (!preempt && ipcscope_stuck(ipcscope_state_of_bits(bits)))
		scope_stack_save(&trace->stacks);
	scope_stack_forget(&trace->stacks, next->pid);
}

/* Interrupts are off. */
SCOPE_SCHED_SWITCH(scope_sched_switch)
{
	u64 now = ktime_get_mono_fast_ns();
	unsigned int bits = SCOPE_PREV_BITS(prev);
	struct scope_trace *trace = data;
	bool armed = scope_armed(trace, now);

	if (unlikely(!preempt && (bits & TASK_DEAD)))
		ends(trace, prev, armed, now);
	else if (armed && prev->pid)
		leaves_cpu(trace, prev, preempt, bits, now);
	if (!armed)
		return;
	if (next->pid)
		gets_cpu(trace, next, now);
	if (trace->config.families & IPCSCOPE_FAMILY_KILLS)
		note_stack(trace, preempt, bits, next);
}

/* An interrupt's wake-up has no thread that made it. */
void scope_sched_waking(void *data, struct task_struct *task)
{
	struct scope_trace *trace = data;
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	if (hlist_empty(&bucket->threads))
		return;
	raw_spin_lock_irqsave(&bucket->lock, flags);
	thread = scope_thread_find(bucket, task);
	if (thread) {
		now = ktime_get_mono_fast_ns();
		if (scope_armed(trace, now))
			ipcscope_account_wake(&thread->account, now,
					      in_task() ? current->pid : 0);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* Of a wanted thread: it is current, or has not yet run. */
static void begins(struct scope_trace *trace, struct task_struct *task,
		   u8 reason, u8 state)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now)) {
		thread = scope_thread_find(bucket, task);
		if (!thread)
			thread = scope_time_begin(trace, bucket, task, state,
						  now);
		if (thread && reason == IPCSCOPE_THREAD_EXEC)
			thread->commanded = false;
		scope_name_emit(trace, task, thread, reason, now);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

/* current makes a thread, and lets it run for the first time. */
void scope_sched_wakeup_new(void *data, struct task_struct *task)
{
	struct scope_trace *trace = data;

	if (!scope_may_be_armed(trace))
		return;
	scope_follow_fork(&trace->filters, current, task);
	if (trace->stat)
		return;
	if (!(task->flags & PF_KTHREAD) &&
	    scope_task_wanted(&trace->filters, task))
		begins(trace, task, IPCSCOPE_THREAD_FORK,
		       IPCSCOPE_STATE_RUNNABLE);
}

void scope_process_exec(void *data, struct task_struct *task, pid_t old_pid,
			struct linux_binprm *bprm)
{
	struct scope_trace *trace = data;

	if (scope_may_be_armed(trace) &&
	    scope_task_wanted(&trace->filters, task))
		begins(trace, task, IPCSCOPE_THREAD_EXEC,
		       IPCSCOPE_STATE_RUNNING);
}

static void emit_free(struct scope_trace *trace, struct task_struct *task,
		      u64 now)
{
	struct ipcscope_header record = {};

	if (death_wanted(trace, task))
		scope_emit(trace, task, &record, IPCSCOPE_THREAD_FREE,
			   sizeof(record), now);
	else
		scope_count_filtered(trace, IPCSCOPE_THREAD_FREE);
}

/* Nothing can be sent to it any more.  Its last switch has no hook here. */
static void forget(struct scope_trace *trace, struct task_struct *task,
		   bool armed, u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;

	raw_spin_lock(&bucket->lock);
	thread = scope_thread_find(bucket, task);
	if (thread && armed)
		scope_take_end(trace, thread, now);
	if (thread)
		scope_thread_remove(&trace->threads, thread);
	raw_spin_unlock(&bucket->lock);
	if (!armed)
		return;
	scope_pending_drop(trace->stat, task);
	if (task->tgid == task->pid)
		scope_pending_drop(trace->stat, task->signal);
}

void scope_process_free(void *data, struct task_struct *task)
{
	struct scope_trace *trace = data;
	unsigned long flags;
	bool armed;
	u64 now;

	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	armed = scope_armed(trace, now);
	if (trace->stat)
		forget(trace, task, armed, now);
	else if (armed)
		emit_free(trace, task, now);
	local_irq_restore(flags);
	scope_follow_free(&trace->filters, task);
}
