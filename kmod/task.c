// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of tasks: what ends a wait for them, whom filters follow, and where
 * the time of a pipe's call goes.
 *
 *   enter --> runs --> asleep (S: empty or full, D: lock) --> woken, waits
 *                       blocked_ns / uninterruptible_ns       runqueue_ns
 */
#include <linux/sched/signal.h>
#include <linux/timekeeping.h>

#include "emit.h"
#include "hooks.h"
#include "state.h"

static void left_cpu(struct scope_call *call, void *data)
{
	u8 state = *(u8 *)data;

	call->sleep_state = state;
	call->sleep_ns = ktime_get_mono_fast_ns();
	call->wake_ns = 0;
	if (state == IPCSCOPE_STATE_RUNNING)
		call->wake_ns = call->sleep_ns;	/* still wants the CPU */
	else if (state == IPCSCOPE_STATE_INTERRUPTIBLE)
		call->pipe.sleeps++;
}

static void got_cpu(struct scope_call *call, void *data)
{
	u64 now, wake, slept;

	if (!call->sleep_ns)
		return;
	now = ktime_get_mono_fast_ns();
	wake = call->wake_ns ? call->wake_ns : now;
	slept = wake > call->sleep_ns ? wake - call->sleep_ns : 0;
	if (call->sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE) {
		call->pipe.blocked_ns += slept;
		call->pipe.woken_ns = wake;
	} else {
		call->pipe.uninterruptible_ns += slept;
	}
	if (now > wake)
		call->pipe.runqueue_ns += now - wake;
	call->sleep_ns = 0;
}

static void woken(struct scope_call *call, void *data)
{
	if (call->sleep_ns && !call->wake_ns)
		call->wake_ns = ktime_get_mono_fast_ns();
}

static u8 state_left_in(bool preempt, struct task_struct *task)
{
	return preempt ? IPCSCOPE_STATE_RUNNING :
			 scope_state_of_bits(scope_task_state_bits(task));
}

SCOPE_SCHED_SWITCH(scope_sched_switch)
{
	struct scope_trace *trace = data;
	u8 state = state_left_in(preempt, prev);

	scope_call_visit(&trace->calls, prev->pid, left_cpu, &state);
	scope_call_visit(&trace->calls, next->pid, got_cpu, NULL);
}

/* prev is current: only its own stack can be walked. */
SCOPE_SCHED_SWITCH(scope_sched_switch_stacks)
{
	struct scope_trace *trace = data;

	if (scope_stuck(state_left_in(preempt, prev)))
		scope_stack_save(&trace->stacks, 1);
	scope_stack_forget(&trace->stacks, next->pid);
}

void scope_sched_waking(void *data, struct task_struct *task)
{
	struct scope_trace *trace = data;

	scope_call_visit(&trace->calls, task->pid, woken, NULL);
}

/* A call of get_signal() that ends the task does not return. */
static void end_calls(struct scope_trace *trace, struct task_struct *task)
{
	u64 enter_ns;
	u16 kind;

	while ((kind = scope_call_abandon(&trace->calls, task->pid,
					  &enter_ns))) {
		struct ipcscope_signal_get record = {};

		if (kind != IPCSCOPE_SIGNAL_GET)
			continue;	/* the kernel died in it */
		record.header.flags = IPCSCOPE_UNFINISHED;
		record.enter_ns = enter_ns;
		SCOPE_EMIT(trace, &record, IPCSCOPE_SIGNAL_GET);
	}
}

/*
 * A death by a signal is wanted whoever died: the killer may be the one that
 * the filters name, and its kill ends here.
 */
static bool death_wanted(struct scope_trace *trace, struct task_struct *task)
{
	return (task->exit_code & 0x7f) ||
	       scope_task_wanted(&trace->filters, task);
}

/*
 * The tracepoint comes before exit_mm() since 6.16 and after it until then:
 * it tells that a task exits, not when it is gone.
 */
SCOPE_PROCESS_EXIT(scope_process_exit)
{
	struct ipcscope_task_exit record = {};
	struct scope_trace *trace = data;

	end_calls(trace, task);
	if (!death_wanted(trace, task)) {
		scope_count_filtered(trace, IPCSCOPE_TASK_EXIT);
		return;
	}
	record.exit_code = task->exit_code;
	record.group_dead = !atomic_read(&task->signal->live);
	SCOPE_EMIT(trace, &record, IPCSCOPE_TASK_EXIT);
}

void scope_process_free(void *data, struct task_struct *task)
{
	struct ipcscope_task_free record = {};
	struct scope_trace *trace = data;

	if (!death_wanted(trace, task)) {
		scope_count_filtered(trace, IPCSCOPE_TASK_FREE);
		return;
	}
	record.tgid = task->tgid;
	record.tid = task->pid;
	strscpy_pad(record.comm, task->comm, sizeof(record.comm));
	SCOPE_EMIT(trace, &record, IPCSCOPE_TASK_FREE);
	scope_follow_free(&trace->filters, task);
}

void scope_process_fork(void *data, struct task_struct *parent,
			struct task_struct *child)
{
	struct scope_trace *trace = data;

	scope_follow_fork(&trace->filters, parent, child);
}
