// SPDX-License-Identifier: GPL-2.0-only
#include <linux/build_bug.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include <ipcscope/transport.h>

#include "emit.h"
#include "name.h"
#include "state.h"
#include "time.h"
#include "trace.h"

static void emit_slice(struct scope_trace *trace, struct scope_thread *thread,
		       const struct ipcscope_stay *stay, u64 now)
{
	struct ipcscope_slice record = {};

	if (!stay->start_ns)
		return;
	ipcscope_fill_slice(&record, stay);
	scope_name(trace, thread->task, thread, now);
	SCOPE_EMIT(trace, thread->task, &record, IPCSCOPE_SLICE, now);
}

struct scope_thread *scope_time_begin(struct scope_trace *trace,
				      struct scope_bucket *bucket,
				      struct task_struct *task, u8 state,
				      u64 now)
{
	struct scope_thread *thread = scope_thread_add(&trace->threads, bucket,
						       task, now);

	if (thread)
		thread->account.state = state;
	else
		scope_count_lost(trace, IPCSCOPE_THREAD_TIME,
				 IPCSCOPE_LOST_TABLE_FULL);
	return thread;
}

void scope_time_leave(struct scope_trace *trace, struct scope_thread *thread,
		      bool preempt, unsigned int bits, u64 now)
{
	u16 syscall = IPCSCOPE_SYSCALL_NONE;
	u8 state = IPCSCOPE_STATE_RUNNING;
	struct ipcscope_stay ran;

	if (!preempt && bits) {
		syscall = scope_syscall_of(thread->task);
		state = scope_state_of(thread->task, bits, syscall);
	}
	if (state == IPCSCOPE_STATE_TRACED)
		thread->take.traced = 1;
	ipcscope_account_leave(&thread->account, now, state, syscall, &ran);
	emit_slice(trace, thread, &ran, now);
}

void scope_time_resume(struct scope_trace *trace, struct scope_thread *thread,
		       u64 now)
{
	struct ipcscope_stay slept, waited;

	ipcscope_account_resume(&thread->account, now, &slept, &waited);
	emit_slice(trace, thread, &slept, now);
	emit_slice(trace, thread, &waited, now);
}

static void fill_call(struct ipcscope_call *call,
		      const struct ipcscope_account *account, u16 flags,
		      s32 ret)
{
	call->header.flags = flags;
	call->since_ns = account->since_ns;
	call->enter_ns = account->enter_ns;
	call->ret = ret;
	call->sleeps = account->sleeps;
}

static void fill_split_call(struct ipcscope_call_split *record,
			    const struct ipcscope_call *call,
			    const struct ipcscope_account *account, u64 now)
{
	memcpy(record, call, sizeof(*call));
	ipcscope_fill_split(record, account, &account->times, now);
}

/* The record of the call that is open, as if it ended now. */
static void emit_call(struct scope_trace *trace, struct scope_thread *thread,
		      u16 flags, s32 ret, u64 now)
{
	struct ipcscope_account *account = &thread->account;
	struct task_struct *task = thread->task;
	struct ipcscope_call_split split;

	fill_call(&thread->call, account, flags, ret);
	scope_name(trace, task, thread, now);
	if (flags || ipcscope_times_any(&account->times)) {
		fill_split_call(&split, &thread->call, account, now);
		SCOPE_EMIT(trace, task, &split, account->call, now);
	} else {
		SCOPE_EMIT(trace, task, &thread->call, account->call, now);
	}
	ipcscope_account_recorded(account, &account->times, now);
}

/* The same of a thread that only ran since its last record. */
static void emit_short_call(struct scope_trace *trace,
			    struct scope_thread *thread, s32 ret, u64 now)
{
	struct ipcscope_account *account = &thread->account;

	fill_call(&thread->call, account, 0, ret);
	scope_name(trace, thread->task, thread, now);
	SCOPE_EMIT_INLINE(trace, thread->task, &thread->call, account->call,
			  now);
	ipcscope_account_recorded_run(account, now);
}

/*
 * It is on the CPU, with interrupts off: no other writes here.  A waker has not
 * begun, since it finds it running; or it has woken it, and is done.
 */
void scope_time_exit(struct scope_trace *trace, struct scope_thread *thread,
		     s32 ret, u64 now)
{
	if (!thread->account.call)
		return;
	if (ipcscope_account_left(&thread->account))
		emit_call(trace, thread, 0, ret, now);
	else
		emit_short_call(trace, thread, ret, now);
}

static void fill_time(struct ipcscope_thread_time *record,
		      const struct ipcscope_account *account)
{
	record->since_ns = account->since_ns;
	IPCSCOPE_FILL_BETWEEN(record, &account->times);
}

static void emit_exit(struct scope_trace *trace, struct task_struct *task,
		      struct scope_thread *thread, u64 now)
{
	struct ipcscope_thread_time record = {};

	record.since_ns = now;
	if (thread)
		fill_time(&record, &thread->account);
	record.exit_code = task->exit_code;
	record.syscall = IPCSCOPE_SYSCALL_NONE;
	record.state = IPCSCOPE_STATE_DEAD;
	record.group_dead = !atomic_read(&task->signal->live);
	scope_name(trace, task, thread, now);
	SCOPE_EMIT(trace, task, &record, IPCSCOPE_THREAD_EXIT, now);
}

void scope_time_end(struct scope_trace *trace, struct task_struct *task,
		    struct scope_thread *thread, bool wanted, u64 now)
{
	if (thread) {
		scope_time_leave(trace, thread, false, TASK_DEAD, now);
		if (thread->account.call)
			emit_call(trace, thread, IPCSCOPE_UNFINISHED, 0, now);
	}
	if (wanted)
		emit_exit(trace, task, thread, now);
	else
		scope_count_filtered(trace, IPCSCOPE_THREAD_EXIT);
}

/* What a thread is in that has not been seen to leave the CPU. */
static void look_at_state(struct scope_thread *thread, unsigned int bits)
{
	struct ipcscope_account *account = &thread->account;
	struct task_struct *task = thread->task;

	if (!bits) {
		if (!scope_task_on_cpu(task))
			account->state = IPCSCOPE_STATE_RUNNABLE;
		return;
	}
	account->syscall = scope_syscall_of(task);
	account->state = scope_state_of(task, bits, account->syscall);
}

/*
 * Under RCU.  One that is past its last switch would never be taken out: it has
 * set its state before that, and takes the bucket's lock after it.
 */
static void sweep_thread(struct scope_trace *trace, struct task_struct *task)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, task);
	struct scope_thread *thread;
	unsigned int bits;
	unsigned long flags;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	bits = scope_task_state_bits(task);
	if (!(bits & TASK_DEAD) && !scope_thread_find(bucket, task)) {
		thread = scope_time_begin(trace, bucket, task,
					  IPCSCOPE_STATE_RUNNING,
					  ktime_get_mono_fast_ns());
		if (thread)
			look_at_state(thread, bits);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
}

void scope_time_sweep(struct scope_trace *trace)
{
	struct task_struct *process, *task;

	rcu_read_lock();
	for_each_process_thread(process, task)
		if (!(task->flags & PF_KTHREAD) &&
		    scope_task_wanted(&trace->filters, task))
			sweep_thread(trace, task);
	rcu_read_unlock();
}

static void finish_header(const struct scope_thread *thread,
			  struct ipcscope_header *header, u16 kind, u16 size,
			  u64 now)
{
	header->time_ns = now;
	header->tgid = thread->tgid;
	header->tid = thread->tid;
	header->kind = kind;
	header->size = size;
	header->flags = IPCSCOPE_UNFINISHED;
}

static void put_take(const struct scope_thread *thread, void *to, u64 now)
{
	struct ipcscope_signal_take *record = to;

	*record = thread->take;
	record->how = IPCSCOPE_TAKE_DEBUGGER;
	record->disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
	finish_header(thread, &record->header, IPCSCOPE_SIGNAL_TAKE,
		      sizeof(*record), now);
}

static void put_slice(const struct scope_thread *thread, void *to,
		      const struct ipcscope_stay *stay, u64 now)
{
	struct ipcscope_slice *record = to;

	ipcscope_fill_slice(record, stay);
	finish_header(thread, &record->header, IPCSCOPE_SLICE,
		      sizeof(*record), now);
}

static void put_call(const struct scope_thread *thread, void *to,
		     const struct ipcscope_account *account, u64 now)
{
	struct ipcscope_call call = thread->call;

	fill_call(&call, account, 0, 0);
	fill_split_call(to, &call, account, now);
	finish_header(thread, to, account->call,
		      sizeof(struct ipcscope_call_split), now);
}

static void put_time(const struct scope_thread *thread, void *to,
		     const struct ipcscope_account *account, u64 now)
{
	struct ipcscope_thread_time *record = to;

	fill_time(record, account);
	record->syscall = account->syscall;
	record->state = account->state;
	finish_header(thread, &record->header, IPCSCOPE_THREAD_TIME,
		      sizeof(*record), now);
}

/*
 * The records of what a thread had under way as the trace ended, one of which,
 * by its number, goes `to` a record that is zero.  Returns how many there are.
 */
static u32 put_unfinished(struct scope_trace *trace,
			  const struct scope_thread *thread, u32 number,
			  void *to)
{
	struct ipcscope_account account = thread->account;
	u64 now = trace->start_ns + trace->window_ns;
	struct ipcscope_stay slept, waited;
	u32 count = 0;

	ipcscope_account_flush(&account, now, &slept, &waited);
	if (thread->take.sig &&
	    scope_signal_wanted(&trace->filters, thread->take.sig) &&
	    count++ == number)
		put_take(thread, to, now);
	if (slept.start_ns && count++ == number)
		put_slice(thread, to, &slept, now);
	if (waited.start_ns && count++ == number)
		put_slice(thread, to, &waited, now);
	if (count++ == number) {
		if (account.call)
			put_call(thread, to, &account, now);
		else
			put_time(thread, to, &account, now);
	}
	return count;
}

static u32 count_of(struct scope_trace *trace, u32 index)
{
	const struct scope_thread *thread = &trace->threads.all[index];

	return thread->task ? put_unfinished(trace, thread, U32_MAX, NULL) : 0;
}

void scope_time_count_unfinished(struct scope_trace *trace)
{
	u32 i;

	trace->unfinished_thread = 0;
	trace->unfinished_first = 0;
	trace->unfinished_count = 0;
	for (i = 0; i < trace->threads.used; i++)
		trace->unfinished_count += count_of(trace, i);
}

/*
 * unfinished->index is in range.  They are asked for one after the other, as a
 * rule: then each thread is looked at once.
 */
void scope_time_unfinished(struct scope_trace *trace,
			   struct ipcscope_unfinished *unfinished)
{
	u32 index = unfinished->index;
	u32 count;

	static_assert(sizeof(struct ipcscope_signal_take) <=
		      IPCSCOPE_UNFINISHED_BYTES);
	if (index < trace->unfinished_first) {
		trace->unfinished_thread = 0;
		trace->unfinished_first = 0;
	}
	while (index - trace->unfinished_first >=
	       (count = count_of(trace, trace->unfinished_thread))) {
		trace->unfinished_first += count;
		trace->unfinished_thread++;
	}
	memset(unfinished->record, 0, sizeof(unfinished->record));
	put_unfinished(trace,
		       &trace->threads.all[trace->unfinished_thread],
		       index - trace->unfinished_first, unfinished->record);
}
