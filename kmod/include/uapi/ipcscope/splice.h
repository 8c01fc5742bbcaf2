/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Calls that move bytes between two ends, of which one or both are pipes: pure
 * functions that both backends share.
 *
 * Each end that is a pipe has a record: SPLICE_IN or TEE of the pipe that the bytes
 * come from, SPLICE_OUT of the one that they go to.  The first record has the time
 * of the call, the second one begins and ends where the first one ended, so that
 * the time ledger sums up.  The first is that of the end which the call was blocked
 * for longest; where that is no pipe (a socket, a terminal), it is a record of an
 * object without a type (IPCSCOPE_OBJECT_NONE), by its inode.
 *
 *     splice(A, B), blocked for B:
 *       SPLICE_OUT of B   enter_ns ... time_ns   blocked_ns
 *       SPLICE_IN of A                 time_ns   (enter_ns == time_ns)
 *
 * A call that failed has moved nothing: it has one record, and -EPIPE one of the
 * end that the bytes were to go to as well.
 */
#ifndef IPCSCOPE_SPLICE_H
#define IPCSCOPE_SPLICE_H

#include "account.h"

/* The call that a thread is in: what its record says of it, but for the end. */
struct ipcscope_open_call {
	IPCSCOPE_CALL_FIELDS(IPCSCOPE_MEMBER)
	union ipcscope_tail tail;
};

/* Which function a call is in. */
#define IPCSCOPE_BY_SPLICE	0
#define IPCSCOPE_BY_TEE		1
#define IPCSCOPE_BY_VMSPLICE	2
#define IPCSCOPE_BY_SENDFILE	3
#define IPCSCOPE_BY_OPEN	4
#define IPCSCOPE_BY_RESIZE	5

/*
 * The open call is of the end that the thread is blocked for, where it is: a record
 * of an unfinished call names that one.
 */
struct ipcscope_splice {
	struct ipcscope_open_call other;	/* its second end */
	__u64 blocked_ns[2];	/* of the open call's end, of the other's ... */
	__u64 mark_ns;		/* ... up to this blocked_ns of the account */
	__u8 ends;		/* 2: there is another */
	__u8 by;		/* IPCSCOPE_BY_ */
	__u8 pad[6];
};

/* `call` has been filled, and `other` where there are two. */
IPCSCOPE_INLINE void ipcscope_splice_begins(struct ipcscope_splice *splice,
					    __u8 by, __u8 ends)
{
	splice->blocked_ns[0] = 0;
	splice->blocked_ns[1] = 0;
	splice->mark_ns = 0;
	splice->ends = ends;
	splice->by = by;
}

/* From now on the thread waits for the other end. */
IPCSCOPE_INLINE void ipcscope_splice_turns(struct ipcscope_open_call *call,
					   struct ipcscope_splice *splice,
					   __u64 blocked_ns)
{
	struct ipcscope_open_call end = *call;
	__u64 of_call = splice->blocked_ns[0] + blocked_ns - splice->mark_ns;

	*call = splice->other;
	splice->other = end;
	splice->blocked_ns[0] = splice->blocked_ns[1];
	splice->blocked_ns[1] = of_call;
	splice->mark_ns = blocked_ns;
}

/* It is to wait until the pipe has bytes; `output`: until it has room. */
IPCSCOPE_INLINE void ipcscope_splice_waits(struct ipcscope_open_call *call,
					   struct ipcscope_splice *splice,
					   int output, __u64 blocked_ns)
{
	if (splice->ends == 2 &&
	    (call->op == IPCSCOPE_OP_SPLICE_OUT) != !!output)
		ipcscope_splice_turns(call, splice, blocked_ns);
}

/* It has: what it sleeps for next is the end that is no pipe. */
IPCSCOPE_INLINE void ipcscope_splice_waited(struct ipcscope_open_call *call,
					    struct ipcscope_splice *splice,
					    __u64 blocked_ns)
{
	if (splice->ends == 2 && splice->other.type == IPCSCOPE_OBJECT_NONE)
		ipcscope_splice_turns(call, splice, blocked_ns);
}

/* A pipe that a call which does not block would have failed for, at its entry. */
IPCSCOPE_INLINE int ipcscope_splice_refuses(const struct ipcscope_open_call *end)
{
	const struct ipcscope_tail_pipe *pipe = &end->tail.pipe;

	if (end->type == IPCSCOPE_OBJECT_NONE)
		return 0;
	return end->op == IPCSCOPE_OP_SPLICE_OUT ?
		       pipe->used_slots >= pipe->ring_slots :
		       pipe->used_slots == 0;
}

/* Of a call that was not blocked: is the first record that of its open end? */
IPCSCOPE_INLINE int ipcscope_splice_in_order(const struct ipcscope_open_call *call,
					     const struct ipcscope_open_call *other,
					     __s32 ret)
{
	if (ret == -IPCSCOPE_EPIPE)
		return call->op == IPCSCOPE_OP_SPLICE_OUT;
	if (ret != -IPCSCOPE_EAGAIN)
		return call->type != IPCSCOPE_OBJECT_NONE;
	if (ipcscope_splice_refuses(call) || ipcscope_splice_refuses(other))
		return ipcscope_splice_refuses(call);
	if (other->type == IPCSCOPE_OBJECT_NONE)
		return 0;
	return call->type == IPCSCOPE_OBJECT_NONE ||
	       call->op == IPCSCOPE_OP_SPLICE_OUT;
}

/* Makes the end of the first record the open one.  1: the other has one, too. */
IPCSCOPE_INLINE int ipcscope_splice_returns(struct ipcscope_open_call *call,
					    struct ipcscope_splice *splice,
					    __s32 ret, __u64 blocked_ns)
{
	__u64 of_call = splice->blocked_ns[0] + blocked_ns - splice->mark_ns;
	__u64 of_other = splice->blocked_ns[1];

	if (splice->ends != 2)
		return 0;
	if (of_call < of_other ||
	    (!of_call && !ipcscope_splice_in_order(call, &splice->other, ret)))
		ipcscope_splice_turns(call, splice, blocked_ns);
	if (splice->other.type == IPCSCOPE_OBJECT_NONE)
		return 0;
	return ret >= 0 || (ret == -IPCSCOPE_EPIPE &&
			    splice->other.op == IPCSCOPE_OP_SPLICE_OUT);
}

IPCSCOPE_ASSERT_SIZE(ipcscope_open_call, 64);
IPCSCOPE_ASSERT(sizeof(struct ipcscope_call) - sizeof(struct ipcscope_header) ==
		sizeof(struct ipcscope_open_call));
IPCSCOPE_ASSERT_SIZE(ipcscope_splice, 96);

#endif /* IPCSCOPE_SPLICE_H */
