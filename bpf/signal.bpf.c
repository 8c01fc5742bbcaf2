// SPDX-License-Identifier: GPL-2.0-only
/*
 * Signals generated, and kills of processes that cannot die at once.
 *
 *   kill(2) ─► __send_signal ─┬─ fentry            look at the target
 *                             └─ signal_generate   the outcome: the record
 *   POSIX timer ────────────────► signal_generate   the record
 *
 * The target must be looked at on entry: by the time of the tracepoint the
 * send has woken it, and a killable sleeper no longer sleeps.  The tracepoint is
 * the last that the send does.
 *
 * siglock is held with interrupts off from the one to the other, so that one
 * slot a CPU holds what they share, and the kernel skips neither.  On PREEMPT_RT
 * siglock sleeps: there the slot is that of the sending task, which sends one
 * signal at a time; and what the kernel skips is counted.
 */
#include "call.bpf.h"
#include "pending.bpf.h"
#include "terminal.bpf.h"
#include <bpf/bpf_tracing.h>

#define THREADS_SEEN	64	/* of a process, in the search for a stuck one */

/* A send that is under way. */
struct send {
	__u64 task;		/* the target, 0: no send */
	struct ipcscope_signal_generate record;	/* but for its header */
	__u32 stuck_tid;
	__u32 stuck_threads;
	__u8 stuck_state;
	__u8 wanted;
	__u8 pad[2];
	__u32 stack_depth;
	__u64 stack[IPCSCOPE_STACK_DEPTH];
};

/* By CPU; the collector sets the number of entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct send);
} sends SEC(".maps");

/* By sending task, where config.send_by_task is set; else one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct send);
} task_sends SEC(".maps");

static const struct send no_send;

static __always_inline struct send *find_send(void)
{
	__u32 cpu;

	if (config.send_by_task) {
		__u64 key = (__u64)current_task();

		return bpf_map_lookup_elem(&task_sends, &key);
	}
	cpu = bpf_get_smp_processor_id();
	return bpf_map_lookup_elem(&sends, &cpu);
}

static __always_inline struct send *begin_send(void)
{
	if (config.send_by_task) {
		__u64 key = (__u64)current_task();

		bpf_map_update_elem(&task_sends, &key, &no_send, BPF_ANY);
	}
	return find_send();
}

static __always_inline void end_send(struct send *send)
{
	send->task = 0;
	if (config.send_by_task) {
		__u64 key = (__u64)current_task();

		bpf_map_delete_elem(&task_sends, &key);
	}
}

static __always_inline void save_stack(struct send *send,
				       struct task_struct *task)
{
	long bytes;

	send->stack_depth = 0;
	/* Its state is set, but it still runs: what is there is no stack. */
	if (runs_now(task))
		return;
	bytes = bpf_get_task_stack(task, send->stack, sizeof(send->stack), 0);
	if (bytes > 0)
		send->stack_depth = (__u32)bytes / sizeof(send->stack[0]);
}

/* Whether the thread at an address is stuck, into the send that is under way. */
GLOBAL int look_at_thread(__u64 address)
{
	struct task_struct *thread = (struct task_struct *)address;
	struct task_struct___5_13 *old = (void *)thread;
	struct send *send = find_send();
	unsigned int bits;
	__u8 state;

	if (bpf_core_field_exists(old->state))
		bits = (unsigned int)BPF_CORE_READ(old, state);
	else
		bits = BPF_CORE_READ(thread, __state);
	state = ipcscope_task_state(bits, BPF_CORE_READ(thread, exit_state));
	if (!send || !ipcscope_stuck(state))
		return 0;
	++send->stuck_threads;
	if (send->stuck_tid)
		return 0;
	send->stuck_tid = BPF_CORE_READ(thread, pid);
	send->stuck_state = state;
	return 0;
}

/*
 * A process dies when its last thread does: any of them may be stuck.  Of the process
 * with the signal_struct at an address.
 */
GLOBAL int look_at_threads(__u64 address)
{
	struct signal_struct *signal = (struct signal_struct *)address;
	__u64 head = address +
		     bpf_core_field_offset(struct signal_struct, thread_head);
	__u64 node = (__u64)BPF_CORE_READ(signal, thread_head.next);
	int i;

	for (i = 0; i < THREADS_SEEN && node && node != head; ++i) {
		look_at_thread(node - bpf_core_field_offset(struct task_struct,
							    thread_node));
		node = (__u64)BPF_CORE_READ((struct list_head *)node, next);
	}
	return 0;
}

/* A fatal signal: what may keep the process from dying at once. */
static __always_inline void look_for_stuck(struct send *send,
					   struct task_struct *task,
					   __u64 signal)
{
	__u8 state = send->record.target_state;

	if (ipcscope_stuck(state)) {
		send->stuck_tid = task->pid;
		send->stuck_state = state;
	}
	look_at_threads(signal);
	if (ipcscope_stuck(state))
		save_stack(send, task);
}

/* False: not wanted, for it does not end the process. */
static __always_inline bool look_at_target(struct send *send,
					   struct task_struct *task, int sig)
{
	struct ipcscope_signal_generate *record = &send->record;
	struct signal_struct *signal = task->signal;
	__u8 disposition = disposition_of(task->sighand, sig);
	__u8 blocked, unkillable, fatal;
	unsigned int flags;

	/* With nothing but the disposition. */
	if (config.fatal_only && !ipcscope_is_fatal(sig, disposition, 0, 0))
		return false;
	flags = signal->flags;
	blocked = !!(task->blocked.sig[0] & IPCSCOPE_SIG_BIT(sig));
	unkillable = !!(flags & IPCSCOPE_SIGNAL_UNKILLABLE);
	/* While it waits for it in sigtimedwait(), it is blocked there alone. */
	fatal = ipcscope_is_fatal(sig, disposition,
		blocked || (task->real_blocked.sig[0] & IPCSCOPE_SIG_BIT(sig)),
				  unkillable);
	if (config.fatal_only && !fatal)
		return false;
	send->stuck_tid = 0;
	send->stuck_threads = 0;
	send->stuck_state = 0;
	send->stack_depth = 0;
	record->target_tgid = task->tgid;
	record->target_tid = task->pid;
	record->sig = sig;
	record->target_state = ipcscope_task_state(task_state_bits(task),
						   task->exit_state);
	record->disposition = disposition;
	record->blocked = blocked;
	record->fatal = fatal;
	record->unkillable = unkillable;
	record->dying = !!(flags & IPCSCOPE_SIGNAL_GROUP_EXIT);
	record->requeued = 0;
	if (fatal)
		look_for_stuck(send, task, address_of(signal));
	return true;
}

static __always_inline bool send_wanted(struct task_struct *target, int sig)
{
	struct task_struct *sender = current_task();

	return signal_wanted(sig) &&
	       (task_wanted(target) ||
		((__u64)sender != (__u64)target && task_wanted(sender)));
}

/* `info` is a number on some kernels, 0 and 1 are no addresses. */
static __always_inline void look_at_info(struct ipcscope_signal_generate *record,
					 __u64 address, int sig, bool own,
					 bool exits)
{
	struct siginfo_head info = {};

	record->has_info =
		address > 1 &&
		!bpf_probe_read_kernel(&info, sizeof(info), (void *)address);
	record->si_code = info.si_code;
	record->origin = ipcscope_origin_of(address, sig, info.si_code, own,
					    exits);
	record->sender_pid = ipcscope_info_has_pid(sig, info.si_code) &&
			     info.si_code != IPCSCOPE_SI_TIMER ? info.pid : 0;
	record->value = ipcscope_info_has_value(info.si_code) ? info.value : 0;
}

/* A process that is dying already answers IGNORED, 5.10 PENDING. */
static __always_inline bool is_kill(const struct send *send)
{
	__u8 result = send->record.result;

	return send->stuck_tid && (result == IPCSCOPE_RESULT_DELIVERED ||
				   result == IPCSCOPE_RESULT_INFO_LOST ||
				   send->record.dying);
}

NOINLINE void emit_kill(const struct send *send, __u64 now)
{
	struct ipcscope_kill *record;
	struct record_out out;

	record = record_begin(&out, IPCSCOPE_KILL, sizeof(*record), 0, now,
			      bpf_get_current_pid_tgid());
	if (!record)
		return;
	record->target_tgid = send->record.target_tgid;
	record->stuck_tid = send->stuck_tid;
	record->stuck_threads = send->stuck_threads;
	record->stack_depth = send->stack_depth;
	record->sig = send->record.sig;
	record->state = send->stuck_state;
	record->origin = send->record.origin;
	record->result = send->record.result;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	if (send->stack_depth)
		__builtin_memcpy(record->stack, send->stack,
				 sizeof(record->stack));
	else
		__builtin_memset(record->stack, 0, sizeof(record->stack));
	record_end(&out, record, sizeof(*record));
}

static __always_inline void emit_generate(const struct send *send,
					  struct task_struct *sender, __u64 now)
{
	struct ipcscope_signal_generate *record;
	struct record_out out;

	record = record_begin(&out, IPCSCOPE_SIGNAL_GENERATE, sizeof(*record), 0,
			      now, id_of(sender));
	if (!record)
		return;
	__builtin_memcpy(&record->enter_ns, &send->record.enter_ns,
			 sizeof(*record) - sizeof(record->header));
	record_end(&out, record, sizeof(*record));
}

/*
 * The command line of the program that the thread at an address runs, which is the current
 * one.  Its memory is read as far as it is there: nothing can be waited for here.
 */
GLOBAL __u32 emit_command(__u64 address, __u64 now)
{
	struct task_struct *sender = (struct task_struct *)address;
	struct mm_struct *mm = BPF_CORE_READ(sender, mm);
	__u64 from = mm ? BPF_CORE_READ(mm, arg_start) : 0;
	__u64 bytes = mm ? BPF_CORE_READ(mm, arg_end) - from : 0;
	struct ipcscope_command *record;
	struct record_out out;

	if (!bytes)
		return false;	/* a kernel thread's */
	record = record_begin(&out, IPCSCOPE_COMMAND, sizeof(*record), 0, now,
			      bpf_get_current_pid_tgid());
	if (!record)
		return false;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	__builtin_memset(record->words, 0, sizeof(record->words));
	record->bytes = bytes32(bytes);
	if (bytes > sizeof(record->words))
		bytes = sizeof(record->words);
	if (bpf_probe_read_user(record->words, bytes, (void *)from))
		record->bytes = 0;
	record_end(&out, record, sizeof(*record));
	return true;
}

static __always_inline bool wants_command(const struct send *send,
					  const struct ipcscope_thread_state *own,
					  struct task_struct *sender)
{
	const struct ipcscope_signal_generate *record = &send->record;

	return !(own && own->commanded) &&
	       ipcscope_wants_command(record->sig, record->origin, record->fatal,
				      record->target_tgid == (__u32)LOAD(sender, tgid));
}

/* The memory cgroup that the current thread runs the OOM killer for. */
static __always_inline void add_memory_cgroup(struct ipcscope_signal_callers *record)
{
	bool kills = oom.task == (__u64)current_task();

	record->memory_limit = kills ? oom.limit_pages : 0;
	record->memory_cgroup = kills ? oom.cgroup : 0;
	if (kills)
		__builtin_memcpy(record->cgroup_name, oom.name,
				 sizeof(record->cgroup_name));
	else
		__builtin_memset(record->cgroup_name, 0,
				 sizeof(record->cgroup_name));
}

/*
 * Of a process that has lost its terminal by the hangup that the current thread does,
 * that terminal.
 */
static __always_inline __u32 terminal_of(struct task_struct *target)
{
	struct tty_struct *tty = BPF_CORE_READ(target, signal, tty);
	__u64 last = hangup;

	if (tty)
		return device_of_terminal(tty);
	return last >> 32 == (__u32)bpf_get_current_pid_tgid() ? (__u32)last : 0;
}

static __always_inline void emit_with_callers(void *ctx,
					      const struct send *send,
					      struct task_struct *sender,
					      struct task_struct *target,
					      __u64 now)
{
	struct ipcscope_signal_callers *record;
	struct record_out out;
	long bytes;

	record = record_begin(&out, IPCSCOPE_SIGNAL_GENERATE, sizeof(*record), 0,
			      now, id_of(sender));
	if (!record)
		return;
	__builtin_memcpy(&record->enter_ns, &send->record.enter_ns,
			 sizeof(send->record) - sizeof(record->header));
	add_memory_cgroup(record);
	record->terminal = terminal_of(target);
	__builtin_memset(record->stack, 0, sizeof(record->stack));
	bytes = bpf_get_stack(ctx, record->stack, sizeof(record->stack), 0);
	record->stack_depth =
		bytes > 0 ? (__u32)bytes / sizeof(record->stack[0]) : 0;
	record_end(&out, record, sizeof(*record));
}

/*
 * A debugger's get_signal() puts a signal that is blocked by now back: made by
 * a thread to itself while it has that very signal taken.
 */
static __always_inline void report_generation(__u64 *ctx, struct send *send,
					      struct task_struct *target)
{
	struct task_struct *sender = current_task();
	struct ipcscope_thread_state *own = thread_find(sender);
	struct ipcscope_thread_state *other = NULL;
	__u8 reason = IS_NAMED;
	__u64 now;

	if ((__u64)target != (__u64)sender) {
		other = thread_find(target);
		reason = why_name(other, target);
	} else if (own) {
		send->record.requeued = own->take.sig == send->record.sig;
	}
	/*
	 * The target is awake and may run by now, and report a new name: the
	 * time is taken after the look at its name.
	 */
	now = bpf_ktime_get_ns();
	if (!send->record.enter_ns)
		send->record.enter_ns = now;
	if (reason != IS_NAMED)
		report_thread(other, target, now, reason);
	name_thread(own, sender, now);
	if (wants_command(send, own, sender) &&
	    emit_command(address_of(sender), now) && own)
		own->commanded = 1;
	if (is_kill(send))
		emit_kill(send, now);
	if (ipcscope_wants_callers(ctx[1], send->record.sig,
				   send->record.origin, send->record.fatal))
		emit_with_callers(ctx, send, sender, target, now);
	else
		emit_generate(send, sender, now);
}

HOOK("fentry", send_enter)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	struct send *send = begin_send();
	int sig = (int)ctx[0];

	if (!send)
		return;
	send->task = (__u64)target;
	send->wanted = send_wanted(target, sig);
	if (!send->wanted)
		return;
	send->wanted = look_at_target(send, target, sig);
	if (send->wanted)
		send->record.enter_ns = bpf_ktime_get_ns();
}

static __always_inline void note_outcome(struct send *send, __u64 *ctx)
{
	struct task_struct *sender = current_task();
	int result = (int)ctx[4];
	bool own = (__u64)sender == ctx[2];
	bool exits = !own && LOAD(sender, flags) & PF_EXITING;

	look_at_info(&send->record, ctx[1], (int)ctx[0], own, exits);
	send->record.result = result;
	send->record.ret = ipcscope_send_ret(result);
	send->record.shared = !!(int)ctx[3];
}

/* Of one that is wanted for its target, or for its sender alone. */
static __always_inline void stat_pending(__u64 *ctx, int sig, bool for_target)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	__u64 thread = owner_of(target), process = owner_of(target->signal);
	struct ipcscope_stat_tally *tally;
	int result = (int)ctx[4];

	if (for_target && IPCSCOPE_SIG_BIT(sig) &
	    (IPCSCOPE_STOP_SIGNALS | IPCSCOPE_SIG_BIT(IPCSCOPE_SIGCONT)))
		pending_flush(thread, process, sig);
	if (!ipcscope_stat_queued(result))
		return;
	tally = tally_of_signal(sig);
	if (tally)
		__sync_fetch_and_add(&tally->generated, 1);
	if (!for_target)
		count_unpaired(sig, IPCSCOPE_UNPAIRED_UNWANTED, 1);
	else if (result == IPCSCOPE_RESULT_INFO_LOST && ipcscope_is_realtime(sig))
		count_unpaired(sig, IPCSCOPE_UNPAIRED_NO_INFO, 1);
	else
		pending_add((int)ctx[3] ? process : thread, sig, ctx[1]);
}

static __always_inline void stat_generated(__u64 *ctx)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	const struct stat_subject who = { .task = target };
	struct ipcscope_stat_cell *cell;
	int sig = (int)ctx[0];
	bool for_target = signal_wanted(sig) && task_wanted(target);

	if (!for_target && !send_wanted(target, sig)) {
		count_filtered(IPCSCOPE_SIGNAL_GENERATE);
		return;
	}
	cell = stat_cell(stat_signal_event(IPCSCOPE_SIGNAL_GENERATE, sig, ctx[4]),
			 &who);
	if (cell)
		stat_add_untimed(cell);
	stat_pending(ctx, sig, for_target);
}

/* A POSIX timer's, or of a send of which the entry was not seen. */
static __always_inline void generated_alone(__u64 *ctx)
{
	struct task_struct *target = (struct task_struct *)ctx[2];
	int sig = (int)ctx[0];
	struct send *send;

	if (!send_wanted(target, sig)) {
		count_filtered(IPCSCOPE_SIGNAL_GENERATE);
		return;
	}
	send = begin_send();
	if (!send) {
		count_lost(IPCSCOPE_SIGNAL_GENERATE, IPCSCOPE_LOST_TABLE_FULL);
		return;
	}
	if (look_at_target(send, target, sig)) {
		send->record.enter_ns = 0;
		note_outcome(send, ctx);
		report_generation(ctx, send, target);
	} else {
		count_filtered(IPCSCOPE_SIGNAL_GENERATE);
	}
	end_send(send);
}

HOOK("tp_btf/signal_generate", signal_generate)
{
	struct send *send;

	if (IPCSCOPE_STAT) {
		stat_generated(ctx);
		return;
	}
	send = find_send();
	if (!send || send->task != ctx[2]) {
		generated_alone(ctx);
		return;
	}
	if (send->wanted) {
		note_outcome(send, ctx);
		report_generation(ctx, send, (struct task_struct *)ctx[2]);
	} else {
		count_filtered(IPCSCOPE_SIGNAL_GENERATE);
	}
	end_send(send);
}
