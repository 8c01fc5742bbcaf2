// SPDX-License-Identifier: GPL-2.0-only
/* Threads that appear, change and are freed; those that are there at the start. */
#include "call.bpf.h"
#include "take.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline void follow(struct task_struct *child)
{
	__u8 *flags = pid_flags(bpf_get_current_pid_tgid() >> 32);
	bool yes = flags && *flags & IPCSCOPE_PID_FOLLOWED;

	if (config.follow == IPCSCOPE_FOLLOW_ALL)
		yes = task_wanted(current_task());
	flags = pid_flags(child->tgid);
	if (yes && flags)
		*flags |= IPCSCOPE_PID_FOLLOWED;
}

/*
 * A thread's birth, in its parent's context.  The kernel never skips it: the
 * child's pi_lock is held, with interrupts off.
 */
HOOK("tp_btf/sched_wakeup_new", wakeup_new)
{
	struct task_struct *child = (struct task_struct *)ctx[0];
	struct ipcscope_thread_state *thread;
	__u64 now = bpf_ktime_get_ns();

	if (child->flags & PF_KTHREAD)
		return;
	if (config.follow)
		follow(child);
	if (IPCSCOPE_STAT || !task_wanted(child))
		return;
	thread = thread_find(child);
	if (thread)		/* by the sweep */
		state_begin(thread, address_of(child), now,
			    IPCSCOPE_STATE_RUNNABLE);
	else
		thread = thread_make(child, now, IPCSCOPE_STATE_RUNNABLE);
	if (!thread)
		count_lost(IPCSCOPE_THREAD_TIME, IPCSCOPE_LOST_TABLE_FULL);
	report_thread(thread, child, now, IPCSCOPE_THREAD_FORK);
}

/*
 * Both twins may run: the second finds the exec reported.  Both skipped: the
 * name is found to have changed before the next record.
 */
static __always_inline void execs(void)
{
	struct own_thread own = own_thread();
	struct ipcscope_thread_state *thread = own.state;
	__u64 exec_id;

	if (!thread)
		return;
	exec_id = LOAD(own.task, self_exec_id);
	if (thread->named && thread->exec_id == exec_id)
		return;
	thread->exec_id = exec_id;
	thread->commanded = 0;
	thread->tid = bpf_get_current_pid_tgid();
	report_thread(thread, own.task, bpf_ktime_get_ns(),
		      IPCSCOPE_THREAD_EXEC);
}

HOOK("tp_btf/sched_process_exec", process_exec)
{
	execs();
}

HOOK("tp_btf/sched_process_exec", process_exec_twin)
{
	execs();
}

/* The leader is freed last; its number may now name another process. */
static __always_inline void forget_followed(struct task_struct *task)
{
	__u32 tgid = task->tgid;

	if (config.follow && tgid == (__u32)task->pid) {
		__u8 *flags = pid_flags(tgid);

		if (flags)
			*flags &= ~IPCSCOPE_PID_FOLLOWED;
	}
}

/* Nothing can be sent to it any more. */
static __always_inline void stat_free_task(struct task_struct *task)
{
	struct ipcscope_thread_state *thread = thread_find(task);

	if (thread) {
		drop_take(thread, task, bpf_ktime_get_ns());
		thread_forget(task);
	}
	pending_drop(owner_of(task));
	if (task->tgid == task->pid)
		pending_drop(owner_of(task->signal));
}

/*
 * From an RCU callback: they do not interrupt each other.  Wanted as an exit
 * is (sched.bpf.c).
 */
HOOK("tp_btf/sched_process_free", process_free)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct ipcscope_header *record;
	struct record_out out;

	if (IPCSCOPE_STAT) {
		stat_free_task(task);
		forget_followed(task);
		return;
	}
	if (!task_wanted(task) && !(task->exit_code & 0x7f)) {
		count_filtered(IPCSCOPE_THREAD_FREE);
		return;
	}
	record = record_begin(&out, IPCSCOPE_THREAD_FREE, sizeof(*record), 0,
			      bpf_ktime_get_ns(), id_of(task));
	if (record)
		record_end(&out, record, sizeof(*record));
	forget_followed(task);
}

/*
 * What the thread does, unless a hook has seen it since its state was made.
 * One that has exited is not kept: its last context switch may be over.
 */
static __always_inline void look_at_thread(struct ipcscope_thread_state *thread,
					   struct task_struct *task)
{
	struct ipcscope_account *account = &thread->account;
	unsigned int bits = task_state_bits(task);
	__u8 state = IPCSCOPE_STATE_RUNNABLE;
	__u16 syscall = IPCSCOPE_SYSCALL_NONE;

	if (task->exit_state || bits & IPCSCOPE_TASK_DEAD) {
		thread_forget(task);
		return;
	}
	if (runs_now(task))
		return;
	if (bits && bits != IPCSCOPE_TASK_WAKING) {
		syscall = syscall_of(task);
		state = sleep_state(task, bits, syscall);
	}
	barrier();
	if (account->switches)
		return;
	account->state = state;
	account->syscall = syscall;
}

/* Run by the collector, once the hooks count. */
SEC("iter/task")
int sweep(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct ipcscope_thread_state *thread;

	if (!task || (task->flags & PF_KTHREAD) || task->exit_state ||
	    !task_wanted(task) || thread_find(task))
		return 0;
	thread = thread_make(task, bpf_ktime_get_ns(), IPCSCOPE_STATE_RUNNING);
	if (thread)
		look_at_thread(thread, task);
	else
		count_lost(IPCSCOPE_THREAD_TIME, IPCSCOPE_LOST_TABLE_FULL);
	return 0;
}
