/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Threads: their state, looked up once in a hook, and the records that name
 * them.  A thread has a state if it is wanted and no kernel thread.
 */
#ifndef IPCSCOPE_THREAD_BPF_H
#define IPCSCOPE_THREAD_BPF_H

#include "emit.bpf.h"
#include "filter.bpf.h"
#include "table.bpf.h"

/* The current thread, and whether it is wanted. */
struct own_thread {
	struct task_struct *task;
	struct ipcscope_thread_state *state;	/* NULL: unwanted, a kernel thread,
						 * or the table is full */
	bool wanted;
};

static __always_inline struct own_thread own_thread(void)
{
	struct own_thread own = { .task = current_task() };

	own.state = thread_find(own.task);
	if (own.state && !wanted_changes()) {
		own.wanted = true;
		return own;
	}
	own.wanted = task_wanted(own.task);
	if (own.wanted && !own.state && !(LOAD(own.task, flags) & PF_KTHREAD))
		own.state = thread_make(own.task, bpf_ktime_get_ns(),
					IPCSCOPE_STATE_RUNNING);
	if (!own.wanted && own.state) {
		thread_forget(own.task);
		own.state = NULL;
	}
	return own;
}

static __always_inline __u64 id_of(struct task_struct *task)
{
	return thread_id(LOAD(task, tgid), LOAD(task, pid));
}

/* `address` of a task: its fields are read by helpers, which costs little once a thread. */
GLOBAL __u32 emit_thread(__u64 address, __u64 now, __u32 reason)
{
	struct task_struct *task = (struct task_struct *)address;
	struct ipcscope_thread *record;
	struct record_out out;

	record = record_begin(&out, IPCSCOPE_THREAD, sizeof(*record), 0, now,
			      thread_id(BPF_CORE_READ(task, tgid),
					BPF_CORE_READ(task, pid)));
	if (!record)
		return false;
	record->start_ns = BPF_CORE_READ(task, start_time);
	record->cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	record->ppid = BPF_CORE_READ(task, real_parent, tgid);
	record->ns_pid = ns_pid_of(task);
	record->uid = BPF_CORE_READ(task, cred, uid.val);
	record->reason = reason;
	__builtin_memset(record->pad, 0, sizeof(record->pad));
	read_comm(record->comm, task);
	record->blocked = BPF_CORE_READ(task, blocked.sig[0]);
	record_end(&out, record, sizeof(*record));
	return true;
}

/* Reports a thread; `state` may be NULL. */
static __always_inline void
report_thread(struct ipcscope_thread_state *state, struct task_struct *task,
	      __u64 now, __u8 reason)
{
	__u64 comm[2];

	load_comm(comm, task);
	if (!emit_thread(address_of(task), now, reason) || !state)
		return;
	state->comm[0] = comm[0];
	state->comm[1] = comm[1];
	state->named = 1;
}

#define IS_NAMED	IPCSCOPE_THREAD_REASON_COUNT

/*
 * Why a thread is to be reported before a record about it; IS_NAMED: that was
 * done, and its name is still the same.  Without a state: each time.
 */
static __always_inline __u8 why_name(struct ipcscope_thread_state *state,
				     struct task_struct *task)
{
	__u64 comm[2];

	if (!state || !state->named)
		return IPCSCOPE_THREAD_SEEN;
	load_comm(comm, task);
	return comm[0] == state->comm[0] && comm[1] == state->comm[1] ?
		       IS_NAMED : IPCSCOPE_THREAD_RENAME;
}

static __always_inline void name_thread(struct ipcscope_thread_state *state,
					struct task_struct *task, __u64 now)
{
	__u8 reason = why_name(state, task);

	if (reason != IS_NAMED)
		report_thread(state, task, now, reason);
}

NOINLINE void emit_slice(struct ipcscope_thread_state *state,
			 struct task_struct *task,
			 const struct ipcscope_stay *stay, __u64 now)
{
	struct ipcscope_slice *record;
	struct record_out out;

	name_thread(state, task, now);
	record = record_begin(&out, IPCSCOPE_SLICE, sizeof(*record), 0, now,
			      id_of(task));
	if (!record)
		return;
	ipcscope_fill_slice(record, stay);
	record_end(&out, record, sizeof(*record));
}

#endif /* IPCSCOPE_THREAD_BPF_H */
