// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals generated, and fatal ones to processes that sleep uninterruptibly.
 *
 *   kill(2) --> __send_signal --+-- entry    look at the target, it sleeps
 *                               +-- signal_generate   the outcome: the record
 *   POSIX timer -----------------> signal_generate    the record
 *
 * The target must be looked at on entry: by the time of the tracepoint the
 * send has woken it, and a killable sleeper no longer sleeps.
 *
 * What the entry saw is in a slot that the tracepoint, the last that the send
 * does, finds by its task.  Until then siglock is held, with interrupts off: a task is in one send.  On
 * PREEMPT_RT siglock is a mutex: the task may move to another CPU meanwhile, and
 * many can be in a send.  Where no slot is near, or the kernel skips the entry,
 * the tracepoint makes the record by itself, as for a timer.
 */
#include <linux/atomic.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/stacktrace.h>
#include <linux/string.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <ipcscope/policy.h>

#include "emit.h"
#include "hooks.h"
#include "name.h"
#include "stat.h"
#include "state.h"
#include "take.h"
#include "terminal.h"

#define SLOT_BITS	7
#define SLOTS_TRIED	4

#define THREADS_SEEN	64	/* of a process, searched for a stuck one */

/* One generation, as far as it is known. */
struct scope_send {
	struct task_struct *sender;	/* NULL: the slot is free */
	struct task_struct *target;
	struct ipcscope_signal_generate record;
	bool callers;			/* are of interest */
	struct ipcscope_kill kill;	/* where its stuck_tid is set */
} ____cacheline_aligned_in_smp;

int scope_sends_init(struct scope_trace *trace)
{
	trace->sends = vzalloc(sizeof(*trace->sends) << SLOT_BITS);
	return trace->sends ? 0 : -ENOMEM;
}

static struct scope_send *slot_near(struct scope_trace *trace, u32 distance)
{
	u32 at = hash_ptr(current, SLOT_BITS) + distance;

	return &trace->sends[at & ((1 << SLOT_BITS) - 1)];
}

/* NULL: too many are in a send. */
static struct scope_send *take_slot(struct scope_trace *trace)
{
	struct scope_send *send;
	u32 i;

	for (i = 0; i < SLOTS_TRIED; i++) {
		send = slot_near(trace, i);
		if (!READ_ONCE(send->sender) &&
		    !cmpxchg(&send->sender, NULL, current))
			return send;
	}
	return NULL;
}

static struct scope_send *find_slot(struct scope_trace *trace,
				    const struct task_struct *target)
{
	struct scope_send *send;
	u32 i;

	for (i = 0; i < SLOTS_TRIED; i++) {
		send = slot_near(trace, i);
		if (READ_ONCE(send->sender) == current &&
		    send->target == target)
			return send;
	}
	return NULL;
}

static void look_at_action(struct ipcscope_signal_generate *record,
			   struct task_struct *task)
{
	unsigned int flags = READ_ONCE(task->signal->flags);
	const struct sighand_struct *sighand;

	/* It stays: its siglock is held. */
	sighand = rcu_dereference_protected(task->sighand, true);
	record->disposition = ipcscope_disposition_of((__force u64)
		sighand->action[record->sig - 1].sa.sa_handler);
	record->blocked = !!sigismember(&task->blocked, record->sig);
	record->unkillable = !!(flags & SIGNAL_UNKILLABLE);
	record->dying = !!(flags & SIGNAL_GROUP_EXIT);
	/* While it waits for it in sigtimedwait(), it is blocked there alone. */
	record->fatal = ipcscope_is_fatal(record->sig, record->disposition,
		record->blocked || sigismember(&task->real_blocked, record->sig),
					  record->unkillable);
}

static void note_stuck(struct ipcscope_kill *kill, struct task_struct *thread,
		       u8 state)
{
	kill->stuck_tid = thread->pid;
	kill->state = state;
}

/* A process dies when its last thread does: any of them may be stuck. */
static void find_stuck_thread(struct ipcscope_kill *kill,
			      struct task_struct *task)
{
	struct task_struct *thread;
	int seen = 0;
	u8 state;

	for_each_thread(task, thread) {
		if (seen++ == THREADS_SEEN)
			break;
		state = scope_task_state(thread);
		if (!ipcscope_stuck(state))
			continue;
		if (!kill->stuck_tid)
			note_stuck(kill, thread, state);
		kill->stuck_threads++;
	}
}

/* A fatal signal: what may keep the process from dying at once. */
static void look_for_stuck(struct scope_trace *trace, struct scope_send *send)
{
	struct ipcscope_kill *kill = &send->kill;
	u8 state = send->record.target_state;

	kill->stuck_threads = 0;
	if (ipcscope_stuck(state))
		note_stuck(kill, send->target, state);
	rcu_read_lock();
	find_stuck_thread(kill, send->target);
	rcu_read_unlock();
	if (!kill->stuck_tid)
		return;
	memset(kill->stack, 0, sizeof(kill->stack));
	kill->stack_depth = scope_stack_of(&trace->stacks, kill->stuck_tid,
					   kill->stack);
}

/* At the entry.  The target's siglock is held, and `send` has the target. */
static void look_at_target(struct scope_trace *trace, struct scope_send *send,
			   int sig)
{
	struct ipcscope_signal_generate *record = &send->record;

	memset(record, 0, sizeof(*record));
	send->kill.stuck_tid = 0;
	record->sig = sig;
	record->target_tgid = send->target->tgid;
	record->target_tid = send->target->pid;
	record->target_state = scope_task_state(send->target);
	look_at_action(record, send->target);
	if (record->fatal)
		look_for_stuck(trace, send);
}

/* At the tracepoint: only then is siginfo as the receiver gets it. */
static void note_outcome(struct scope_send *send,
			 const struct kernel_siginfo *info, int group,
			 int result)
{
	struct ipcscope_signal_generate *record = &send->record;

	record->result = result;
	record->ret = ipcscope_send_ret(result);
	record->shared = !!group;
	if (scope_has_info(info)) {
		record->has_info = 1;
		record->si_code = info->si_code;
		record->sender_pid = scope_info_pid(record->sig, info);
		record->value = scope_info_value(info);
	}
	record->origin = ipcscope_origin_of((unsigned long)info, record->sig,
					    record->si_code,
					    send->target == current,
					    send->target != current &&
					    current->flags & PF_EXITING);
	send->callers = ipcscope_wants_callers((unsigned long)info,
					       record->sig, record->origin,
					       record->fatal);
}

static bool send_wanted(struct scope_trace *trace, struct task_struct *target,
			int sig)
{
	return scope_signal_wanted(&trace->filters, sig) &&
	       (scope_task_wanted(&trace->filters, target) ||
		(target != current &&
		 scope_task_wanted(&trace->filters, current)));
}

/* Of kills alone, only what ends a process is. */
static bool is_wanted(const struct scope_trace *trace,
		      const struct scope_send *send)
{
	return send->record.fatal ||
	       (trace->config.families & IPCSCOPE_FAMILY_SIGNALS);
}

/* (sig, info, task, type, force) on all kernels since 5.7. */
static void send_enters(struct scope_trace *trace, int sig,
			struct task_struct *target)
{
	struct scope_send *send;

	if (!trace || !scope_may_be_armed(trace) ||
	    !send_wanted(trace, target, sig))
		return;		/* the tracepoint counts it */
	send = take_slot(trace);
	if (!send)
		return;
	send->target = target;
	look_at_target(trace, send, sig);
	if (is_wanted(trace, send))
		send->record.enter_ns = ktime_get_mono_fast_ns();
}

SCOPE_WATCHER(scope_send_enter)
{
	send_enters(SCOPE_WATCHED(), SCOPE_ARGUMENT(regs, 0),
		    (void *)SCOPE_ARGUMENT(regs, 2));
	SCOPE_WATCH_END;
}

/* A process that is dying already answers IGNORED, 5.10 PENDING. */
static bool is_kill(const struct scope_send *send)
{
	u8 result = send->record.result;

	return send->kill.stuck_tid &&
	       (result == IPCSCOPE_RESULT_DELIVERED ||
		result == IPCSCOPE_RESULT_INFO_LOST || send->record.dying);
}

static void emit_kill(struct scope_trace *trace, struct scope_send *send,
		      u64 now)
{
	struct ipcscope_kill *kill = &send->kill;

	kill->target_tgid = send->record.target_tgid;
	kill->sig = send->record.sig;
	kill->origin = send->record.origin;
	kill->result = send->record.result;
	SCOPE_EMIT(trace, current, kill, IPCSCOPE_KILL, now);
}

static void emit_with_callers(struct scope_trace *trace,
			      const struct scope_send *send, u64 now)
{
	unsigned long entries[IPCSCOPE_CALLERS];
	struct ipcscope_signal_callers record = {};
	unsigned int i;

	memcpy(&record, &send->record, sizeof(send->record));
	scope_oom_add(&trace->oom, &record);
	record.terminal = scope_terminal_of(trace, send->target);
	record.stack_depth = stack_trace_save(entries, ARRAY_SIZE(entries), 0);
	for (i = 0; i < record.stack_depth; i++)
		record.stack[i] = entries[i];
	SCOPE_EMIT(trace, current, &record, IPCSCOPE_SIGNAL_GENERATE, now);
}

/* As far as its memory is there: nothing can be waited for here. */
static bool read_words(void *to, unsigned long from, size_t bytes)
{
	const void __user *words = (const void __user *)from;
	bool ok;

	if (!access_ok(words, bytes))
		return false;
	pagefault_disable();
	ok = !__copy_from_user_inatomic(to, words, bytes);
	pagefault_enable();
	return ok;
}

/* The command line of current's program, once. */
static void emit_command(struct scope_trace *trace, struct scope_thread *thread,
			 u64 now)
{
	const struct mm_struct *mm = current->mm;
	struct ipcscope_command record = {};
	unsigned long from, bytes;

	if (!mm || current->flags & PF_KTHREAD)
		return;
	from = READ_ONCE(mm->arg_start);
	bytes = READ_ONCE(mm->arg_end) - from;
	if (!bytes)
		return;
	if (read_words(record.words, from,
		       min_t(size_t, bytes, sizeof(record.words))))
		record.bytes = min_t(unsigned long, bytes, U32_MAX);
	else
		memset(record.words, 0, sizeof(record.words));
	if (SCOPE_EMIT(trace, current, &record, IPCSCOPE_COMMAND, now) && thread)
		thread->commanded = true;
}

/*
 * Names current.  A debugger's get_signal() puts a signal back that is blocked
 * by now: its thread sends it to itself, while the taking of it is open.
 */
static struct scope_thread *name_sender(struct scope_trace *trace,
					struct scope_send *send, u64 now)
{
	struct scope_bucket *bucket = scope_bucket_of(&trace->threads, current);
	struct scope_thread *thread = scope_thread_own(bucket);

	if (!thread && !hlist_empty(&bucket->threads)) {
		raw_spin_lock(&bucket->lock);
		thread = scope_thread_find(bucket, current);
		raw_spin_unlock(&bucket->lock);
	}
	scope_name(trace, current, thread, now);
	send->record.requeued = thread && send->target == current &&
				thread->take.sig == send->record.sig;
	return thread;
}

static bool wants_command(const struct scope_send *send,
			  const struct scope_thread *thread)
{
	return !(thread && thread->commanded) &&
	       ipcscope_wants_command(send->record.sig, send->record.origin,
				      send->record.fatal,
				      same_thread_group(send->target, current));
}

/*
 * Interrupts are off.  The target is awake and may run by now, and report a new
 * name: the generation's time is taken with the look at its name.
 */
static void emit_generation(struct scope_trace *trace, struct scope_send *send)
{
	struct scope_thread *thread;
	u64 now = send->target == current ?
			  ktime_get_mono_fast_ns() :
			  scope_name_task(trace, send->target);

	if (!scope_armed(trace, now))
		return;
	if (!send->record.enter_ns)
		send->record.enter_ns = now;
	thread = name_sender(trace, send, now);
	if (wants_command(send, thread))
		emit_command(trace, thread, now);
	if (is_kill(send))
		emit_kill(trace, send, now);
	if (send->callers)
		emit_with_callers(trace, send, now);
	else
		SCOPE_EMIT_INLINE(trace, current, &send->record,
				  IPCSCOPE_SIGNAL_GENERATE, now);
}

static void send_ends(struct scope_trace *trace, struct scope_send *send)
{
	unsigned long flags;

	local_irq_save(flags);
	if (!is_wanted(trace, send))
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_GENERATE);
	else if (scope_armed(trace, send->record.enter_ns))
		emit_generation(trace, send);
	/* The slot is free: all of it has been read. */
	smp_store_release(&send->sender, NULL);
	local_irq_restore(flags);
}

static void generated_alone(struct scope_trace *trace, int sig,
			    struct kernel_siginfo *info,
			    struct task_struct *target, int group, int result)
{
	struct scope_send send;
	unsigned long flags;

	send.target = target;
	memset(&send.kill, 0, offsetof(struct ipcscope_kill, stack));
	local_irq_save(flags);
	if (scope_armed(trace, ktime_get_mono_fast_ns())) {
		look_at_target(trace, &send, sig);
		note_outcome(&send, info, group, result);
		send.record.enter_ns = 0;	/* when it is emitted */
		if (is_wanted(trace, &send))
			emit_generation(trace, &send);
		else
			scope_count_filtered(trace, IPCSCOPE_SIGNAL_GENERATE);
	}
	local_irq_restore(flags);
}

/* Wanted for its target, or for its sender alone. */
static void sum_generation(struct scope_trace *trace, int sig,
			   const struct kernel_siginfo *info,
			   struct task_struct *target, int group, int result)
{
	bool for_target = scope_task_wanted(&trace->filters, target);
	unsigned long flags;
	u64 now;

	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now))
		scope_stat_generated(trace, sig, info, target, group, result,
				     for_target, now);
	local_irq_restore(flags);
}

/* The target's siglock is held. */
void scope_signal_generate(void *data, int sig, struct kernel_siginfo *info,
			   struct task_struct *target, int group, int result)
{
	struct scope_trace *trace = data;
	struct scope_send *send =
		trace->stat ? NULL : find_slot(trace, target);

	if (send) {
		note_outcome(send, info, group, result);
		send_ends(trace, send);
		return;
	}
	if (!scope_may_be_armed(trace))
		return;
	if (!send_wanted(trace, target, sig))
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_GENERATE);
	else if (trace->stat)
		sum_generation(trace, sig, info, target, group, result);
	else
		generated_alone(trace, sig, info, target, group, result);
}
