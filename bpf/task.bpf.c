// SPDX-License-Identifier: GPL-2.0-only
/* The life of tasks: what ends a wait for them, and whom filters follow. */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

/* A call of get_signal() that ends the task does not return. */
static __always_inline void end_get_signal(__u32 tid)
{
	__u32 key = tid | IPCSCOPE_CALL_GET_SIGNAL;
	struct ipcscope_call *call = call_of(IPCSCOPE_SIGNAL_GET, key);
	struct ipcscope_signal_get *record;

	if (!call)
		return;
	record = RECORD_BEGIN(ipcscope_signal_get, IPCSCOPE_SIGNAL_GET);
	if (record) {
		record->header.flags = IPCSCOPE_UNFINISHED;
		record->enter_ns = call->enter_ns;
		RECORD_END(record);
	}
	call_leave(key);
}

/*
 * A death by a signal is wanted whoever died: the killer may be the one that
 * the filters name, and its kill ends here.
 */
static __always_inline bool death_wanted(struct task_struct *task)
{
	return task_wanted(task) || (BPF_CORE_READ(task, exit_code) & 0x7f);
}

/*
 * The tracepoint comes before exit_mm() since 6.16 and after it until then:
 * it tells that a task exits, not when it is gone.
 */
static __always_inline void task_exits(struct task_struct *task, enum twin twin)
{
	struct ipcscope_task_exit *record;

	end_get_signal(BPF_CORE_READ(task, pid));
	if (!moment_begins(IPCSCOPE_TASK_EXIT, task, death_wanted(task), twin))
		return;
	record = RECORD_BEGIN(ipcscope_task_exit, IPCSCOPE_TASK_EXIT);
	if (!record)
		return;
	record->exit_code = BPF_CORE_READ(task, exit_code);
	record->group_dead = BPF_CORE_READ(task, signal, live.counter) == 0;
	RECORD_END(record);
}

HOOK("tp_btf/sched_process_exit", process_exit)
{
	task_exits((struct task_struct *)ctx[0], FIRST_TWIN);
}

HOOK("tp_btf/sched_process_exit", process_exit_twin)
{
	task_exits((struct task_struct *)ctx[0], SECOND_TWIN);
}

static __always_inline void task_freed(struct task_struct *task, enum twin twin)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_task_free *record;

	if (!moment_begins(IPCSCOPE_TASK_FREE, task, death_wanted(task), twin))
		return;
	record = RECORD_BEGIN(ipcscope_task_free, IPCSCOPE_TASK_FREE);
	if (record) {
		record->tgid = tgid;
		record->tid = tid;
		read_comm(record->comm, task);
		RECORD_END(record);
	}
	/* The leader is freed last; its number may now name another process. */
	if (config.follow && tgid == tid)
		bpf_map_delete_elem(&followed, &tgid);
}

HOOK("tp_btf/sched_process_free", process_free)
{
	task_freed((struct task_struct *)ctx[0], FIRST_TWIN);
}

HOOK("tp_btf/sched_process_free", process_free_twin)
{
	task_freed((struct task_struct *)ctx[0], SECOND_TWIN);
}

static __always_inline void task_forks(__u64 *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	__u32 parents = BPF_CORE_READ(parent, tgid);
	__u32 tgid = BPF_CORE_READ(child, tgid);
	__u8 yes = 1;

	if (config.follow == IPCSCOPE_FOLLOW_ALL ?
	    task_wanted(parent) :
	    config.follow && bpf_map_lookup_elem(&followed, &parents))
		bpf_map_update_elem(&followed, &tgid, &yes, BPF_ANY);
}

/* Twins of which each may do the whole. */
HOOK("tp_btf/sched_process_fork", process_fork)
{
	task_forks(ctx);
}

HOOK("tp_btf/sched_process_fork", process_fork_twin)
{
	task_forks(ctx);
}
