// SPDX-License-Identifier: GPL-2.0-only
/* POSIX message queues: every send and receive. */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

#define MQUEUE_MAGIC	0x19800202

/* Of what is no queue it fills in nothing that is used: mqueue_exits(). */
static __always_inline void look_at_queue(struct ipcscope_open_call *call,
					  struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct mqueue_inode_info *queue = (void *)inode -
		bpf_core_field_offset(struct mqueue_inode_info, vfs_inode);
	struct mq_attr attr = {};

	bpf_core_read(&attr, sizeof(attr), &queue->attr);
	call->object = BPF_CORE_READ(inode, i_ino);
	call->peer = 0;
	call->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	call->type = IPCSCOPE_OBJECT_MQUEUE;
	call->flags = BPF_CORE_READ(file, f_flags) & O_NONBLOCK ?
			      IPCSCOPE_CALL_NONBLOCK : 0;
	call->tail.mqueue.messages = attr.mq_curmsgs;
	call->tail.mqueue.max_messages = attr.mq_maxmsg;
	call->tail.mqueue.message_bytes = attr.mq_msgsize;
}

/* (descriptor, message, bytes, priority, timeout); of a receive where to put it. */
static __always_inline void mqueue_enters(__u64 *ctx, __u8 op, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_MQUEUE, twin);

	if (!thread)
		return;
	thread->call.op = op;
	thread->call.requested = bytes32(ctx[2]);
	if (needs_object()) {
		look_at_queue(&thread->call, file_of((unsigned int)ctx[0]));
		thread->call.tail.mqueue.priority =
			op == IPCSCOPE_OP_SEND ? (__u32)ctx[3] : 0;
	}
	call_opens(thread, IPCSCOPE_CALL_MQUEUE);
}

static __always_inline bool is_queue(struct file *file)
{
	return file &&
	       BPF_CORE_READ(file, f_inode, i_sb, s_magic) == MQUEUE_MAGIC;
}

/* What is no queue is known by its error: most calls need not be looked at for that. */
static __always_inline void mqueue_exits(__u64 *ctx, __u8 op)
{
	struct ipcscope_thread_state *thread;
	int ret = (int)ctx[5];

	if (!ipcscope_may_be_no_queue(ret) ||
	    is_queue(file_of((unsigned int)ctx[0]))) {
		call_exits(IPCSCOPE_CALL_MQUEUE, op, ret);
		return;
	}
	thread = thread_find(current_task());
	if (thread && thread->account.call == IPCSCOPE_CALL_MQUEUE)
		ipcscope_account_cancel(&thread->account);
}

#define MQUEUE_HOOKS(name, op)						\
	HOOK("fentry", name##_enter)					\
	{								\
		mqueue_enters(ctx, op, FIRST_TWIN);			\
	}								\
	HOOK("fentry", name##_enter_twin)				\
	{								\
		mqueue_enters(ctx, op, SECOND_TWIN);			\
	}								\
	HOOK("fexit", name##_exit)					\
	{								\
		mqueue_exits(ctx, op);					\
	}								\
	HOOK("fexit", name##_exit_twin)					\
	{								\
		mqueue_exits(ctx, op);					\
	}

MQUEUE_HOOKS(mqueue_send, IPCSCOPE_OP_SEND)
MQUEUE_HOOKS(mqueue_receive, IPCSCOPE_OP_RECEIVE)
