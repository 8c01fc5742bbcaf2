/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Futexes: pure functions that both backends share.
 *
 * The kernel's own key (union futex_key) of one on memory that processes share names
 * the memory by a
 * number that no other inode has had since boot, and the word in it by page and
 * offset: two processes that map it at different addresses have the same key.  The
 * call is opened as the system call begins, and has no type until get_futex_key()
 * has returned the key.  One on memory of one process is a call where private ones are
 * traced: its object is the address, and its dev the process.
 */
#ifndef IPCSCOPE_FUTEX_H
#define IPCSCOPE_FUTEX_H

#include <linux/futex.h>

#include "splice.h"

/* FUTEX_LOCK_PI2, which headers have since 5.14. */
#define IPCSCOPE_FUTEX_LOCK_PI2		13

/* Bits of the key's offset: what it is a key of. */
#define IPCSCOPE_FUTEX_INODE		0x1	/* else memory of one process */
#define IPCSCOPE_FUTEX_KEY_BITS		0x3

/*
 * FLAGS_SHARED, of get_futex_key()'s second argument and of a restart block: bit 0
 * until 6.6, bit 4 since 6.7, where bit 0 is of the word's size, and 0.
 */
#define IPCSCOPE_FUTEX_SHARED		0x11

#define IPCSCOPE_FUTEX_PAGE		4096
#define IPCSCOPE_FUTEX_WORD		4	/* bytes */

struct ipcscope_futex_arguments {
	__u64 address;
	__u32 operation;
	__u32 value;
	__u32 value3;
};

IPCSCOPE_INLINE void ipcscope_futex_is_private(struct ipcscope_open_call *call)
{
	call->object = call->peer;
	call->type = IPCSCOPE_OBJECT_FUTEX_PRIVATE;
}

IPCSCOPE_INLINE __u8 ipcscope_futex_op(__u32 operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
	case FUTEX_WAKE_OP:
	case FUTEX_UNLOCK_PI:
		return IPCSCOPE_OP_WAKE;
	case FUTEX_REQUEUE:
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		return IPCSCOPE_OP_REQUEUE;
	default:
		return IPCSCOPE_OP_WAIT;
	}
}

/* A wait for a lock of which the word says who owns it. */
IPCSCOPE_INLINE int ipcscope_futex_locks(__u32 operation)
{
	switch (operation & FUTEX_CMD_MASK) {
	case FUTEX_LOCK_PI:
	case FUTEX_TRYLOCK_PI:
	case IPCSCOPE_FUTEX_LOCK_PI2:
		return 1;
	default:
		return 0;
	}
}

IPCSCOPE_INLINE __u32
ipcscope_futex_expected(const struct ipcscope_futex_arguments *from)
{
	if (ipcscope_futex_locks(from->operation))
		return 0;	/* the word: not before its page is there */
	switch (from->operation & FUTEX_CMD_MASK) {
	case FUTEX_CMP_REQUEUE:
	case FUTEX_CMP_REQUEUE_PI:
		return from->value3;
	default:
		return ipcscope_futex_op(from->operation) == IPCSCOPE_OP_WAIT ?
			       from->value : 0;
	}
}

IPCSCOPE_INLINE void
ipcscope_futex_begins(struct ipcscope_open_call *call,
		      const struct ipcscope_futex_arguments *from,
		      __u32 process)
{
	__u32 command = from->operation & FUTEX_CMD_MASK;

	call->object = 0;
	call->peer = from->address;
	call->dev = process;
	call->type = IPCSCOPE_OBJECT_NONE;
	call->op = ipcscope_futex_op(from->operation);
	call->flags = command == FUTEX_TRYLOCK_PI ? IPCSCOPE_CALL_NONBLOCK : 0;
	call->requested = call->op == IPCSCOPE_OP_WAIT ||
				  command == FUTEX_UNLOCK_PI ? 0 : from->value;
	call->tail.futex.offset = from->address % IPCSCOPE_FUTEX_PAGE;
	call->tail.futex.expected = ipcscope_futex_expected(from);
	call->tail.futex.woken = 0;
	call->tail.futex.operation = from->operation;
	if (from->operation & FUTEX_PRIVATE_FLAG)
		ipcscope_futex_is_private(call);
}

/*
 * Of the first key of the call; 0: it is no call that is traced, as one on memory of one
 * process is but where private ones are.  Of a lock
 * `expected` is the word, which can be read from now on: the kernel has made its page
 * present.  In a kprobe's handler 5.10 takes a fault for a missed run.
 */
IPCSCOPE_INLINE int ipcscope_futex_found(struct ipcscope_open_call *call,
					 __u64 memory, __u64 page, __u32 offset,
					 int wants_private)
{
	if (!(offset & IPCSCOPE_FUTEX_INODE)) {
		ipcscope_futex_is_private(call);
		return wants_private;
	}
	offset &= ~IPCSCOPE_FUTEX_KEY_BITS;
	/* Beyond 16 GiB of one memory, words are mistaken for others. */
	call->object = memory << 32 |
		       (__u32)((page * IPCSCOPE_FUTEX_PAGE + offset) /
			       IPCSCOPE_FUTEX_WORD);
	call->dev = 0;
	call->type = IPCSCOPE_OBJECT_FUTEX;
	return 1;
}

/* Of an object's word, in bytes from the beginning of its memory. */
IPCSCOPE_INLINE __u64 ipcscope_futex_offset(__u64 object)
{
	return (object & 0xffffffff) * IPCSCOPE_FUTEX_WORD;
}

/* 0: the kernel has not come to the memory, and it is no call. */
IPCSCOPE_INLINE int ipcscope_futex_returns(struct ipcscope_open_call *call,
					   __s32 ret)
{
	if (call->op != IPCSCOPE_OP_WAIT && ret > 0)
		call->tail.futex.woken = ret;
	return call->type != IPCSCOPE_OBJECT_NONE;
}

#endif /* IPCSCOPE_FUTEX_H */
