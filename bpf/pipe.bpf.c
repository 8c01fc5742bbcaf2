// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and FIFOs: every read and write, and where its time went.
 *
 *   enter ──► runs ──► asleep (S: empty or full, D: lock) ──► woken, waits
 *                       blocked_ns / uninterruptible_ns       runqueue_ns
 *
 * The scheduler's hooks add to the call's entry in `calls`; they look it up
 * and never write the table itself.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline void look_at_pipe(struct ipcscope_call *call,
					 struct kiocb *iocb)
{
	struct file *file = BPF_CORE_READ(iocb, ki_filp);
	struct pipe_inode_info *pipe = BPF_CORE_READ(file, private_data);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	unsigned int flags = BPF_CORE_READ(file, f_flags);

	call->inode = BPF_CORE_READ(inode, i_ino);
	call->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	call->fifo = BPF_CORE_READ(inode, i_sb, s_magic) != PIPEFS_MAGIC;
	call->nonblock = (flags & O_NONBLOCK) ||
			 (BPF_CORE_READ(iocb, ki_flags) & IOCB_NOWAIT);
	call->packet = !!(flags & O_DIRECT);
	call->ring_slots = BPF_CORE_READ(pipe, ring_size);
	call->used_slots = BPF_CORE_READ(pipe, head) -
			   BPF_CORE_READ(pipe, tail);
	call->readers = BPF_CORE_READ(pipe, readers);
	call->writers = BPF_CORE_READ(pipe, writers);
}

static __always_inline void pipe_enters(__u16 kind, __u64 *ctx, enum twin twin)
{
	struct iov_iter *data = (struct iov_iter *)ctx[1];
	__u64 id = bpf_get_current_pid_tgid();
	struct ipcscope_call call = {};

	if (!call_begins(kind, id, twin))
		return;
	call.kind = kind;
	call.tgid = id >> 32;
	call.requested_bytes = BPF_CORE_READ(data, count);
	bpf_get_current_comm(call.comm, sizeof(call.comm));
	look_at_pipe(&call, (struct kiocb *)ctx[0]);
	call.enter_ns = bpf_ktime_get_ns();
	call_enter(id, &call);
}

static __always_inline void pipe_exits(__u16 kind, __u64 *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct ipcscope_call *call = call_of(kind, tid);
	__u64 blocked_ns, runqueue_ns, uninterruptible_ns, woken_ns;
	struct ipcscope_pipe_op *record;

	if (!call)
		return;
	/* Read before the record's time is taken: we may be preempted here. */
	blocked_ns = *(volatile __u64 *)&call->blocked_ns;
	runqueue_ns = *(volatile __u64 *)&call->runqueue_ns;
	uninterruptible_ns = *(volatile __u64 *)&call->uninterruptible_ns;
	woken_ns = *(volatile __u64 *)&call->woken_ns;
	record = RECORD_BEGIN(ipcscope_pipe_op, kind);
	if (record) {
		record->enter_ns = call->enter_ns;
		record->inode = call->inode;
		record->requested_bytes = call->requested_bytes;
		record->ret = (__s64)ctx[2];
		record->blocked_ns = blocked_ns;
		record->runqueue_ns = runqueue_ns;
		record->uninterruptible_ns = uninterruptible_ns;
		record->woken_ns = woken_ns;
		record->dev = call->dev;
		record->ring_slots = call->ring_slots;
		record->used_slots = call->used_slots;
		record->readers = call->readers;
		record->writers = call->writers;
		record->sleeps = call->sleeps;
		record->fifo = call->fifo;
		record->nonblock = call->nonblock;
		record->packet = call->packet;
		RECORD_END(record);
	}
	call_leave(tid);
}

HOOK("fentry", pipe_read_enter)
{
	pipe_enters(IPCSCOPE_PIPE_READ, ctx, FIRST_TWIN);
}

HOOK("fentry", pipe_read_enter_twin)
{
	pipe_enters(IPCSCOPE_PIPE_READ, ctx, SECOND_TWIN);
}

HOOK("fexit", pipe_read_exit)
{
	pipe_exits(IPCSCOPE_PIPE_READ, ctx);
}

HOOK("fexit", pipe_read_exit_twin)
{
	pipe_exits(IPCSCOPE_PIPE_READ, ctx);
}

HOOK("fentry", pipe_write_enter)
{
	pipe_enters(IPCSCOPE_PIPE_WRITE, ctx, FIRST_TWIN);
}

HOOK("fentry", pipe_write_enter_twin)
{
	pipe_enters(IPCSCOPE_PIPE_WRITE, ctx, SECOND_TWIN);
}

HOOK("fexit", pipe_write_exit)
{
	pipe_exits(IPCSCOPE_PIPE_WRITE, ctx);
}

HOOK("fexit", pipe_write_exit_twin)
{
	pipe_exits(IPCSCOPE_PIPE_WRITE, ctx);
}

static __always_inline void left_cpu(struct task_struct *task, bool preempted)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);

	if (!call)
		return;
	call->sleep_state = preempted ? IPCSCOPE_STATE_RUNNING :
				 state_of_bits(task_state_bits(task));
	call->sleep_ns = bpf_ktime_get_ns();
	call->wake_ns = 0;
	if (call->sleep_state == IPCSCOPE_STATE_RUNNING)
		call->wake_ns = call->sleep_ns;	/* still wants the CPU */
	else if (call->sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE)
		call->sleeps++;
}

static __always_inline void got_cpu(struct task_struct *task)
{
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);
	__u64 now, wake, slept;

	if (!call || !call->sleep_ns)
		return;
	now = bpf_ktime_get_ns();
	wake = call->wake_ns ? call->wake_ns : now;
	slept = wake > call->sleep_ns ? wake - call->sleep_ns : 0;
	if (call->sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE) {
		call->blocked_ns += slept;
		call->woken_ns = wake;
	} else {
		call->uninterruptible_ns += slept;
	}
	if (now > wake)
		call->runqueue_ns += now - wake;
	call->sleep_ns = 0;
}

/* (preempt, prev, next), and since 5.18 prev_state after them. */
HOOK("tp_btf/sched_switch", sched_switch)
{
	left_cpu((struct task_struct *)ctx[1], (bool)ctx[0]);
	got_cpu((struct task_struct *)ctx[2]);
}

HOOK("tp_btf/sched_waking", sched_waking)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);

	if (call && call->sleep_ns && !call->wake_ns)
		call->wake_ns = bpf_ktime_get_ns();
}
