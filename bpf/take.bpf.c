// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals taken.
 *
 *   get_signal ─► dequeue_signal ─► (debugger) ─► signal_deliver
 *                  opens a taking                  ends it
 *   sigwait, signalfd, kernel thread ─► dequeue_signal: begun and ended
 *
 * get_signal() is distinguished by its mask, the task's own `blocked`.
 * It takes signals until one is delivered to a handler or none is left: a taking
 * that is still open at its next dequeue came to nothing.  No hook at its exit
 * is needed.
 *
 * dequeue_signal and signal_deliver run under siglock with interrupts off, so
 * that the kernel skips neither.
 */
#include "call.bpf.h"
#include "take.bpf.h"
#include <bpf/bpf_tracing.h>

/* The signals that the kernel may take out of turn (dequeue_synchronous_signal). */
#define SYNCHRONOUS							\
	(IPCSCOPE_SIG_BIT(4) | IPCSCOPE_SIG_BIT(5) | IPCSCOPE_SIG_BIT(7) | \
	 IPCSCOPE_SIG_BIT(8) | IPCSCOPE_SIG_BIT(11) | IPCSCOPE_SIG_BIT(31))

static __always_inline void note_info(struct ipcscope_open_take *take,
				      const struct siginfo_head *info)
{
	take->si_code = info->si_code;
	if (info->si_code == IPCSCOPE_SI_TIMER)
		take->overrun = info->uid;
	else if (ipcscope_info_has_pid(take->sig, info->si_code))
		take->sender_pid = info->pid;
}

/* `address` can be SEND_SIG_NOINFO (0) or SEND_SIG_PRIV (1). */
static __always_inline bool read_info(struct ipcscope_open_take *take,
				      __u64 address)
{
	struct siginfo_head info;

	if (address <= 1 ||
	    bpf_probe_read_kernel(&info, sizeof(info), (void *)address))
		return false;
	note_info(take, &info);
	if (ipcscope_info_has_value(info.si_code))
		take->value = info.value;
	return true;
}

/* `info` is typed, and there; its value is part of a union, and is not. */
static __always_inline void load_info(struct ipcscope_open_take *take,
				      const struct siginfo_head *info)
{
	note_info(take, info);
	if (ipcscope_info_has_value(take->si_code))
		bpf_probe_read_kernel(&take->value, sizeof(take->value),
				      &info->value);
}

static __always_inline bool in_get_signal(struct task_struct *task, __u64 mask)
{
	return mask == (__u64)task +
		       bpf_core_field_offset(struct task_struct, blocked);
}

/* It found nothing (more). */
static __always_inline void leaves_get_signal(__u64 mask)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread;

	if (!in_get_signal(task, mask))
		return;
	thread = thread_find(task);
	if (!thread)
		return;
	drop_take(thread, task, bpf_ktime_get_ns());
	thread->get_signal_ns = 0;
}

/* By another than get_signal(): taken for good. */
NOINLINE void taken(struct ipcscope_thread_state *thread,
		    struct task_struct *task, int sig, __u64 info, __u64 now)
{
	struct take_end end = {
		.now = clock_of(now),
		.disposition = IPCSCOPE_DISPOSITION_UNKNOWN,
	};
	struct ipcscope_open_take take = { .dequeued_ns = now, .sig = sig };

	if (IPCSCOPE_STAT)
		take.value = pending_pair(task, sig);
	else
		end.has_info = read_info(&take, info);
	if (LOAD(task, flags) & PF_KTHREAD)
		end.how = IPCSCOPE_TAKE_KERNEL_THREAD;
	else if (syscall_of(task) == __NR_rt_sigtimedwait)
		end.how = IPCSCOPE_TAKE_SIGWAIT;
	else
		end.how = IPCSCOPE_TAKE_SIGNALFD;
	emit_take(thread, task, &take, &end);
}

/* `info` is the caller's own, never SEND_SIG_NOINFO or SEND_SIG_PRIV. */
static __always_inline void dequeued(int sig, __u64 mask,
				     const struct siginfo_head *info)
{
	struct ipcscope_thread_state *thread;
	struct own_thread own;
	__u64 now;

	if (sig <= 0) {
		leaves_get_signal(mask);
		return;		/* nothing was pending: not an event */
	}
	own = own_thread();
	thread = own.state;
	now = IPCSCOPE_STAT ? 0 : bpf_ktime_get_ns();
	if (thread)
		drop_take(thread, own.task, now);
	if (!own.wanted || !signal_wanted(sig)) {
		count_filtered(IPCSCOPE_SIGNAL_TAKE);
		if (IPCSCOPE_STAT && signal_wanted(sig))
			pending_unwanted(own.task, sig);
		return;
	}
	if (!in_get_signal(own.task, mask) ||
	    (!thread && LOAD(own.task, flags) & PF_KTHREAD)) {
		taken(thread, own.task, sig, (__u64)info, now);
		return;
	}
	if (!thread) {
		count_lost(IPCSCOPE_SIGNAL_TAKE, IPCSCOPE_LOST_TABLE_FULL);
		if (IPCSCOPE_STAT)
			pending_pair(own.task, sig);
		return;
	}
	if (IPCSCOPE_STAT) {
		thread->take.value = pending_pair(own.task, sig);
		thread->take.sig = sig;
		return;
	}
	thread->take = (struct ipcscope_open_take){
		.dequeued_ns = now,
		.sig = sig,
	};
	load_info(&thread->take, info);
}

/*
 * dequeue_signal() is (task, mask, info) until 5.16, (task, mask, info, type)
 * until 6.11, (mask, info, type) since.  The collector counts the arguments.
 */
HOOK("fexit", dequeue_exit_task_mask_info)
{
	dequeued((int)ctx[3], ctx[1], (void *)ctx[2]);
}

HOOK("fexit", dequeue_exit_task_mask_info_type)
{
	dequeued((int)ctx[4], ctx[1], (void *)ctx[2]);
}

HOOK("fexit", dequeue_exit_mask_info_type)
{
	dequeued((int)ctx[3], ctx[0], (void *)ctx[1]);
}

/* A SIGKILL that was never generated: the threads of a process exit. */
static __always_inline void look_at_group(struct take_end *end,
					  struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);

	end->group = group_cause(signal);
	if (end->group == IPCSCOPE_GROUP_NONE)
		return;
	end->how = IPCSCOPE_TAKE_GROUP_EXIT;
	end->group_signal = BPF_CORE_READ(signal, group_exit_code) & 0x7f;
}

static __always_inline __u8 how_delivered(int sig, __u8 disposition)
{
	if (disposition == IPCSCOPE_DISPOSITION_HANDLER)
		return IPCSCOPE_TAKE_HANDLER;
	return ipcscope_is_ignored(sig, disposition) ? IPCSCOPE_TAKE_IGNORED :
						       IPCSCOPE_TAKE_DEFAULT;
}

/* Not counted at its dequeue, for it had none. */
static __always_inline bool never_dequeued(int sig, __u64 address)
{
	struct siginfo_head info;

	if (address <= 1)
		return true;
	if (sig < 1 || sig > 64 || !(IPCSCOPE_SIG_BIT(sig) & SYNCHRONOUS))
		return false;
	return bpf_probe_read_kernel(&info, sizeof(info), (void *)address) ||
	       info.si_code > 0;
}

/* One that was not dequeued by get_signal(): a fault, a group's end. */
NOINLINE void delivered_alone(struct ipcscope_thread_state *thread,
			      struct task_struct *task, int sig, __u64 info,
			      struct take_end *end)
{
	struct ipcscope_open_take take = { .sig = sig };

	if (!IPCSCOPE_STAT)
		end->has_info = read_info(&take, info);
	if (sig == IPCSCOPE_SIGKILL)
		look_at_group(end, task);
	if (IPCSCOPE_STAT && end->how != IPCSCOPE_TAKE_GROUP_EXIT)
		take.value = pending_pair(task, sig);
	emit_take(thread, task, &take, end);
}

HOOK("tp_btf/signal_deliver", signal_deliver)
{
	struct k_sigaction *action = (struct k_sigaction *)ctx[2];
	struct own_thread own = own_thread();
	struct ipcscope_thread_state *thread = own.state;
	struct take_end end = { .has_info = 1 };
	int sig = (int)ctx[0];
	bool open;

	end.now = bpf_ktime_get_ns();
	open = thread && thread->take.sig == sig;
	if (thread && !open)
		drop_take(thread, own.task, end.now);
	if (!open && (!own.wanted || !signal_wanted(sig))) {
		if (never_dequeued(sig, ctx[1]))
			count_filtered(IPCSCOPE_SIGNAL_TAKE);
		return;
	}
	end.disposition = ipcscope_disposition_of((__u64)action->sa.sa_handler);
	end.sa_flags = action->sa.sa_flags;
	end.how = how_delivered(sig, end.disposition);
	if (thread)
		end.enter_ns = thread->get_signal_ns;
	if (open) {
		make_take(thread, own.task, &thread->take, &end);
		thread->take.sig = 0;
	} else {
		delivered_alone(thread, own.task, sig, ctx[1], &end);
	}
	if (thread && end.how == IPCSCOPE_TAKE_HANDLER)
		thread->get_signal_ns = 0;	/* it returns */
}

/* Each twin may do the whole: it is the same. */
static __always_inline void get_signal_enters(void)
{
	struct own_thread own = own_thread();

	if (own.state)
		own.state->get_signal_ns = bpf_ktime_get_ns();
}

HOOK("fentry", get_signal_enter)
{
	get_signal_enters();
}

HOOK("fentry", get_signal_enter_twin)
{
	get_signal_enters();
}

/*
 * sigaction() discards what is pending of a signal that it sets to be ignored.
 * The entry notes that something is pending, the exit reports it, once.
 */
static __always_inline bool is_pending(struct task_struct *task, int sig)
{
	struct signal_struct *signal = LOAD(task, signal);
	__u64 pending = LOAD(task, pending.signal.sig[0]) |
			LOAD(signal, shared_pending.signal.sig[0]);

	return pending & IPCSCOPE_SIG_BIT(sig);
}

static __always_inline void sigaction_enters(__u64 *ctx, enum twin twin)
{
	struct k_sigaction *action = (struct k_sigaction *)ctx[1];
	struct own_thread own;
	int sig = (int)ctx[0];
	__u8 disposition;

	if (!action || sig < 1 || sig > 64)
		return;
	disposition = ipcscope_disposition_of((__u64)action->sa.sa_handler);
	if (!ipcscope_is_ignored(sig, disposition) ||
	    !is_pending(current_task(), sig))
		return;
	own = own_thread();
	if (IPCSCOPE_STAT && own.wanted)
		pending_discard(owner_of(own.task),
				owner_of(LOAD(own.task, signal)), sig);
	if (own.state)
		own.state->discards = sig;
	else if (twin == SECOND_TWIN)
		return;		/* counted by the first */
	else if (!own.wanted)
		count_filtered(IPCSCOPE_SIGNAL_TAKE);
	else
		count_lost(IPCSCOPE_SIGNAL_TAKE, IPCSCOPE_LOST_TABLE_FULL);
}

static __always_inline void sigaction_exits(__u64 *ctx)
{
	struct take_end end = {
		.how = IPCSCOPE_TAKE_DISCARDED,
		.disposition = IPCSCOPE_DISPOSITION_IGNORE,
	};
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = thread_find(task);
	struct ipcscope_open_take take = {};

	if (!thread || !thread->discards)
		return;
	take.sig = thread->discards;
	thread->discards = 0;
	if ((int)ctx[3])
		return;		/* refused */
	if (!signal_wanted(take.sig)) {
		count_filtered(IPCSCOPE_SIGNAL_TAKE);
		return;
	}
	end.now = bpf_ktime_get_ns();
	end.disposition = disposition_of(LOAD(task, sighand), take.sig);
	emit_take(thread, task, &take, &end);
}

HOOK("fentry", sigaction_enter)
{
	sigaction_enters(ctx, FIRST_TWIN);
}

HOOK("fentry", sigaction_enter_twin)
{
	sigaction_enters(ctx, SECOND_TWIN);
}

HOOK("fexit", sigaction_exit)
{
	sigaction_exits(ctx);
}

HOOK("fexit", sigaction_exit_twin)
{
	sigaction_exits(ctx);
}
