// SPDX-License-Identifier: GPL-2.0-only
/* Pipes and FIFOs: every read and write.  Its time: account.h, sched.bpf.c. */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

static __always_inline void look_at_pipe(struct ipcscope_open_call *call,
					 struct kiocb *iocb,
					 struct iov_iter *data, __u8 op)
{
	struct pipe_inode_info *pipe;
	struct super_block *super;
	struct inode *inode;
	struct file *file;
	unsigned int flags;

	if (!needs_object()) {
		call->op = op;
		return;
	}
	file = iocb->ki_filp;
	inode = file->f_inode;
	super = inode->i_sb;
	pipe = inode->i_pipe;
	flags = file->f_flags;
	call->object = inode->i_ino;
	call->peer = 0;
	call->dev = super->s_dev;
	call->type = super->s_magic == PIPEFS_MAGIC ? IPCSCOPE_OBJECT_PIPE :
						      IPCSCOPE_OBJECT_FIFO;
	call->op = op;
	call->flags = 0;
	if ((flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT))
		call->flags |= IPCSCOPE_CALL_NONBLOCK;
	if (flags & O_DIRECT)
		call->flags |= IPCSCOPE_CALL_PACKET;
	call->tail.pipe.ring_slots = pipe->ring_size;
	call->tail.pipe.used_slots = pipe->head - pipe->tail;
	call->tail.pipe.readers = pipe->readers;
	call->tail.pipe.writers = pipe->writers;
	call->requested = bytes32(data->count);
}

static __always_inline void pipe_enters(__u8 op, __u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_PIPE, twin);

	if (!thread)
		return;
	look_at_pipe(&thread->call, (struct kiocb *)ctx[0],
		     (struct iov_iter *)ctx[1], op);
	call_opens(thread, IPCSCOPE_CALL_PIPE);
}

HOOK("fentry", pipe_read_enter)
{
	pipe_enters(IPCSCOPE_OP_READ, ctx, FIRST_TWIN);
}

HOOK("fentry", pipe_read_enter_twin)
{
	pipe_enters(IPCSCOPE_OP_READ, ctx, SECOND_TWIN);
}

HOOK("fexit", pipe_read_exit)
{
	call_exits(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, (int)ctx[2]);
}

HOOK("fexit", pipe_read_exit_twin)
{
	call_exits(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ, (int)ctx[2]);
}

HOOK("fentry", pipe_write_enter)
{
	pipe_enters(IPCSCOPE_OP_WRITE, ctx, FIRST_TWIN);
}

HOOK("fentry", pipe_write_enter_twin)
{
	pipe_enters(IPCSCOPE_OP_WRITE, ctx, SECOND_TWIN);
}

HOOK("fexit", pipe_write_exit)
{
	call_exits(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, (int)ctx[2]);
}

HOOK("fexit", pipe_write_exit_twin)
{
	call_exits(IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE, (int)ctx[2]);
}
