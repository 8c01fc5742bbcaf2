// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals: generated, sent, dequeued, delivered; and kills of tasks in
 * uninterruptible sleep.
 *
 *   kill(2) ─► __send_signal ─┬─ fentry   look at the target while it sleeps
 *                             ├─ signal_generate   the outcome
 *                             └─ fexit    how long it took
 *   receiver ─► get_signal ─► dequeue_signal ─► signal_deliver
 *
 * The target must be looked at on entry: by the time of the tracepoint the
 * send has woken it, and a killable sleeper no longer sleeps.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_QUEUE	(-1)
#define SI_TIMER	(-2)

#define SIG_DFL		0
#define SIG_IGN		1

#define BIT_OF(sig)	(1ULL << ((sig) - 1))
/* SIGCONT, SIGCHLD, SIGWINCH, SIGURG do nothing by default. */
#define DEFAULT_IGNORE	(BIT_OF(18) | BIT_OF(17) | BIT_OF(28) | BIT_OF(23))
/* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU stop by default. */
#define DEFAULT_STOP	(BIT_OF(19) | BIT_OF(20) | BIT_OF(21) | BIT_OF(22))

#define THREADS_SEEN	64	/* of a process, in the search for a stuck one */

/*
 * What was seen of the target on entry to __send_signal.  One per CPU is
 * enough: siglock is held and interrupts are off until it returns.
 */
struct send {
	__u64 enter_ns;
	__u64 task;		/* the target, 0: no send in progress */
	__u32 sig;
	__u32 stuck_tid;
	__u32 stuck_threads;
	__u32 stack_depth;
	__u8 target_state;
	__u8 stuck_state;
	__u8 disposition;
	__u8 blocked;
	__u8 fatal;
	__u8 unkillable;
	__u8 dying;		/* the process is exiting already */
	__u8 wanted;
	__u64 stack[IPCSCOPE_STACK_DEPTH];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct send);
} sends SEC(".maps");

static __always_inline struct send *this_send(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&sends, &zero);
}

static __always_inline __u8 disposition_of(struct k_sigaction *action)
{
	unsigned long handler =
		(unsigned long)BPF_CORE_READ(action, sa.sa_handler);

	if (handler == SIG_DFL)
		return IPCSCOPE_DISPOSITION_DEFAULT;
	if (handler == SIG_IGN)
		return IPCSCOPE_DISPOSITION_IGNORE;
	return IPCSCOPE_DISPOSITION_HANDLER;
}

static __always_inline struct k_sigaction *action_of(struct task_struct *task,
						     int sig)
{
	void *sighand = BPF_CORE_READ(task, sighand);
	__u64 at = bpf_core_field_offset(struct sighand_struct, action) +
		   (__u64)(sig - 1) * bpf_core_type_size(struct k_sigaction);

	return sighand + at;
}

static __always_inline void look_at_action(struct send *send,
					   struct task_struct *task, int sig)
{
	unsigned int flags = BPF_CORE_READ(task, signal, flags);
	__u64 blocked = BPF_CORE_READ(task, blocked.sig[0]);

	send->disposition = disposition_of(action_of(task, sig));
	send->blocked = !!(blocked & BIT_OF(sig));
	send->unkillable = !!(flags & SIGNAL_UNKILLABLE);
	send->dying = !!(flags & SIGNAL_GROUP_EXIT);
	send->fatal = sig == SIGKILL ||
		      (send->disposition == IPCSCOPE_DISPOSITION_DEFAULT &&
		       !send->blocked && !send->unkillable &&
		       !(BIT_OF(sig) & (DEFAULT_IGNORE | DEFAULT_STOP)));
}

static __always_inline bool stuck(__u8 state)
{
	return state == IPCSCOPE_STATE_UNINTERRUPTIBLE ||
	       state == IPCSCOPE_STATE_KILLABLE;
}

static __always_inline void save_stack(struct send *send,
				       struct task_struct *task)
{
	long bytes;

	/* Its state is set, but it still runs: what is there is no stack. */
	if (BPF_CORE_READ(task, on_cpu))
		return;
	bytes = bpf_get_task_stack(task, send->stack, sizeof(send->stack), 0);
	if (bytes > 0)
		send->stack_depth = (__u32)bytes / sizeof(send->stack[0]);
}

/* A process dies when its last thread does: any of them may be stuck. */
static __always_inline void find_stuck_thread(struct send *send,
					      struct task_struct *task)
{
	struct signal_struct *signal = BPF_CORE_READ(task, signal);
	void *head = (void *)signal +
		     bpf_core_field_offset(struct signal_struct, thread_head);
	struct list_head *node = BPF_CORE_READ(signal, thread_head.next);
	int i;

	for (i = 0; i < THREADS_SEEN; i++) {
		struct task_struct *thread;
		__u8 state;

		if (!node || node == head)
			break;
		thread = (void *)node -
			 bpf_core_field_offset(struct task_struct, thread_node);
		state = task_state(thread);
		if (stuck(state)) {
			if (!send->stuck_tid) {
				send->stuck_tid = BPF_CORE_READ(thread, pid);
				send->stuck_state = state;
			}
			send->stuck_threads++;
		}
		node = BPF_CORE_READ(node, next);
	}
}

static __always_inline void look_at_target(struct send *send,
					   struct task_struct *task, int sig)
{
	send->sig = sig;
	send->stuck_tid = 0;
	send->stuck_threads = 0;
	send->stack_depth = 0;
	send->target_state = task_state(task);
	look_at_action(send, task, sig);
	if (!send->fatal)
		return;
	if (stuck(send->target_state)) {
		send->stuck_tid = BPF_CORE_READ(task, pid);
		send->stuck_state = send->target_state;
	}
	find_stuck_thread(send, task);
}

static __always_inline bool send_wanted(struct task_struct *target, int sig)
{
	return signal_wanted(sig) && (task_wanted(target) || current_wanted());
}

HOOK("fentry", send_enter)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct send *send = this_send();
	int sig = (int)ctx[0];

	if (!send)
		return;
	send->task = (__u64)target;
	send->enter_ns = bpf_ktime_get_ns();
	send->wanted = send_wanted(target, sig);
	if (!send->wanted)
		return;
	look_at_target(send, target, sig);
	if (send->stuck_tid && stuck(send->target_state))
		save_stack(send, target);
}

HOOK("fexit", send_exit)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct ipcscope_signal_send *record;
	struct send *send = this_send();
	int sig = (int)ctx[0];

	if (!send || send->task != (__u64)target)
		return;	/* entered before the hook was attached */
	send->task = 0;
	if (!send->wanted) {
		count_filtered(IPCSCOPE_SIGNAL_SEND);
		return;
	}
	record = RECORD_BEGIN(ipcscope_signal_send, IPCSCOPE_SIGNAL_SEND);
	if (!record)
		return;
	record->enter_ns = send->enter_ns;
	record->target_tgid = BPF_CORE_READ(target, tgid);
	record->target_tid = BPF_CORE_READ(target, pid);
	record->ret = (int)ctx[5];
	record->sig = sig;
	RECORD_END(record);
}

static __always_inline __u8 origin_of(bool has_info, __u64 info, int si_code)
{
	if (!has_info)		/* SEND_SIG_NOINFO (0), SEND_SIG_PRIV (1) */
		return info ? IPCSCOPE_ORIGIN_KERNEL : IPCSCOPE_ORIGIN_TASK;
	if (si_code == SI_TIMER)
		return IPCSCOPE_ORIGIN_TIMER;
	if (si_code == SI_KERNEL)
		return IPCSCOPE_ORIGIN_KERNEL;
	return IPCSCOPE_ORIGIN_TASK;
}

static __always_inline void emit_kill(const struct send *send,
				      struct task_struct *target, int sig,
				      __u8 origin, int result)
{
	struct ipcscope_kill *record;

	record = RECORD_BEGIN(ipcscope_kill, IPCSCOPE_KILL);
	if (!record)
		return;
	record->target_tgid = BPF_CORE_READ(target, tgid);
	record->stuck_tid = send->stuck_tid;
	read_comm(record->target_comm, target);
	record->sig = sig;
	record->state = send->stuck_state;
	record->origin = origin;
	record->stuck_threads = send->stuck_threads;
	record->stack_depth = send->stack_depth;
	record->result = result;
	__builtin_memcpy(record->stack, send->stack, sizeof(record->stack));
	RECORD_END(record);
}

static __always_inline void fill_info(struct ipcscope_signal_generate *record,
				      struct kernel_siginfo *info)
{
	record->has_info = 1;
	record->si_code = BPF_CORE_READ(info, si_code);
	if (record->si_code > 0 && record->si_code != SI_KERNEL &&
	    record->sig != 17)
		return;		/* a fault: the union holds an address */
	if (record->si_code != SI_KERNEL)
		record->sender_pid = BPF_CORE_READ(info, _sifields._kill._pid);
	if (record->si_code == SI_QUEUE || record->si_code == SI_TIMER)
		record->value = (__u64)BPF_CORE_READ(info,
						     _sifields._rt._sigval.sival_ptr);
}

HOOK("tp_btf/signal_generate", signal_generate)
{
	struct kernel_siginfo *info = (struct kernel_siginfo *)ctx[1];
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct ipcscope_signal_generate *record;
	struct send *send = this_send();
	int sig = (int)ctx[0], result = (int)ctx[4];
	bool seen;

	if (!send)
		return;
	/* A POSIX timer's signal does not pass through __send_signal. */
	seen = send->task == (__u64)target;
	if (!(seen ? send->wanted : send_wanted(target, sig))) {
		count_filtered(IPCSCOPE_SIGNAL_GENERATE);
		return;
	}
	if (!seen)
		look_at_target(send, target, sig);

	record = RECORD_BEGIN(ipcscope_signal_generate,
			      IPCSCOPE_SIGNAL_GENERATE);
	if (!record)
		goto kill;
	record->target_tgid = BPF_CORE_READ(target, tgid);
	record->target_tid = BPF_CORE_READ(target, pid);
	read_comm(record->target_comm, target);
	record->sig = sig;
	record->result = result;
	record->target_state = send->target_state;
	record->shared = !!(int)ctx[3];
	record->disposition = send->disposition;
	record->blocked = send->blocked;
	record->fatal = send->fatal;
	record->unkillable = send->unkillable;
	if ((__u64)info > 1)
		fill_info(record, info);
	record->origin = origin_of(record->has_info, (__u64)info,
				   record->si_code);
	RECORD_END(record);
kill:
	if (!send->fatal || !send->stuck_tid)
		return;
	/* A process that is dying already answers IGNORED, 5.10 PENDING. */
	if (result == IPCSCOPE_RESULT_DELIVERED ||
	    result == IPCSCOPE_RESULT_INFO_LOST || send->dying)
		emit_kill(send, target, sig,
			  (__u64)info == 1 ? IPCSCOPE_ORIGIN_KERNEL :
					     IPCSCOPE_ORIGIN_TASK, result);
}

HOOK("tp_btf/signal_deliver", signal_deliver)
{
	struct kernel_siginfo *info = (struct kernel_siginfo *)ctx[1];
	struct k_sigaction *action = (struct k_sigaction *)ctx[2];
	struct ipcscope_signal_deliver *record;
	int sig = (int)ctx[0];

	if (!signal_wanted(sig) || !current_wanted()) {
		count_filtered(IPCSCOPE_SIGNAL_DELIVER);
		return;
	}
	record = RECORD_BEGIN(ipcscope_signal_deliver, IPCSCOPE_SIGNAL_DELIVER);
	if (!record)
		return;
	record->sig = sig;
	record->disposition = disposition_of(action);
	record->sa_flags = BPF_CORE_READ(action, sa.sa_flags);
	if ((__u64)info > 1) {
		record->has_info = 1;
		record->si_code = BPF_CORE_READ(info, si_code);
		if (record->si_code <= 0)
			record->sender_pid = BPF_CORE_READ(info,
						       _sifields._kill._pid);
	}
	RECORD_END(record);
}

/*
 * dequeue_signal() is (task, mask, info) until 5.16, (task, mask, info, type)
 * until 6.11, (mask, info, type) since.  The collector counts the arguments.
 */
static __always_inline void dequeued(int sig, struct kernel_siginfo *info)
{
	struct ipcscope_signal_dequeue *record;

	if (sig <= 0)
		return;		/* nothing was pending: not an event */
	if (!signal_wanted(sig) || !current_wanted()) {
		count_filtered(IPCSCOPE_SIGNAL_DEQUEUE);
		return;
	}
	record = RECORD_BEGIN(ipcscope_signal_dequeue, IPCSCOPE_SIGNAL_DEQUEUE);
	if (!record)
		return;
	record->sig = sig;
	record->si_code = BPF_CORE_READ(info, si_code);
	if (record->si_code <= 0)
		record->sender_pid = BPF_CORE_READ(info, _sifields._kill._pid);
	if (record->si_code == SI_QUEUE || record->si_code == SI_TIMER)
		record->value = (__u64)BPF_CORE_READ(info,
						     _sifields._rt._sigval.sival_ptr);
	RECORD_END(record);
}

HOOK("fexit", dequeue_exit_task_mask_info)
{
	dequeued((int)ctx[3], (struct kernel_siginfo *)ctx[2]);
}

HOOK("fexit", dequeue_exit_task_mask_info_type)
{
	dequeued((int)ctx[4], (struct kernel_siginfo *)ctx[2]);
}

HOOK("fexit", dequeue_exit_mask_info_type)
{
	dequeued((int)ctx[3], (struct kernel_siginfo *)ctx[1]);
}

static __always_inline __u32 get_signal_key(void)
{
	return (__u32)bpf_get_current_pid_tgid() | IPCSCOPE_CALL_GET_SIGNAL;
}

static __always_inline void get_signal_enters(enum twin twin)
{
	struct ipcscope_call call = {};

	if (!call_begins(IPCSCOPE_SIGNAL_GET, get_signal_key(), twin))
		return;
	call.kind = IPCSCOPE_SIGNAL_GET;
	call.enter_ns = bpf_ktime_get_ns();
	call_enter(get_signal_key(), &call);
}

static __always_inline void get_signal_exits(__u64 *ctx)
{
	struct ksignal *ksig = (struct ksignal *)ctx[0];
	struct ipcscope_call *call = call_of(IPCSCOPE_SIGNAL_GET,
					     get_signal_key());
	struct ipcscope_signal_get *record;

	if (!call)
		return;
	record = RECORD_BEGIN(ipcscope_signal_get, IPCSCOPE_SIGNAL_GET);
	if (record) {
		record->enter_ns = call->enter_ns;
		/* The kernel's bool fills one byte of the register. */
		if ((__u8)ctx[1])
			record->sig = BPF_CORE_READ(ksig, sig);
		RECORD_END(record);
	}
	call_leave(get_signal_key());
}

HOOK("fentry", get_signal_enter)
{
	get_signal_enters(FIRST_TWIN);
}

HOOK("fentry", get_signal_enter_twin)
{
	get_signal_enters(SECOND_TWIN);
}

HOOK("fexit", get_signal_exit)
{
	get_signal_exits(ctx);
}

HOOK("fexit", get_signal_exit_twin)
{
	get_signal_exits(ctx);
}
