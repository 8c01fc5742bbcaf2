// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals: generated, sent, dequeued, delivered; and kills of tasks in
 * uninterruptible sleep.
 *
 *   kill(2) --> __send_signal --+-- entry    look at the target, it sleeps
 *                               +-- signal_generate   the outcome
 *                               +-- return   how long it took
 *   receiver --> get_signal --> dequeue_signal --> signal_deliver
 *
 * The target must be looked at on entry: by the time of the tracepoint the
 * send has woken it, and a killable sleeper no longer sleeps.
 */
#include <linux/percpu.h>
#include <linux/sched/signal.h>
#include <linux/signal.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "hooks.h"
#include "state.h"

#define BIT_OF(sig)	(1ULL << ((sig) - 1))
#define DEFAULT_IGNORE	(BIT_OF(SIGCONT) | BIT_OF(SIGCHLD) | \
			 BIT_OF(SIGWINCH) | BIT_OF(SIGURG))
#define DEFAULT_STOP	(BIT_OF(SIGSTOP) | BIT_OF(SIGTSTP) | \
			 BIT_OF(SIGTTIN) | BIT_OF(SIGTTOU))

#define THREADS_SEEN	64	/* of a process, in the search for a stuck one */

/*
 * What was seen of the target on entry to __send_signal.  One per CPU is
 * enough: siglock is held and interrupts are off until it returns.
 */
struct scope_send {
	u64 enter_ns;
	struct task_struct *task;	/* the target, NULL: no send */
	pid_t stuck_tid;
	u32 stuck_threads;
	u32 stack_depth;
	u8 target_state;
	u8 stuck_state;
	u8 disposition;
	bool blocked;
	bool fatal;
	bool unkillable;
	bool dying;			/* the process is exiting already */
	bool wanted;
	u64 stack[IPCSCOPE_STACK_DEPTH];
};

struct scope_send __percpu *scope_sends_alloc(void)
{
	return alloc_percpu(struct scope_send);
}

/* SEND_SIG_NOINFO (0) and SEND_SIG_PRIV (1) are no pointers. */
static bool has_info(const struct kernel_siginfo *info)
{
	return info != SEND_SIG_NOINFO && info != SEND_SIG_PRIV;
}

static u8 disposition_of(const struct k_sigaction *action)
{
	if (action->sa.sa_handler == SIG_DFL)
		return IPCSCOPE_DISPOSITION_DEFAULT;
	if (action->sa.sa_handler == SIG_IGN)
		return IPCSCOPE_DISPOSITION_IGNORE;
	return IPCSCOPE_DISPOSITION_HANDLER;
}

static void look_at_action(struct scope_send *send, struct task_struct *task,
			   int sig)
{
	unsigned int flags = READ_ONCE(task->signal->flags);
	const struct sighand_struct *sighand;

	/* It stays: its siglock is held. */
	sighand = rcu_dereference_protected(task->sighand, true);
	send->disposition = disposition_of(&sighand->action[sig - 1]);
	send->blocked = sigismember(&task->blocked, sig);
	send->unkillable = flags & SIGNAL_UNKILLABLE;
	send->dying = flags & SIGNAL_GROUP_EXIT;
	send->fatal = sig == SIGKILL ||
		      (send->disposition == IPCSCOPE_DISPOSITION_DEFAULT &&
		       !send->blocked && !send->unkillable &&
		       !(BIT_OF(sig) & (DEFAULT_IGNORE | DEFAULT_STOP)));
}

static void note_stuck(struct scope_send *send, struct task_struct *thread,
		       u8 state)
{
	send->stuck_tid = thread->pid;
	send->stuck_state = state;
}

/* A process dies when its last thread does: any of them may be stuck. */
static void find_stuck_thread(struct scope_send *send,
			      struct task_struct *task)
{
	struct task_struct *thread;
	int seen = 0;
	u8 state;

	for_each_thread(task, thread) {
		if (seen++ == THREADS_SEEN)
			break;
		state = scope_task_state(thread);
		if (!scope_stuck(state))
			continue;
		if (!send->stuck_tid)
			note_stuck(send, thread, state);
		send->stuck_threads++;
	}
}

/* The target's siglock is held. */
static void look_at_target(struct scope_trace *trace, struct scope_send *send,
			   struct task_struct *task, int sig)
{
	send->stuck_tid = 0;
	send->stuck_threads = 0;
	send->stack_depth = 0;
	send->target_state = scope_task_state(task);
	look_at_action(send, task, sig);
	if (!send->fatal)
		return;
	if (scope_stuck(send->target_state))
		note_stuck(send, task, send->target_state);
	rcu_read_lock();
	find_stuck_thread(send, task);
	rcu_read_unlock();
	if (send->stuck_tid)
		send->stack_depth = scope_stack_of(&trace->stacks,
						   send->stuck_tid,
						   send->stack);
}

static bool send_wanted(struct scope_trace *trace, struct task_struct *target,
			int sig)
{
	return scope_signal_wanted(&trace->filters, sig) &&
	       (scope_task_wanted(&trace->filters, target) ||
		scope_task_wanted(&trace->filters, current));
}

/* (sig, info, task, type, force) on all kernels since 5.7. */
int scope_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_send *send;
	struct scope_call_send *call = (void *)ri->data;
	int sig = regs_get_kernel_argument(regs, 0);
	struct task_struct *target = (void *)regs_get_kernel_argument(regs, 2);

	if (!trace)
		return 1;
	call->target = target;
	call->sig = sig;
	send = this_cpu_ptr(trace->sends);
	send->task = target;
	send->enter_ns = ktime_get_mono_fast_ns();
	send->wanted = send_wanted(trace, target, sig);
	if (send->wanted)
		look_at_target(trace, send, target, sig);
	return 0;
}

int scope_send_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	const struct scope_call_send *call = (void *)ri->data;
	struct ipcscope_signal_send record = {};
	struct scope_send *send;

	if (!trace)
		return 0;
	send = this_cpu_ptr(trace->sends);
	send->task = NULL;
	if (!send->wanted) {
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_SEND);
		return 0;
	}
	record.enter_ns = send->enter_ns;
	record.target_tgid = call->target->tgid;
	record.target_tid = call->target->pid;
	record.ret = regs_return_value(regs);
	record.sig = call->sig;
	SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_SEND);
	return 0;
}

static u8 origin_of(const struct kernel_siginfo *info)
{
	if (info == SEND_SIG_NOINFO)
		return IPCSCOPE_ORIGIN_TASK;
	if (info == SEND_SIG_PRIV)
		return IPCSCOPE_ORIGIN_KERNEL;
	if (info->si_code == SI_TIMER)
		return IPCSCOPE_ORIGIN_TIMER;
	if (info->si_code == SI_KERNEL)
		return IPCSCOPE_ORIGIN_KERNEL;
	return IPCSCOPE_ORIGIN_TASK;
}

static void emit_kill(struct scope_trace *trace, const struct scope_send *send,
		      struct task_struct *target, int sig, u8 origin,
		      int result)
{
	struct ipcscope_kill record = {};

	record.target_tgid = target->tgid;
	record.stuck_tid = send->stuck_tid;
	strscpy_pad(record.target_comm, target->comm,
		    sizeof(record.target_comm));
	record.sig = sig;
	record.state = send->stuck_state;
	record.origin = origin;
	record.stuck_threads = send->stuck_threads;
	record.stack_depth = send->stack_depth;
	record.result = result;
	memcpy(record.stack, send->stack,
	       send->stack_depth * sizeof(record.stack[0]));
	SCOPE_EMIT(trace, &record, IPCSCOPE_KILL);
}

static void fill_info(struct ipcscope_signal_generate *record,
		      const struct kernel_siginfo *info)
{
	record->has_info = 1;
	record->si_code = info->si_code;
	if (record->si_code > 0 && record->si_code != SI_KERNEL &&
	    record->sig != SIGCHLD)
		return;		/* a fault: the union holds an address */
	if (record->si_code != SI_KERNEL)
		record->sender_pid = info->si_pid;
	if (record->si_code == SI_QUEUE || record->si_code == SI_TIMER)
		record->value = (unsigned long)info->si_ptr;
}

/* The target's siglock is held, so interrupts are off. */
void scope_signal_generate(void *data, int sig, struct kernel_siginfo *info,
			   struct task_struct *target, int group, int result)
{
	struct ipcscope_signal_generate record = {};
	struct scope_trace *trace = data;
	struct scope_send *send = this_cpu_ptr(trace->sends);
	/* A POSIX timer's signal does not pass through __send_signal. */
	bool seen = send->task == target;

	if (!(seen ? send->wanted : send_wanted(trace, target, sig))) {
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_GENERATE);
		return;
	}
	if (!seen)
		look_at_target(trace, send, target, sig);
	record.target_tgid = target->tgid;
	record.target_tid = target->pid;
	strscpy_pad(record.target_comm, target->comm,
		    sizeof(record.target_comm));
	record.sig = sig;
	record.result = result;
	record.target_state = send->target_state;
	record.shared = !!group;
	record.disposition = send->disposition;
	record.blocked = send->blocked;
	record.fatal = send->fatal;
	record.unkillable = send->unkillable;
	if (has_info(info))
		fill_info(&record, info);
	record.origin = origin_of(info);
	SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_GENERATE);
	if (!send->fatal || !send->stuck_tid)
		return;
	/* A process that is dying already answers IGNORED, 5.10 PENDING. */
	if (result == IPCSCOPE_RESULT_DELIVERED ||
	    result == IPCSCOPE_RESULT_INFO_LOST || send->dying)
		emit_kill(trace, send, target, sig,
			  info == SEND_SIG_PRIV ? IPCSCOPE_ORIGIN_KERNEL :
						  IPCSCOPE_ORIGIN_TASK,
			  result);
}

static bool receiver_wanted(struct scope_trace *trace, int sig, u16 kind)
{
	if (scope_signal_wanted(&trace->filters, sig) &&
	    scope_task_wanted(&trace->filters, current))
		return true;
	scope_count_filtered(trace, kind);
	return false;
}

void scope_signal_deliver(void *data, int sig, struct kernel_siginfo *info,
			  struct k_sigaction *action)
{
	struct ipcscope_signal_deliver record = {};
	struct scope_trace *trace = data;

	if (!receiver_wanted(trace, sig, IPCSCOPE_SIGNAL_DELIVER))
		return;
	record.sig = sig;
	record.disposition = disposition_of(action);
	record.sa_flags = action->sa.sa_flags;
	if (has_info(info)) {
		record.has_info = 1;
		record.si_code = info->si_code;
		if (record.si_code <= 0)
			record.sender_pid = info->si_pid;
	}
	SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_DELIVER);
}

int scope_dequeue_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	*(unsigned long *)ri->data =
		regs_get_kernel_argument(regs, SCOPE_DEQUEUE_INFO);
	return 0;
}

int scope_dequeue_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct kernel_siginfo *info = *(void **)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	struct ipcscope_signal_dequeue record = {};
	int sig = regs_return_value(regs);

	/* Where nothing was pending, it is no event. */
	if (!trace || sig <= 0 ||
	    !receiver_wanted(trace, sig, IPCSCOPE_SIGNAL_DEQUEUE))
		return 0;
	record.sig = sig;
	record.si_code = info->si_code;
	if (record.si_code <= 0)
		record.sender_pid = info->si_pid;
	if (record.si_code == SI_QUEUE || record.si_code == SI_TIMER)
		record.value = (unsigned long)info->si_ptr;
	SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_DEQUEUE);
	return 0;
}

int scope_get_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call *call = (void *)ri->data;

	if (!trace)
		return 1;
	if (!scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, IPCSCOPE_SIGNAL_GET);
		return 1;
	}
	memset(call, 0, sizeof(*call));
	call->task = current;
	call->tid = current->pid;
	call->kind = IPCSCOPE_SIGNAL_GET;
	call->ksignal = (void *)regs_get_kernel_argument(regs, 0);
	call->enter_ns = ktime_get_mono_fast_ns();
	return !scope_call_enter(&trace->calls, call);
}

int scope_get_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call *call = (void *)ri->data;
	struct ipcscope_signal_get record = {};

	if (!trace || !scope_call_leave(&trace->calls, call))
		return 0;
	record.enter_ns = call->enter_ns;
	/* The kernel's bool fills one byte of the register. */
	if ((u8)regs_return_value(regs))
		record.sig = call->ksignal->sig;
	SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_GET);
	return 0;
}
