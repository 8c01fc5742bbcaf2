// SPDX-License-Identifier: GPL-2.0-only
/* The life of tasks: what ends a wait for them, and whom filters follow. */
#include "emit.bpf.h"
#include "filter.bpf.h"
#include <bpf/bpf_tracing.h>

/* A call of get_signal() that ends the task does not return. */
static __always_inline void end_get_signal(__u32 tid)
{
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);
	struct ipcscope_signal_get *record;

	if (!call || call->kind != IPCSCOPE_SIGNAL_GET)
		return;
	record = RECORD_BEGIN(ipcscope_signal_get, IPCSCOPE_SIGNAL_GET);
	if (record) {
		record->header.flags = IPCSCOPE_UNFINISHED;
		record->enter_ns = call->enter_ns;
		RECORD_END(record);
	}
	bpf_map_delete_elem(&calls, &tid);
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
SEC("tp_btf/sched_process_exit")
int process_exit(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	struct ipcscope_task_exit *record;

	end_get_signal(BPF_CORE_READ(task, pid));
	if (!death_wanted(task)) {
		count_filtered(IPCSCOPE_TASK_EXIT);
		return 0;
	}
	record = RECORD_BEGIN(ipcscope_task_exit, IPCSCOPE_TASK_EXIT);
	if (!record)
		return 0;
	record->exit_code = BPF_CORE_READ(task, exit_code);
	record->group_dead = BPF_CORE_READ(task, signal, live.counter) == 0;
	RECORD_END(record);
	return 0;
}

SEC("tp_btf/sched_process_free")
int process_free(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 tgid = BPF_CORE_READ(task, tgid);
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_task_free *record;

	if (!death_wanted(task)) {
		count_filtered(IPCSCOPE_TASK_FREE);
		return 0;
	}
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
	return 0;
}

SEC("tp_btf/sched_process_fork")
int process_fork(__u64 *ctx)
{
	struct task_struct *parent = (struct task_struct *)ctx[0];
	struct task_struct *child = (struct task_struct *)ctx[1];
	__u32 tgid = BPF_CORE_READ(child, tgid);
	__u8 yes = 1;

	if (config.follow && task_wanted(parent))
		bpf_map_update_elem(&followed, &tgid, &yes, BPF_ANY);
	return 0;
}
