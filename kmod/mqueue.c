// SPDX-License-Identifier: GPL-2.0-only
/* POSIX message queues: every send and receive. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mqueue.h>
#include <linux/rbtree.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "call.h"

#define MQUEUE_MAGIC	0x19800202

/* ipc/mqueue.c has it for itself; so since 5.7 (a5091fda4e3c). */
struct mqueue_inode_info {
	spinlock_t lock;
	struct inode vfs_inode;
	wait_queue_head_t wait_q;
	struct rb_root msg_tree;
	struct rb_node *msg_tree_rightmost;
	void *node_cache;
	struct mq_attr attr;
};

static bool is_queue(const struct file *file)
{
	return file && file_inode(file)->i_sb->s_magic == MQUEUE_MAGIC;
}

static void look_at_queue(struct ipcscope_call *call, const struct file *file)
{
	const struct inode *inode = file_inode(file);
	const struct mqueue_inode_info *queue =
		container_of(inode, struct mqueue_inode_info, vfs_inode);

	call->object = inode->i_ino;
	call->peer = 0;
	call->dev = inode->i_sb->s_dev;
	call->type = IPCSCOPE_OBJECT_MQUEUE;
	call->flags = file->f_flags & O_NONBLOCK ? IPCSCOPE_CALL_NONBLOCK : 0;
	call->tail.mqueue.messages = READ_ONCE(queue->attr.mq_curmsgs);
	call->tail.mqueue.max_messages = queue->attr.mq_maxmsg;
	call->tail.mqueue.message_bytes = queue->attr.mq_msgsize;
}

/* (descriptor, message, bytes, priority, timeout); of a receive where to put it. */
static void look_at_call(struct ipcscope_call *call, struct pt_regs *regs)
{
	struct file *file = fget(regs_get_kernel_argument(regs, 0));

	call->requested = min_t(u64, regs_get_kernel_argument(regs, 2), U32_MAX);
	call->type = IPCSCOPE_OBJECT_NONE;
	if (is_queue(file))
		look_at_queue(call, file);
	if (file)
		fput(file);
}

static void look_at_send(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_call(call, regs);
	call->tail.mqueue.priority = regs_get_kernel_argument(regs, 3);
}

static void look_at_receive(struct ipcscope_call *call, struct pt_regs *regs)
{
	look_at_call(call, regs);
	call->tail.mqueue.priority = 0;
}

int scope_mq_send_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_call *call = (void *)ri->data;

	if (scope_call_enter(ri, regs, IPCSCOPE_CALL_MQUEUE, IPCSCOPE_OP_SEND,
			     look_at_send))
		return 1;
	/* Of a sum: a queue takes none that is longer. */
	call->requested = regs_get_kernel_argument(regs, 2);
	return 0;
}

int scope_mq_receive_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_MQUEUE,
				IPCSCOPE_OP_RECEIVE, look_at_receive);
}

/* A sum that is not by object has not looked at the file, which is the first argument. */
static bool was_queue(const struct scope_trace *trace,
		      const struct scope_call *call)
{
	unsigned long arguments[6];
	struct file *file;
	bool queue;

	if (!trace->stat)
		return call->thread->call.type != IPCSCOPE_OBJECT_NONE;
	if (trace->config.stat_by == IPCSCOPE_STAT_BY_OBJECT)
		return call->type != IPCSCOPE_OBJECT_NONE;
	syscall_get_arguments(current, task_pt_regs(current), arguments);
	file = fget(arguments[0]);
	queue = is_queue(file);
	if (file)
		fput(file);
	return queue;
}

/* What is no queue is known by its error. */
int scope_mq_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct scope_call *call = (void *)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	s32 ret = regs_return_value(regs);
	unsigned long flags;

	if (!trace)
		return 0;
	if (ret >= 0 || !ipcscope_may_be_no_queue(ret) ||
	    was_queue(trace, call)) {
		scope_call_returns(trace, call, ret);
	} else if (!trace->stat) {
		local_irq_save(flags);
		ipcscope_account_cancel(&call->thread->account);
		local_irq_restore(flags);
	}
	return 0;
}
