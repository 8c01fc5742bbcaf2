// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and FIFOs, what is no read or write of them: splice, tee, vmsplice, sendfile
 * to a pipe, the open of a FIFO, and the resize of a ring (ipcscope/splice.h).
 */
#include <linux/fcntl.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pipe_fs_i.h>
#include <linux/splice.h>
#include <linux/uaccess.h>
#include <linux/uio.h>

#include "call.h"
#include "stat.h"

#define SEGMENTS_READ	8	/* of vmsplice()'s vector */

struct end {
	struct file *file;	/* NULL: no such descriptor */
	u64 requested;
	u8 op;
	bool nonblock;
};

static bool is_pipe(const struct file *file)
{
	return file && S_ISFIFO(file_inode(file)->i_mode);
}

static struct ipcscope_open_call *open_call(struct scope_thread *thread)
{
	return (struct ipcscope_open_call *)&thread->call.since_ns;
}

static void look_at_ring(struct ipcscope_open_call *call,
			 const struct inode *inode)
{
	const struct pipe_inode_info *pipe = inode->i_pipe;

	call->type = inode->i_sb->s_magic == PIPEFS_MAGIC ?
			     IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_FIFO;
	if (!pipe)
		return;		/* a FIFO that is being opened */
	call->tail.pipe.ring_slots = READ_ONCE(pipe->ring_size);
	call->tail.pipe.used_slots = READ_ONCE(pipe->head) -
				     READ_ONCE(pipe->tail);
	call->tail.pipe.readers = READ_ONCE(pipe->readers);
	call->tail.pipe.writers = READ_ONCE(pipe->writers);
}

static void look_at_end(struct ipcscope_open_call *call, const struct end *end)
{
	const struct inode *inode = file_inode(end->file);
	unsigned int flags = end->file->f_flags;

	memset(call, 0, sizeof(*call));
	call->object = inode->i_ino;
	call->dev = inode->i_sb->s_dev;
	call->op = end->op;
	call->requested = min_t(u64, end->requested, U32_MAX);
	if (end->nonblock || (flags & O_NONBLOCK))
		call->flags |= IPCSCOPE_CALL_NONBLOCK;
	if (end->op == IPCSCOPE_OP_OPEN)
		call->flags |= ipcscope_open_ends(flags);
	if (!is_pipe(end->file))
		return;
	if (flags & O_DIRECT)
		call->flags |= IPCSCOPE_CALL_PACKET;
	look_at_ring(call, inode);
}

/* A sum needs no more than what an end's cell is keyed by. */
static void stat_looks(struct scope_call *call, const struct end *end)
{
	const struct inode *inode = file_inode(end->file);

	call->object = inode->i_ino;
	call->dev = inode->i_sb->s_dev;
	call->type = inode->i_sb->s_magic == PIPEFS_MAGIC ?
			     IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_FIFO;
	call->op = end->op;
	call->kind = IPCSCOPE_CALL_SPLICE;
	call->enter_ns = ktime_get_mono_fast_ns();
}

/* Of two ends, the pipes only: the first one is timed. */
static int stat_begins(struct scope_splice_call *call, const struct end *ends,
		       u8 count)
{
	u8 i;

	call->sums = 0;
	for (i = 0; i < count; i++)
		if (is_pipe(ends[i].file))
			stat_looks(&call->ends[call->sums++], &ends[i]);
	return 0;
}

static void record_begins(struct scope_thread *thread, const struct end *ends,
			  u8 count, u8 by, u64 now)
{
	/* Until it waits for a pipe it is in the end that is none. */
	u8 first = count == 2 && !is_pipe(ends[1].file);

	look_at_end(open_call(thread), &ends[first]);
	if (count == 2)
		look_at_end(&thread->splice.other, &ends[!first]);
	ipcscope_splice_begins(&thread->splice, by, count);
	ipcscope_account_enter(&thread->account, now, IPCSCOPE_CALL_SPLICE);
}

/* One end, or two: where the bytes come from, and where they go to. */
static int enters(struct kretprobe_instance *ri, const struct end *ends,
		  u8 count, u8 by)
{
	struct scope_splice_call *call = (void *)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread = NULL;
	unsigned long flags;
	u64 now;

	if (!trace || !scope_may_be_armed(trace) ||
	    (!is_pipe(ends[0].file) && !is_pipe(ends[count - 1].file)))
		return 1;
	if (!scope_task_wanted(&trace->filters, current)) {
		scope_count_filtered(trace, IPCSCOPE_CALL_SPLICE);
		return 1;
	}
	if (trace->stat)
		return stat_begins(call, ends, count);
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (scope_armed(trace, now))
		thread = scope_call_state(trace, IPCSCOPE_CALL_SPLICE, now);
	if (thread)
		record_begins(thread, ends, count, by, now);
	local_irq_restore(flags);
	call->ends[0].thread = thread;
	return !thread;
}

/* (in, off_in, out, off_out, length, flags) */
int scope_splice_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	bool nonblock = regs_get_kernel_argument(regs, 5) & SPLICE_F_NONBLOCK;
	u64 requested = regs_get_kernel_argument(regs, 4);
	const struct end ends[] = {
		{ (void *)regs_get_kernel_argument(regs, 0), requested,
		  IPCSCOPE_OP_SPLICE_IN, nonblock },
		{ (void *)regs_get_kernel_argument(regs, 2), requested,
		  IPCSCOPE_OP_SPLICE_OUT, nonblock },
	};

	return enters(ri, ends, 2, IPCSCOPE_BY_SPLICE);
}

/* (in, out, length, flags): what is copied stays in the pipe. */
int scope_tee_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	bool nonblock = regs_get_kernel_argument(regs, 3) & SPLICE_F_NONBLOCK;
	u64 requested = regs_get_kernel_argument(regs, 2);
	const struct end ends[] = {
		{ (void *)regs_get_kernel_argument(regs, 0), requested,
		  IPCSCOPE_OP_TEE, nonblock },
		{ (void *)regs_get_kernel_argument(regs, 1), requested,
		  IPCSCOPE_OP_SPLICE_OUT, nonblock },
	};

	return enters(ri, ends, 2, IPCSCOPE_BY_TEE);
}

/* (out, in, position, count, max), of which the first two are descriptors. */
int scope_sendfile_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct end end = { fget(regs_get_kernel_argument(regs, 0)),
				 regs_get_kernel_argument(regs, 3),
				 IPCSCOPE_OP_SPLICE_OUT, false };
	int unwanted = enters(ri, &end, 1, IPCSCOPE_BY_SENDFILE);

	if (end.file)
		fput(end.file);
	return unwanted;
}

/* Bytes of a vector in user space; 0: not known. */
static u64 bytes_of(const struct iovec __user *segments, unsigned long count)
{
	struct iovec segment;
	unsigned long i;
	u64 sum = 0;

	if (!count || count > SEGMENTS_READ)
		return 0;
	pagefault_disable();
	for (i = 0; i < count; i++) {
		if (__copy_from_user_inatomic(&segment, &segments[i],
					      sizeof(segment)))
			break;
		sum += segment.iov_len;
	}
	pagefault_enable();
	return i == count ? sum : 0;
}

/* The system call's own, for what it calls is inlined: (registers) */
int scope_vmsplice_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct pt_regs *user = (void *)regs_get_kernel_argument(regs, 0);
	struct end end = { .file = fget(user->di) };
	int unwanted;

	if (is_pipe(end.file)) {
		end.op = end.file->f_mode & FMODE_WRITE ?
				 IPCSCOPE_OP_VMSPLICE : IPCSCOPE_OP_SPLICE_IN;
		end.requested = bytes_of((const void __user *)user->si,
					 user->dx);
		end.nonblock = user->r10 & SPLICE_F_NONBLOCK;
	}
	unwanted = enters(ri, &end, 1, IPCSCOPE_BY_VMSPLICE);
	if (end.file)
		fput(end.file);
	return unwanted;
}

/* (inode, file) */
int scope_fifo_open_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct end end = { (void *)regs_get_kernel_argument(regs, 1), 0,
				 IPCSCOPE_OP_OPEN, false };

	return enters(ri, &end, 1, IPCSCOPE_BY_OPEN);
}

/* (file, command, argument) */
int scope_pipe_fcntl_enter(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct end end = { (void *)regs_get_kernel_argument(regs, 0),
				 (u32)regs_get_kernel_argument(regs, 2),
				 IPCSCOPE_OP_RESIZE, false };

	if ((u32)regs_get_kernel_argument(regs, 1) != F_SETPIPE_SZ)
		return 1;
	return enters(ri, &end, 1, IPCSCOPE_BY_RESIZE);
}

/* The record of the other end: at the time of the first one, and of no length. */
static void other_returns(struct scope_trace *trace,
			  struct scope_thread *thread, s32 ret, u64 now)
{
	struct ipcscope_call *call = &thread->call;

	*open_call(thread) = thread->splice.other;
	call->header.flags = 0;
	call->since_ns = now;
	call->enter_ns = now;
	call->ret = ret;
	call->sleeps = 0;
	SCOPE_EMIT(trace, thread->task, call, IPCSCOPE_CALL_SPLICE, now);
}

static void record_returns(struct scope_trace *trace,
			   struct scope_thread *thread, s32 ret, u64 now)
{
	struct ipcscope_account *account = &thread->account;
	bool two;

	if (account->call != IPCSCOPE_CALL_SPLICE)
		return;
	two = ipcscope_splice_returns(open_call(thread), &thread->splice, ret,
				      account->times.blocked_ns);
	scope_time_exit(trace, thread, ret, now);
	if (two)
		other_returns(trace, thread, ret, now);
}

static void stat_returns(struct scope_trace *trace,
			 const struct scope_splice_call *call, s32 ret, u64 now)
{
	u8 i;

	if (!scope_armed(trace, call->ends[0].enter_ns))
		return;
	scope_stat_call(trace, &call->ends[0], ret, now);
	for (i = 1; i < call->sums && ret >= 0; i++)
		scope_stat_call_untimed(trace, &call->ends[i], ret);
}

int scope_splice_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	const struct scope_splice_call *call = (void *)ri->data;
	struct scope_trace *trace = scope_trace_of(ri);
	s32 ret = regs_return_value(regs);
	unsigned long flags;
	u64 now;

	if (!trace)
		return 0;
	local_irq_save(flags);
	now = ktime_get_mono_fast_ns();
	if (!scope_armed(trace, now))
		goto out;
	if (trace->stat)
		stat_returns(trace, call, ret, now);
	else
		record_returns(trace, call->ends[0].thread, ret, now);
out:
	local_irq_restore(flags);
	return 0;
}

static int waits(struct kretprobe_instance *ri, int output)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace || !scope_may_be_armed(trace))
		return 1;
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_SPLICE);
	if (thread)
		ipcscope_splice_waits(open_call(thread), &thread->splice,
				      output, thread->account.times.blocked_ns);
	local_irq_restore(flags);
	return !thread;
}

int scope_wait_readable_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	return waits(ri, false);
}

int scope_wait_writable_enter(struct kretprobe_instance *ri,
			      struct pt_regs *regs)
{
	return waits(ri, true);
}

int scope_wait_exit(struct kretprobe_instance *ri, struct pt_regs *regs)
{
	struct scope_trace *trace = scope_trace_of(ri);
	struct scope_thread *thread;
	unsigned long flags;

	if (!trace)
		return 0;
	local_irq_save(flags);
	thread = scope_call_current(trace, IPCSCOPE_CALL_SPLICE);
	if (thread)
		ipcscope_splice_waited(open_call(thread), &thread->splice,
				       thread->account.times.blocked_ns);
	local_irq_restore(flags);
	return 0;
}
