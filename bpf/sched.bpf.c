// SPDX-License-Identifier: GPL-2.0-only
/*
 * The scheduler's hooks: where the time of threads goes (account.h), and the
 * end of a thread, which is its last context switch.
 *
 * sched_switch runs with interrupts off and the run queue locked, so that the
 * kernel never skips it.  A sched_waking that interrupts another one on its CPU
 * is skipped where a thread wakes itself, with interrupts on; the sleeper then
 * counts as runnable from its leaving on, as one of whom no wake-up was seen.
 */
#include "call.bpf.h"
#include "take.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline void
report_stay(struct ipcscope_thread_state *thread, struct task_struct *task,
	    const struct ipcscope_stay *stay, __u64 now)
{
	if (stay->start_ns)
		emit_slice(thread, task, stay, now);
}

static __always_inline void emit_exit(struct ipcscope_thread_state *thread,
				      struct task_struct *task, __u64 now)
{
	struct ipcscope_thread_time *record;
	struct record_out out;

	name_thread(thread, task, now);
	record = record_begin(&out, IPCSCOPE_THREAD_EXIT, sizeof(*record), 0,
			      now, id_of(task));
	if (!record)
		return;
	if (thread) {
		record->since_ns = thread->account.since_ns;
		IPCSCOPE_FILL_BETWEEN(record, &thread->account.times);
	} else {
		record->since_ns = now;
		record->between_runnable_ns = 0;
		record->between_sleeping_ns = 0;
		record->between_polling_ns = 0;
		record->between_uninterruptible_ns = 0;
		record->between_killable_ns = 0;
		record->between_other_ns = 0;
	}
	record->exit_code = task->exit_code;
	record->syscall = IPCSCOPE_SYSCALL_NONE;
	record->state = IPCSCOPE_STATE_DEAD;
	record->group_dead = BPF_CORE_READ(task, signal, live.counter) == 0;
	record_end(&out, record, sizeof(*record));
}

/*
 * A death by a signal is wanted of any thread: the killer may be the one that
 * the filters name, and its kill ends here.
 */
NOINLINE void thread_dies(struct ipcscope_thread_state *thread,
			  struct task_struct *task, __u64 now)
{
	if (!thread && !task_wanted(task) && !(task->exit_code & 0x7f)) {
		count_filtered(IPCSCOPE_THREAD_EXIT);
		return;
	}
	if (thread) {
		__u16 kind = thread->account.call;

		if (kind >= IPCSCOPE_CALL_FIRST && kind <= IPCSCOPE_CALL_LAST) {
			call_ends_split(thread, task, kind, IPCSCOPE_UNFINISHED,
					0);
			now = thread->account.since_ns;	/* of that record */
		}
		drop_take(thread, task, now);
	}
	emit_exit(thread, task, now);
	if (thread)
		thread_forget(task);
}

static __always_inline void leaves_cpu(struct ipcscope_thread_state *thread,
				       struct task_struct *task, bool preempted,
				       unsigned int bits, __u64 now)
{
	__u16 syscall = IPCSCOPE_SYSCALL_NONE;
	__u8 state = IPCSCOPE_STATE_RUNNING;
	struct ipcscope_stay ran;

	if (!preempted && bits) {
		syscall = syscall_of(task);
		state = sleep_state(task, bits, syscall);
	}
	ipcscope_account_leave(&thread->account, now, state, syscall, &ran);
	thread->tid = task->pid;	/* execve() can change it */
	if (state == IPCSCOPE_STATE_TRACED)
		thread->take.traced = 1;
	report_stay(thread, task, &ran, now);
}

static __always_inline void gets_cpu(struct ipcscope_thread_state *thread,
				     struct task_struct *task, __u64 now)
{
	struct ipcscope_stay slept, waited;

	ipcscope_account_resume(&thread->account, now, &slept, &waited);
	report_stay(thread, task, &slept, now);
	report_stay(thread, task, &waited, now);
}

/* (preempt, prev, next), and since 5.18 prev_state after them. */
HOOK("tp_btf/sched_switch", sched_switch)
{
	struct task_struct *prev = (struct task_struct *)ctx[1];
	struct task_struct *next = (struct task_struct *)ctx[2];
	struct ipcscope_thread_state *left, *got;
	bool preempted = ctx[0], dies;
	unsigned int bits;
	__u64 now = 0;

	/* By now a waker may have overwritten the state, or put it back. */
	if (config.switch_prev_state)
		bits = ctx[3];
	else
		bits = task_state_bits(prev);
	dies = !preempted && bits & IPCSCOPE_TASK_DEAD;
	left = thread_find(prev);
	if (left || dies) {
		now = bpf_ktime_get_ns();
		if (left)
			leaves_cpu(left, prev, preempted, bits, now);
		if (dies)
			thread_dies(left, prev, now);
	}
	got = thread_find(next);
	if (!got)
		return;
	if (!now)
		now = bpf_ktime_get_ns();
	gets_cpu(got, next, now);
}

HOOK("tp_btf/sched_waking", sched_waking)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct ipcscope_thread_state *thread = thread_find(task);

	if (thread)
		ipcscope_account_wake(&thread->account, bpf_ktime_get_ns(),
				      waker_tid());
}
