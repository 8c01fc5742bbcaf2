// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals taken out of their queues, in the context of their receiver.
 *
 *   get_signal --> dequeue_signal --> (a debugger) --> signal_deliver
 *                  the taking is open                  and ends
 *
 * get_signal() goes on until dequeue_signal() finds nothing, so a taking that
 * the debugger dropped ends at the next dequeue.  Other callers take for good.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include <asm/unistd.h>

#include <ipcscope/policy.h>

#include "emit.h"
#include "hooks.h"
#include "name.h"
#include "stat.h"
#include "state.h"
#include "take.h"

bool scope_has_info(const struct kernel_siginfo *info)
{
	return info != SEND_SIG_NOINFO && info != SEND_SIG_PRIV;
}

u32 scope_info_pid(int sig, const struct kernel_siginfo *info)
{
	return ipcscope_info_has_pid(sig, info->si_code) &&
			       info->si_code != SI_TIMER ? info->si_pid : 0;
}

u64 scope_info_value(const struct kernel_siginfo *info)
{
	return ipcscope_info_has_value(info->si_code) ?
		       (unsigned long)info->si_ptr : 0;
}

static void fill_info(struct ipcscope_signal_take *record, int sig,
		      const struct kernel_siginfo *info)
{
	record->sig = sig;
	if (!scope_has_info(info))
		return;
	record->has_info = 1;
	record->si_code = info->si_code;
	record->sender_pid = scope_info_pid(sig, info);
	record->value = scope_info_value(info);
	if (info->si_code == SI_TIMER)
		record->overrun = info->si_overrun;
}

static bool take_wanted(struct scope_trace *trace, struct task_struct *task,
			int sig)
{
	return scope_signal_wanted(&trace->filters, sig) &&
	       scope_task_wanted(&trace->filters, task);
}

static void count_unwanted(struct scope_trace *trace,
			   const struct ipcscope_signal_take *take)
{
	scope_count_filtered(trace, IPCSCOPE_SIGNAL_TAKE);
	if (trace->stat && take->value)
		scope_count_unpaired(trace->stat, take->sig,
				     IPCSCOPE_UNPAIRED_UNWANTED, 1);
}

/*
 * A taking ends: `thread` is the state of who took it; NULL: it has none, and is
 * current.  For a sum `value` is when the signal was generated.
 */
static void emit_take(struct scope_trace *trace, struct scope_thread *thread,
		      struct ipcscope_signal_take *record, u8 how, u64 now)
{
	struct task_struct *task = thread ? thread->task : current;

	if (!take_wanted(trace, task, record->sig)) {
		count_unwanted(trace, record);
		return;
	}
	if (trace->stat) {
		scope_stat_taken(trace, task, record, how, now);
		return;
	}
	record->how = how;
	scope_name(trace, task, thread, now);
	SCOPE_EMIT_INLINE(trace, task, record, IPCSCOPE_SIGNAL_TAKE, now);
}

/* The debugger has dropped it, or put another in its place. */
static void end_dropped(struct scope_trace *trace, struct scope_thread *thread,
			u64 now)
{
	thread->take.disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
	emit_take(trace, thread, &thread->take, IPCSCOPE_TAKE_DEBUGGER, now);
	thread->take.sig = 0;
}

void scope_take_end(struct scope_trace *trace, struct scope_thread *thread,
		    u64 now)
{
	if (thread->take.sig)
		end_dropped(trace, thread, now);
}

void scope_take_end_all(struct scope_trace *trace, u64 now)
{
	struct scope_threads *threads = &trace->threads;
	struct scope_thread *thread;
	unsigned long flags;
	u32 i;

	for (i = 0; i < 1u << threads->bits; i++) {
		raw_spin_lock_irqsave(&threads->buckets[i].lock, flags);
		hlist_for_each_entry(thread, &threads->buckets[i].threads, node)
			scope_take_end(trace, thread, now);
		raw_spin_unlock_irqrestore(&threads->buckets[i].lock, flags);
	}
}

/*
 * The state of current; made where it has none and is wanted, but for a kernel
 * thread.  It stays, since a state goes at its thread's last switch only.
 */
static struct scope_thread *find_own_state(struct scope_trace *trace,
					   struct scope_bucket *bucket)
{
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	raw_spin_lock_irqsave(&bucket->lock, flags);
	thread = scope_thread_find(bucket, current);
	if (!thread && !(current->flags & PF_KTHREAD) &&
	    scope_task_wanted(&trace->filters, current)) {
		now = ktime_get_mono_fast_ns();
		if (scope_armed(trace, now))
			thread = scope_thread_add(&trace->threads, bucket,
						  current, now);
	}
	raw_spin_unlock_irqrestore(&bucket->lock, flags);
	return thread;
}

static struct scope_thread *own_state(struct scope_trace *trace)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);

	return scope_thread_own(bucket) ?: find_own_state(trace, bucket);
}

static void get_signal_enters(struct scope_trace *trace)
{
	struct scope_bucket *bucket;
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || !scope_may_be_armed(trace))
		return;
	bucket = scope_bucket_of(&trace->threads, current);
	thread = scope_thread_own(bucket);
	if (!thread && !hlist_empty(&bucket->threads)) {
		raw_spin_lock_irqsave(&bucket->lock, flags);
		thread = scope_thread_find(bucket, current);
		raw_spin_unlock_irqrestore(&bucket->lock, flags);
	}
	if (thread)
		thread->get_signal_ns = ktime_get_mono_fast_ns();
}

SCOPE_WATCHER(scope_get_signal)
{
	get_signal_enters(SCOPE_WATCHED());
	SCOPE_WATCH_END;
}

/*
 * Of a user's thread, only get_signal() takes with the very set of what it
 * blocks: sigtimedwait() and signalfd have one of their own.
 */
static u8 taken_by(const sigset_t *mask)
{
	if (current->flags & PF_KTHREAD)
		return IPCSCOPE_TAKE_KERNEL_THREAD;
	if (mask == &current->blocked)
		return IPCSCOPE_TAKE_HANDLER;	/* or what is done instead */
	if (scope_syscall_of(current) == __NR_rt_sigtimedwait)
		return IPCSCOPE_TAKE_SIGWAIT;
	return IPCSCOPE_TAKE_SIGNALFD;
}

/*
 * Of a thread without a state nothing is remembered: what it takes in
 * get_signal() is counted as it is delivered.
 */
int scope_dequeue_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call_dequeue *call = (void *)ri->data;
	const sigset_t *mask;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	call->info = (void *)regs_get_kernel_argument(regs, SCOPE_DEQUEUE_INFO);
	mask = (void *)regs_get_kernel_argument(regs, SCOPE_DEQUEUE_MASK);
	call->how = taken_by(mask);
	call->thread = own_state(trace);
	/* A sum's signal leaves its queue here. */
	return !call->thread && call->how == IPCSCOPE_TAKE_HANDLER &&
	       !trace->stat;
}

/* By get_signal(), which found `sig`, or 0. */
static void dequeued_to_deliver(struct scope_trace *trace,
				struct scope_thread *thread, int sig,
				const struct kernel_siginfo *info, u64 now)
{
	struct ipcscope_signal_take *take = &thread->take;

	if (take->sig)
		end_dropped(trace, thread, now);
	if (sig <= 0)
		return;
	memset(take, 0, sizeof(*take));
	if (trace->stat) {
		take->sig = sig;
		take->value = scope_pending_take(trace->stat, sig);
		return;
	}
	take->dequeued_ns = now;
	take->enter_ns = thread->get_signal_ns;
	fill_info(take, sig, info);
}

/* By get_signal() in a thread without a state: counted as it is delivered. */
static void dequeued_unwanted(struct scope_trace *trace, int sig)
{
	if (sig >= 1 && sig <= IPCSCOPE_SIGNALS_COUNT &&
	    scope_pending_take(trace->stat, sig))
		scope_count_unpaired(trace->stat, sig,
				     IPCSCOPE_UNPAIRED_UNWANTED, 1);
}

static void dequeued_for_good(struct scope_trace *trace,
			      struct scope_thread *thread, int sig,
			      const struct kernel_siginfo *info, u8 how,
			      u64 now)
{
	struct ipcscope_signal_take record = {};

	record.dequeued_ns = now;
	record.disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
	fill_info(&record, sig, info);
	if (trace->stat)
		record.value = scope_pending_take(trace->stat, sig);
	emit_take(trace, thread, &record, how, now);
}

int scope_dequeue_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct scope_call_dequeue *call = (void *)ri->data;
	bool to_deliver = call->how == IPCSCOPE_TAKE_HANDLER;
	struct scope_trace *trace = scope_trace_of(ri);
	int sig = regs_return_value(regs);
	unsigned long flags;
	u64 now;

	if (!trace || (sig <= 0 && !to_deliver))
		return 0;
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now)) {
		if (to_deliver && !call->thread)
			dequeued_unwanted(trace, sig);
		else if (to_deliver)
			dequeued_to_deliver(trace, call->thread, sig,
					    call->info, now);
		else
			dequeued_for_good(trace, call->thread, sig, call->info,
					  call->how, now);
	}
	local_irq_restore(flags);
	return 0;
}

static u8 group_of(const struct signal_struct *signal)
{
	if (scope_dumps_core(signal))
		return IPCSCOPE_GROUP_CORE_DUMP;
	if (READ_ONCE(signal->flags) & SIGNAL_GROUP_EXIT)
		return IPCSCOPE_GROUP_EXIT;
	if (scope_execs(signal))
		return IPCSCOPE_GROUP_EXEC;
	return IPCSCOPE_GROUP_NONE;
}

static u8 how_delivered(int sig, u8 disposition)
{
	if (disposition == IPCSCOPE_DISPOSITION_HANDLER)
		return IPCSCOPE_TAKE_HANDLER;
	return ipcscope_is_ignored(sig, disposition) ? IPCSCOPE_TAKE_IGNORED :
						       IPCSCOPE_TAKE_DEFAULT;
}

static void deliver(struct scope_trace *trace, struct scope_thread *thread,
		    int sig, const struct kernel_siginfo *info,
		    const struct k_sigaction *action, u64 now)
{
	struct ipcscope_signal_take *take = &thread->take;
	const struct signal_struct *signal = current->signal;
	u8 how;

	if (take->sig && take->sig != sig)
		end_dropped(trace, thread, now);
	take->disposition =
		ipcscope_disposition_of((__force u64)action->sa.sa_handler);
	how = how_delivered(sig, take->disposition);
	if (!take->sig) {
		memset(take, 0, offsetof(typeof(*take), disposition));
		take->enter_ns = thread->get_signal_ns;
		if (!trace->stat)
			fill_info(take, sig, info);
		take->sig = sig;
		take->group = sig == SIGKILL ? group_of(signal) :
					       IPCSCOPE_GROUP_NONE;
		if (take->group) {
			how = IPCSCOPE_TAKE_GROUP_EXIT;
			take->group_signal = signal->group_exit_code & 0x7f;
		} else if (trace->stat) {
			take->value = scope_pending_take(trace->stat, sig);
		}
	}
	take->sa_flags = action->sa.sa_flags;
	emit_take(trace, thread, take, how, now);
	take->sig = 0;
}

/* In get_signal(), with siglock held. */
void scope_signal_deliver(void *data, int sig, struct kernel_siginfo *info,
			  struct k_sigaction *action)
{
	struct scope_trace *trace = data;
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	if (!scope_may_be_armed(trace))
		return;
	local_irq_save(flags);
	thread = own_state(trace);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now)) {
		if (thread)
			deliver(trace, thread, sig, info, action, now);
		else if (take_wanted(trace, current, sig))
			scope_count_lost(trace, IPCSCOPE_SIGNAL_TAKE,
					 IPCSCOPE_LOST_TABLE_FULL);
		else
			scope_count_filtered(trace, IPCSCOPE_SIGNAL_TAKE);
	}
	local_irq_restore(flags);
}

/* Without siglock: it may be gone by the time that it is discarded. */
static bool is_pending(int sig)
{
	return sigismember(&current->pending.signal, sig) ||
	       sigismember(&current->signal->shared_pending.signal, sig);
}

/* (sig, act, oact); an `act` that ignores a pending signal discards it. */
int scope_sigaction_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call_sigaction *call = (void *)ri->data;
	int sig = regs_get_kernel_argument(regs, 0);
	const struct k_sigaction *action =
		(void *)regs_get_kernel_argument(regs, 1);

	if (!trace || !scope_may_be_armed(trace) || !action || sig < 1 ||
	    sig > 64)
		return 1;
	call->sig = sig;
	call->enter_ns = ktime_get_mono_fast_ns();
	call->disposition =
		ipcscope_disposition_of((__force u64)action->sa.sa_handler);
	return !ipcscope_is_ignored(sig, call->disposition) ||
	       !is_pending(sig);
}

int scope_sigaction_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct scope_call_sigaction *call = (void *)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	struct ipcscope_signal_take record = {};
	struct scope_thread *thread;
	unsigned long flags;
	u64 now;

	if (!trace || (int)regs_return_value(regs) != 0)
		return 0;
	record.sig = call->sig;
	record.disposition = call->disposition;
	local_irq_save(flags);
	thread = own_state(trace);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now)) {
		emit_take(trace, thread, &record, IPCSCOPE_TAKE_DISCARDED, now);
		if (trace->stat)
			scope_pending_discard(trace->stat, call->sig,
					      call->enter_ns);
	}
	local_irq_restore(flags);
	return 0;
}
