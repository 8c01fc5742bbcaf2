// SPDX-License-Identifier: GPL-2.0-only
/* Pipes and FIFOs: every read and write. */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pipe_fs_i.h>
#include <linux/uio.h>

#include "call.h"

static void look_at_pipe(struct ipcscope_call *call, const struct kiocb *iocb)
{
	const struct file *file = iocb->ki_filp;
	const struct pipe_inode_info *pipe = file->private_data;
	const struct inode *inode = file_inode(file);

	call->object = inode->i_ino;
	call->peer = 0;
	call->dev = inode->i_sb->s_dev;
	call->type = inode->i_sb->s_magic == PIPEFS_MAGIC ?
			     IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_FIFO;
	call->flags = 0;
	if (scope_call_nonblock(iocb))
		call->flags |= IPCSCOPE_CALL_NONBLOCK;
	if (file->f_flags & O_DIRECT)
		call->flags |= IPCSCOPE_CALL_PACKET;
	call->tail.pipe.ring_slots = READ_ONCE(pipe->ring_size);
	call->tail.pipe.used_slots = READ_ONCE(pipe->head) -
				     READ_ONCE(pipe->tail);
	call->tail.pipe.readers = READ_ONCE(pipe->readers);
	call->tail.pipe.writers = READ_ONCE(pipe->writers);
}

/* (iocb, iter) */
static void look_at_call(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct iov_iter *iter = (void *)regs_get_kernel_argument(regs, 1);

	call->requested = min_t(size_t, iov_iter_count(iter), U32_MAX);
	look_at_pipe(call, (void *)regs_get_kernel_argument(regs, 0));
}

int scope_read_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_READ,
				look_at_call);
}

int scope_write_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_PIPE, IPCSCOPE_OP_WRITE,
				look_at_call);
}
