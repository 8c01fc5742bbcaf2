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
#include "emit.bpf.h"
#include "filter.bpf.h"
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

static __always_inline void pipe_enter(__u16 kind, __u64 *ctx)
{
	struct iov_iter *data = (struct iov_iter *)ctx[1];
	__u64 id = bpf_get_current_pid_tgid();
	struct ipcscope_call call = {};
	__u32 tid = id;

	if (!current_wanted()) {
		count_filtered(kind);
		return;
	}
	call.kind = kind;
	call.tgid = id >> 32;
	call.requested_bytes = BPF_CORE_READ(data, count);
	bpf_get_current_comm(call.comm, sizeof(call.comm));
	look_at_pipe(&call, (struct kiocb *)ctx[0]);
	call.enter_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&calls, &tid, &call, BPF_ANY))
		count_lost(kind, IPCSCOPE_LOST_TABLE_FULL);
}

static __always_inline void pipe_exit(__u16 kind, __u64 *ctx)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);
	struct ipcscope_pipe_op *record;

	if (!call || call->kind != kind)
		return;		/* filtered, or entered before the attach */
	record = RECORD_BEGIN(ipcscope_pipe_op, kind);
	if (record) {
		record->enter_ns = call->enter_ns;
		record->inode = call->inode;
		record->requested_bytes = call->requested_bytes;
		record->ret = (__s64)ctx[2];
		record->blocked_ns = call->blocked_ns;
		record->runqueue_ns = call->runqueue_ns;
		record->uninterruptible_ns = call->uninterruptible_ns;
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
	bpf_map_delete_elem(&calls, &tid);
}

SEC("fentry")
int pipe_read_enter(__u64 *ctx)
{
	pipe_enter(IPCSCOPE_PIPE_READ, ctx);
	return 0;
}

SEC("fexit")
int pipe_read_exit(__u64 *ctx)
{
	pipe_exit(IPCSCOPE_PIPE_READ, ctx);
	return 0;
}

SEC("fentry")
int pipe_write_enter(__u64 *ctx)
{
	pipe_enter(IPCSCOPE_PIPE_WRITE, ctx);
	return 0;
}

SEC("fexit")
int pipe_write_exit(__u64 *ctx)
{
	pipe_exit(IPCSCOPE_PIPE_WRITE, ctx);
	return 0;
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
	if (call->sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE)
		call->blocked_ns += slept;
	else
		call->uninterruptible_ns += slept;
	if (now > wake)
		call->runqueue_ns += now - wake;
	call->sleep_ns = 0;
}

/* (preempt, prev, next), and since 5.18 prev_state after them. */
SEC("tp_btf/sched_switch")
int sched_switch(__u64 *ctx)
{
	left_cpu((struct task_struct *)ctx[1], (bool)ctx[0]);
	got_cpu((struct task_struct *)ctx[2]);
	return 0;
}

SEC("tp_btf/sched_waking")
int sched_waking(__u64 *ctx)
{
	struct task_struct *task = (struct task_struct *)ctx[0];
	__u32 tid = BPF_CORE_READ(task, pid);
	struct ipcscope_call *call = bpf_map_lookup_elem(&calls, &tid);

	if (call && call->sleep_ns && !call->wake_ns)
		call->wake_ns = bpf_ktime_get_ns();
	return 0;
}
