// SPDX-License-Identifier: GPL-2.0-only
/*
 * eventfd: every read and write by a thread.  What the kernel itself signals
 * (aio, vhost, io_uring: eventfd_signal()) is no call.
 */
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "call.h"

/* fs/eventfd.c has it for itself; so since 5.2 (b556db17b0e7). */
struct eventfd_ctx {
	struct kref kref;
	wait_queue_head_t wqh;
	__u64 count;
	unsigned int flags;
	int id;
};

/* EFD_SEMAPHORE of uapi/linux/eventfd.h, which 5.10 has elsewhere. */
#define SEMAPHORE	1

static void look_at_eventfd(struct ipcscope_call *call, const struct file *file,
			    bool nonblock, size_t requested)
{
	struct eventfd_ctx *eventfd = file->private_data;

	call->object = eventfd->id;
	call->peer = 0;
	call->dev = 0;
	call->type = IPCSCOPE_OBJECT_EVENTFD;
	call->flags = nonblock ? IPCSCOPE_CALL_NONBLOCK : 0;
	call->requested = min_t(size_t, requested, U32_MAX);
	call->tail.eventfd.counter = READ_ONCE(eventfd->count);
	call->tail.eventfd.semaphore = eventfd->flags & SEMAPHORE;
	call->tail.eventfd.waiters = waitqueue_active(&eventfd->wqh);
}

/* (iocb, iter) since 5.8 (12aceb89b0bc) */
static void look_at_read(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct kiocb *iocb = (void *)regs_get_kernel_argument(regs, 0);
	const struct iov_iter *iter = (void *)regs_get_kernel_argument(regs, 1);

	look_at_eventfd(call, iocb->ki_filp, scope_call_nonblock(iocb),
			iov_iter_count(iter));
}

/* (file, buffer, count, position) */
static void look_at_write(struct ipcscope_call *call, struct pt_regs *regs)
{
	const struct file *file = (void *)regs_get_kernel_argument(regs, 0);

	look_at_eventfd(call, file, file->f_flags & O_NONBLOCK,
			regs_get_kernel_argument(regs, 2));
}

int scope_eventfd_read_enter(struct kretprobe_instance *ri,
			     struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_EVENTFD,
				IPCSCOPE_OP_READ, look_at_read);
}

int scope_eventfd_write_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	return scope_call_enter(ri, regs, IPCSCOPE_CALL_EVENTFD,
				IPCSCOPE_OP_WRITE, look_at_write);
}
