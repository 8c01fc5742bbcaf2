// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pipes and FIFOs, what is no read or write of them: splice, tee, vmsplice, sendfile
 * to a pipe, the open of a FIFO, and the resize of a ring (splice.h).
 *
 * The files come from typed arguments and from descriptors: all are read by address.
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>

#define SPLICE_F_NONBLOCK	0x02
#define F_SETPIPE_SZ		1031
#define SEGMENTS_READ		8	/* of vmsplice()'s vector */

/* One end of a call, or the only one. */
struct end {
	struct file *file;	/* NULL: no such descriptor */
	__u64 requested;
	__u8 op;
	bool nonblock;
};

static __always_inline bool is_pipe(struct file *file)
{
	return file && (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) == S_IFIFO;
}

static __always_inline void look_at_ring(struct ipcscope_open_call *call,
					 struct inode *inode)
{
	struct pipe_inode_info *pipe = BPF_CORE_READ(inode, i_pipe);

	call->type = BPF_CORE_READ(inode, i_sb, s_magic) == PIPEFS_MAGIC ?
			     IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_FIFO;
	call->tail.pipe.ring_slots = BPF_CORE_READ(pipe, ring_size);
	call->tail.pipe.used_slots = BPF_CORE_READ(pipe, head) -
				     BPF_CORE_READ(pipe, tail);
	call->tail.pipe.readers = BPF_CORE_READ(pipe, readers);
	call->tail.pipe.writers = BPF_CORE_READ(pipe, writers);
}

NOINLINE void look_at_end(struct ipcscope_open_call *call, const struct end *end)
{
	struct file *file = end->file;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	unsigned int flags = BPF_CORE_READ(file, f_flags);

	call->object = BPF_CORE_READ(inode, i_ino);
	call->peer = 0;
	call->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	call->type = IPCSCOPE_OBJECT_NONE;
	call->op = end->op;
	call->flags = 0;
	call->requested = bytes32(end->requested);
	__builtin_memset(&call->tail, 0, sizeof(call->tail));
	if (end->nonblock || (flags & O_NONBLOCK))
		call->flags |= IPCSCOPE_CALL_NONBLOCK;
	if (end->op == IPCSCOPE_OP_OPEN)
		call->flags |= ipcscope_open_ends(flags);
	if (!is_pipe(file))
		return;
	if (flags & O_DIRECT)
		call->flags |= IPCSCOPE_CALL_PACKET;
	look_at_ring(call, inode);
}

/* A call on one pipe. */
static __always_inline void one_enters(const struct end *end, __u8 by,
				       enum twin twin)
{
	struct ipcscope_thread_state *thread;

	if (!is_pipe(end->file)) {
		count_no_call(IPCSCOPE_CALL_SPLICE, twin);
		return;
	}
	thread = call_begins(IPCSCOPE_CALL_SPLICE, twin);
	if (!thread)
		return;
	look_at_end(&thread->call, end);
	ipcscope_splice_begins(&thread->splice, by, 1);
	call_opens(thread, IPCSCOPE_CALL_SPLICE);
}

/* A call between two files, of which one is a pipe. */
static __always_inline void two_enter(const struct end *in,
				      const struct end *out, __u8 by,
				      enum twin twin)
{
	bool from_pipe = is_pipe(in->file), both = from_pipe && is_pipe(out->file);
	struct ipcscope_thread_state *thread;

	if (!from_pipe && !is_pipe(out->file)) {
		count_no_call(IPCSCOPE_CALL_SPLICE, twin);
		return;
	}
	thread = call_begins(IPCSCOPE_CALL_SPLICE, twin);
	if (!thread)
		return;
	look_at_end(&thread->call, in);
	look_at_end(&thread->splice.other, out);
	ipcscope_splice_begins(&thread->splice, by, 2);
	/* Until it waits for a pipe it is in the end that is none. */
	if (from_pipe && !both)
		ipcscope_splice_turns(&thread->call, &thread->splice, 0);
	call_opens(thread, IPCSCOPE_CALL_SPLICE);
}

/* The record of the other end: at the time of the first one, and of no length. */
static __always_inline void other_ends(struct ipcscope_thread_state *thread,
				       struct task_struct *task, int ret)
{
	struct ipcscope_account *account = &thread->account;

	thread->call = thread->splice.other;
	if (IPCSCOPE_STAT) {
		stat_call_untimed(thread, task, IPCSCOPE_CALL_SPLICE, ret);
		return;
	}
	account->enter_ns = account->since_ns;
	account->sleeps = 0;
	emit_call_short(thread, id_of(task), IPCSCOPE_CALL_SPLICE, 0, ret,
			account->since_ns);
}

static __always_inline void splice_exits(__u8 by, int ret)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = thread_find(task);
	bool two;

	if (!thread || thread->account.call != IPCSCOPE_CALL_SPLICE ||
	    thread->splice.by != by)
		return;
	two = ipcscope_splice_returns(&thread->call, &thread->splice, ret,
				      thread->account.times.blocked_ns);
	call_ends(thread, task, IPCSCOPE_CALL_SPLICE, 0, ret);
	if (two)
		other_ends(thread, task, ret);
}

/* (in, off_in, out, off_out, length, flags) */
static __always_inline void do_splice_enters(__u64 *ctx, enum twin twin)
{
	bool nonblock = ctx[5] & SPLICE_F_NONBLOCK;
	struct end in = { (struct file *)ctx[0], ctx[4], IPCSCOPE_OP_SPLICE_IN,
			  nonblock };
	struct end out = { (struct file *)ctx[2], ctx[4], IPCSCOPE_OP_SPLICE_OUT,
			   nonblock };

	two_enter(&in, &out, IPCSCOPE_BY_SPLICE, twin);
}

/* (in, out, length, flags): what is copied stays in the pipe. */
static __always_inline void do_tee_enters(__u64 *ctx, enum twin twin)
{
	bool nonblock = ctx[3] & SPLICE_F_NONBLOCK;
	struct end in = { (struct file *)ctx[0], ctx[2], IPCSCOPE_OP_TEE,
			  nonblock };
	struct end out = { (struct file *)ctx[1], ctx[2], IPCSCOPE_OP_SPLICE_OUT,
			   nonblock };

	two_enter(&in, &out, IPCSCOPE_BY_TEE, twin);
}

/* (out, in, position, count, max), of which the first two are descriptors. */
static __always_inline void do_sendfile_enters(__u64 *ctx, enum twin twin)
{
	struct end out = { file_of((unsigned int)ctx[0]), ctx[3],
			   IPCSCOPE_OP_SPLICE_OUT, false };

	one_enters(&out, IPCSCOPE_BY_SENDFILE, twin);
}

/* Bytes of a vector in user space; 0: not known. */
static __always_inline __u64 bytes_of(__u64 segments, __u64 count)
{
	struct {
		__u64 base;
		__u64 bytes;
	} segment;
	__u64 sum = 0;
	__u32 i;

	if (!count || count > SEGMENTS_READ)
		return 0;
	for (i = 0; i < SEGMENTS_READ; ++i) {
		if (i >= count)
			break;
		if (bpf_probe_read_user(&segment, sizeof(segment),
					(void *)(segments + i * sizeof(segment))))
			return 0;
		sum += segment.bytes;
	}
	return sum;
}

/* The system call's own: what it calls is inlined, and 5.10 has no other in BTF. */
static __always_inline void vmsplice_enters(__u64 *ctx, enum twin twin)
{
	struct pt_regs *regs = (struct pt_regs *)ctx[0];
	struct file *file = file_of((unsigned int)BPF_CORE_READ(regs, di));
	struct end end = { .file = file };

	if (is_pipe(file)) {
		bool reads = (BPF_CORE_READ(file, f_flags) & O_ACCMODE) ==
			     O_RDONLY;

		end.op = reads ? IPCSCOPE_OP_SPLICE_IN : IPCSCOPE_OP_VMSPLICE;
		end.requested = bytes_of(BPF_CORE_READ(regs, si),
					 BPF_CORE_READ(regs, dx));
		end.nonblock = BPF_CORE_READ(regs, r10) & SPLICE_F_NONBLOCK;
	}
	one_enters(&end, IPCSCOPE_BY_VMSPLICE, twin);
}

/* (inode, file): the file is not yet in the table, but has its inode. */
static __always_inline void fifo_open_enters(__u64 *ctx, enum twin twin)
{
	struct file *file = (struct file *)ctx[1];
	struct end end = { file, 0, IPCSCOPE_OP_OPEN, false };

	one_enters(&end, IPCSCOPE_BY_OPEN, twin);
}

/* (file, command, argument) */
static __always_inline void pipe_fcntl_enters(__u64 *ctx, enum twin twin)
{
	struct end end = { (struct file *)ctx[0], (__u32)ctx[2],
			   IPCSCOPE_OP_RESIZE, false };

	if ((__u32)ctx[1] == F_SETPIPE_SZ)
		one_enters(&end, IPCSCOPE_BY_RESIZE, twin);
	else
		count_no_call(IPCSCOPE_CALL_SPLICE, twin);
}

static __always_inline struct ipcscope_thread_state *splicing_thread(void)
{
	struct ipcscope_thread_state *thread = thread_find(current_task());

	return thread && thread->account.call == IPCSCOPE_CALL_SPLICE ? thread :
									NULL;
}

/*
 * The splice's own waits.  Where a run is skipped the time stays with the end that it
 * was last in; that is rare, and a twin takes start-up as long as any program.
 */
static __always_inline void splice_waits(int output)
{
	struct ipcscope_thread_state *thread = splicing_thread();

	if (thread)
		ipcscope_splice_waits(&thread->call, &thread->splice, output,
				      thread->account.times.blocked_ns);
}

static __always_inline void splice_waited(void)
{
	struct ipcscope_thread_state *thread = splicing_thread();

	if (thread)
		ipcscope_splice_waited(&thread->call, &thread->splice,
				       thread->account.times.blocked_ns);
}

/* No twin comes that would take the call for its own. */
static __always_inline void opened_alone(void)
{
	struct ipcscope_thread_state *thread =
		config.twins ? splicing_thread() : NULL;

	if (thread)
		thread->fresh = 0;
}

/* Entry and exit of a function of so many arguments, twice each. */
#define CALL_HOOKS(name, function, arguments, by)			\
	HOOK("fentry", name##_enter) { function(ctx, FIRST_TWIN); }	\
	HOOK("fentry", name##_enter_twin) { function(ctx, SECOND_TWIN); } \
	HOOK("fexit", name##_exit) { splice_exits(by, (int)ctx[arguments]); } \
	HOOK("fexit", name##_exit_twin) { splice_exits(by, (int)ctx[arguments]); }

CALL_HOOKS(splice, do_splice_enters, 6, IPCSCOPE_BY_SPLICE)
CALL_HOOKS(tee, do_tee_enters, 4, IPCSCOPE_BY_TEE)
CALL_HOOKS(sendfile, do_sendfile_enters, 5, IPCSCOPE_BY_SENDFILE)
CALL_HOOKS(vmsplice, vmsplice_enters, 1, IPCSCOPE_BY_VMSPLICE)

/* Of a function that is called rarely: what is skipped is counted as lost. */
#define RARE_HOOKS(name, function, arguments, by)			\
	HOOK("fentry", name##_enter)					\
	{								\
		function(ctx, FIRST_TWIN);				\
		opened_alone();						\
	}								\
	HOOK("fexit", name##_exit) { splice_exits(by, (int)ctx[arguments]); }

RARE_HOOKS(fifo_open, fifo_open_enters, 2, IPCSCOPE_BY_OPEN)
RARE_HOOKS(pipe_resize, pipe_fcntl_enters, 3, IPCSCOPE_BY_RESIZE)

#define WAIT_HOOKS(name, output)					\
	HOOK("fentry", name##_enter) { splice_waits(output); }		\
	HOOK("fexit", name##_exit) { splice_waited(); }

WAIT_HOOKS(pipe_wait_readable, 0)
WAIT_HOOKS(pipe_wait_writable, 1)
