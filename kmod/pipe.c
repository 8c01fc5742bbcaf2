// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and FIFOs: every read and write.  The scheduler's hooks (task.c) add
 * to the call what its thread does meanwhile.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pipe_fs_i.h>
#include <linux/timekeeping.h>
#include <linux/uio.h>

#include "emit.h"
#include "hooks.h"

static void look_at_pipe(struct ipcscope_pipe_op *op, struct kiocb *iocb)
{
	struct file *file = iocb->ki_filp;
	struct pipe_inode_info *pipe = file->private_data;
	struct inode *inode = file_inode(file);

	op->inode = inode->i_ino;
	op->dev = inode->i_sb->s_dev;
	op->fifo = inode->i_sb->s_magic != PIPEFS_MAGIC;
	op->nonblock = (file->f_flags & O_NONBLOCK) ||
		       (iocb->ki_flags & (__force int)IOCB_NOWAIT);
	op->packet = !!(file->f_flags & O_DIRECT);
	op->ring_slots = READ_ONCE(pipe->ring_size);
	op->used_slots = READ_ONCE(pipe->head) - READ_ONCE(pipe->tail);
	op->readers = READ_ONCE(pipe->readers);
	op->writers = READ_ONCE(pipe->writers);
}

static int pipe_enters(struct kretprobe_instance *ri, struct pt_regs *regs,
		       u16 kind)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call *call = (void *)ri->data;
	struct iov_iter *iter;

	if (!trace)
		return 1;
	if (!scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, kind);
		return 1;
	}
	memset(call, 0, sizeof(*call));
	call->task = current;
	call->tid = current->pid;
	call->kind = kind;
	iter = (void *)regs_get_kernel_argument(regs, 1);
	call->pipe.requested_bytes = iov_iter_count(iter);
	look_at_pipe(&call->pipe, (void *)regs_get_kernel_argument(regs, 0));
	call->enter_ns = ktime_get_mono_fast_ns();
	call->pipe.enter_ns = call->enter_ns;
	return !scope_call_enter(&trace->calls, call);
}

int scope_read_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return pipe_enters(ri, regs, IPCSCOPE_PIPE_READ);
}

int scope_write_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return pipe_enters(ri, regs, IPCSCOPE_PIPE_WRITE);
}

int scope_pipe_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_call *call = (void *)ri->data;

	if (!trace || !scope_call_leave(&trace->calls, call))
		return 0;
	call->pipe.ret = regs_return_value(regs);
	SCOPE_EMIT(trace, &call->pipe, call->kind);
	return 0;
}

/* A call that is still under way as the trace ends, as if it ended now. */
void scope_pipe_unfinished(struct scope_call *call, void *data)
{
	struct scope_trace *trace = data;
	struct ipcscope_pipe_op *record;
	struct task_struct *task;
	u64 now = ktime_get_mono_fast_ns();

	if (call->kind == IPCSCOPE_SIGNAL_GET ||
	    trace->unfinished_count == 2 * trace->config.max_calls)
		return;
	record = &trace->unfinished[trace->unfinished_count++];
	*record = call->pipe;
	record->header.time_ns = now;
	record->header.tid = call->tid;
	record->header.kind = call->kind;
	record->header.size = sizeof(*record);
	record->header.flags = IPCSCOPE_UNFINISHED;
	if (call->sleep_ns && !call->wake_ns && now > call->sleep_ns) {
		if (call->sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE)
			record->blocked_ns += now - call->sleep_ns;
		else
			record->uninterruptible_ns += now - call->sleep_ns;
	}
	/* It cannot end before it has taken its call out, which we lock. */
	task = call->task;
	record->header.tgid = task->tgid;
	strscpy_pad(record->header.comm, task->comm,
		    sizeof(record->header.comm));
}
