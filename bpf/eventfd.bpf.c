// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventfd: every read and write by a thread.  What the kernel itself signals
 * (aio, vhost, io_uring: eventfd_signal()) is no call.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

#define EFD_SEMAPHORE	1

static __always_inline void look_at_eventfd(struct ipcscope_open_call *call,
					    struct file *file, __u64 requested,
					    bool nonblock, __u8 op)
{
	struct eventfd_ctx *eventfd = file->private_data;
	struct list_head *head = (void *)eventfd +
		bpf_core_field_offset(struct eventfd_ctx, wqh.head);
	struct list_head *first;

	if (!needs_object()) {
		call->op = op;
		return;
	}
	first = BPF_CORE_READ(head, next);
	call->object = BPF_CORE_READ(eventfd, id);
	call->peer = 0;
	call->dev = 0;
	call->type = IPCSCOPE_OBJECT_EVENTFD;
	call->op = op;
	call->flags = nonblock ? IPCSCOPE_CALL_NONBLOCK : 0;
	call->requested = bytes32(requested);
	call->tail.eventfd.counter = BPF_CORE_READ(eventfd, count);
	call->tail.eventfd.semaphore =
		BPF_CORE_READ(eventfd, flags) & EFD_SEMAPHORE;
	call->tail.eventfd.waiters = first != head;
}

/* (iocb, iter) since 5.8 (12aceb89b0bc) */
static __always_inline void read_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_EVENTFD, twin);
	struct kiocb *iocb = (struct kiocb *)ctx[0];
	struct iov_iter *data = (struct iov_iter *)ctx[1];
	struct file *file;

	if (!thread)
		return;
	file = iocb->ki_filp;
	look_at_eventfd(&thread->call, file, data->count,
			(file->f_flags & O_NONBLOCK) ||
			(iocb->ki_flags & IOCB_NOWAIT), IPCSCOPE_OP_READ);
	call_opens(thread, IPCSCOPE_CALL_EVENTFD);
}

/* (file, buffer, count, position) */
static __always_inline void write_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_EVENTFD, twin);
	struct file *file = (struct file *)ctx[0];

	if (!thread)
		return;
	look_at_eventfd(&thread->call, file, ctx[2],
			file->f_flags & O_NONBLOCK, IPCSCOPE_OP_WRITE);
	call_opens(thread, IPCSCOPE_CALL_EVENTFD);
}

HOOK("fentry", eventfd_read_enter)
{
	read_enters(ctx, FIRST_TWIN);
}

HOOK("fentry", eventfd_read_enter_twin)
{
	read_enters(ctx, SECOND_TWIN);
}

HOOK("fexit", eventfd_read_exit)
{
	call_exits(IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_READ, (int)ctx[2]);
}

HOOK("fexit", eventfd_read_exit_twin)
{
	call_exits(IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_READ, (int)ctx[2]);
}

HOOK("fentry", eventfd_write_enter)
{
	write_enters(ctx, FIRST_TWIN);
}

HOOK("fentry", eventfd_write_enter_twin)
{
	write_enters(ctx, SECOND_TWIN);
}

HOOK("fexit", eventfd_write_exit)
{
	call_exits(IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_WRITE, (int)ctx[4]);
}

HOOK("fexit", eventfd_write_exit_twin)
{
	call_exits(IPCSCOPE_CALL_EVENTFD, IPCSCOPE_OP_WRITE, (int)ctx[4]);
}
