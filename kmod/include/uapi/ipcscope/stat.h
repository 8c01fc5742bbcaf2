/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * `ipcscope stat`: what is aggregated in the kernel, instead of a record for each
 * event (docs/stat.md).
 *
 *   row     one for each key: what is asked for (by) and the event
 *   cell    one for each row and CPU: the sums and the histogram
 *   tally   one for each signal number and CPU: how its generations ended
 *   queue   one for each owner (a thread, a process) and signal number that is
 *           pending: when each was generated, the oldest first
 *
 * For each signal number, over all CPUs:
 *
 *   generated == paired + sum(unpaired) + pending
 *
 * generated counts what the kernel queued; pending is what the queues hold.
 */
#ifndef IPCSCOPE_STAT_H
#define IPCSCOPE_STAT_H

#include "account.h"
#include "ledger.h"

#define IPCSCOPE_STAT_BY_NONE		0
#define IPCSCOPE_STAT_BY_COMM		1
#define IPCSCOPE_STAT_BY_CGROUP		2
#define IPCSCOPE_STAT_BY_PID		3
#define IPCSCOPE_STAT_BY_OBJECT		4
#define IPCSCOPE_STAT_BY_COUNT		5

/*
 * An event: its kind (IPCSCOPE_SIGNAL_GENERATE, ..._TAKE, ..._CALL_PIPE, ...); of
 * a signal its number, of a call its IPCSCOPE_OP_; and its outcome: RESULT_,
 * TAKE_ or STAT_CALL_.
 */
#define IPCSCOPE_STAT_EVENT(kind, what, outcome) \
	((__u32)(kind) << 12 | (__u32)(what) << 4 | (__u32)(outcome))
#define IPCSCOPE_STAT_EVENT_KIND(event)		((event) >> 12 & 0xf)
#define IPCSCOPE_STAT_EVENT_WHAT(event)		((event) >> 4 & 0xff)
#define IPCSCOPE_STAT_EVENT_OUTCOME(event)	((event) & 0xf)
#define IPCSCOPE_STAT_EVENTS		0x10000

/* How a call ended. */
#define IPCSCOPE_STAT_CALL_OK		0
#define IPCSCOPE_STAT_CALL_END		1	/* a read of nothing: no writer */
#define IPCSCOPE_STAT_CALL_AGAIN	2	/* EAGAIN */
#define IPCSCOPE_STAT_CALL_INTERRUPTED	3	/* by a signal */
#define IPCSCOPE_STAT_CALL_BROKEN	4	/* EPIPE: no reader */
#define IPCSCOPE_STAT_CALL_ERROR	5
#define IPCSCOPE_STAT_CALL_COUNT	6

struct ipcscope_stat_key {
	__u64 by[2];	/* a comm; an id; an object, and type << 32 | dev */
	__u32 event;
	__u32 pad;
};

/*
 * The collector's buckets (userspace/base/histogram.hpp) up to 2^48 ns, 78 hours;
 * what took longer is in the last one.
 */
#define IPCSCOPE_STAT_SUB_BITS		5
#define IPCSCOPE_STAT_BITS		48
#define IPCSCOPE_STAT_BUCKETS \
	((IPCSCOPE_STAT_BITS - IPCSCOPE_STAT_SUB_BITS + 1) << IPCSCOPE_STAT_SUB_BITS)

struct ipcscope_stat_cell {
	__u64 untimed;		/* events without a latency */
	__u64 sum_ns;
	__u64 max_ns;
	__u64 min_inverted;	/* ~ of the least, 0: none yet */
	__u64 bytes;
	__u64 buckets[IPCSCOPE_STAT_BUCKETS];
};

/* Why a generation is known to end, or to have ended, without a taking. */
#define IPCSCOPE_UNPAIRED_FLUSHED	0	/* SIGCONT, stop, sigaction(), timer */
#define IPCSCOPE_UNPAIRED_EXITED	1	/* its target ended */
#define IPCSCOPE_UNPAIRED_DEEP		2	/* more than STAT_DEPTH were pending */
#define IPCSCOPE_UNPAIRED_NO_ROOM	3	/* too many were, of all targets */
#define IPCSCOPE_UNPAIRED_NO_INFO	4	/* real-time, and only a bit is set */
#define IPCSCOPE_UNPAIRED_UNWANTED	5	/* the thread that takes it is filtered out */
#define IPCSCOPE_UNPAIRED_COUNT		6

struct ipcscope_stat_tally {
	__u64 generated;
	__u64 paired;
	__u64 unpaired[IPCSCOPE_UNPAIRED_COUNT];
};

#define IPCSCOPE_SIGNALS_COUNT		64

struct ipcscope_stat_tallies {
	struct ipcscope_stat_tally signal[IPCSCOPE_SIGNALS_COUNT];
};

/* Generations of one signal number that are kept for one owner. */
#define IPCSCOPE_STAT_DEPTH		16

struct ipcscope_stat_queue {
	__u64 generated_ns[IPCSCOPE_STAT_DEPTH];	/* a ring, from head on */
	__u64 flushed_ns;	/* what is older has left the queue; 0: nothing */
	__u32 head;
	__u32 count;
	__u32 deep;		/* behind the last one, and not kept */
	__u32 claims;		/* of the slot (bpf/table.bpf.h) */
	__u32 slot;
	__u32 pad;
};

/* What the module has of an owner's queue: no address, only the number in key. */
struct ipcscope_stat_slot {
	__u64 key;		/* signal << STAT_OWNER_BITS | 1; 0: none */
	struct ipcscope_stat_queue queue;
};

/* An owner's address, negated, in the low bits; the signal number above them. */
#define IPCSCOPE_STAT_OWNER_BITS	57
#define IPCSCOPE_STAT_OWNER		((1ULL << IPCSCOPE_STAT_OWNER_BITS) - 1)

/* Whole part of the binary logarithm of 1 .. 15, four bits each. */
#define IPCSCOPE_STAT_LOG2	0x3333333322221100ULL

/*
 * Index of the bucket that holds `ns`, as Histogram::index() has it: it can be beyond
 * IPCSCOPE_STAT_BUCKETS.  By nibbles, for most calls take some microseconds.
 */
IPCSCOPE_INLINE __u32 ipcscope_stat_bucket(__u64 ns)
{
	__u64 rest = ns >> (IPCSCOPE_STAT_SUB_BITS + 1);
	__u32 shift = 1;

	if (!rest)
		return (__u32)ns;
	while (rest > 0xf) {
		rest >>= 4;
		shift += 4;
	}
	shift += (IPCSCOPE_STAT_LOG2 >> (4 * rest)) & 0xf;
	return (shift << IPCSCOPE_STAT_SUB_BITS) + (__u32)(ns >> shift);
}

/* How a call that returned `ret` ended. */
IPCSCOPE_INLINE __u32 ipcscope_stat_call_outcome(__u8 op, __s32 ret)
{
	if (ret > 0)
		return IPCSCOPE_STAT_CALL_OK;
	switch (ret) {
	case 0:
		return op == IPCSCOPE_OP_READ || op == IPCSCOPE_OP_SPLICE_IN ?
			       IPCSCOPE_STAT_CALL_END : IPCSCOPE_STAT_CALL_OK;
	case -11:	/* EAGAIN */
		return IPCSCOPE_STAT_CALL_AGAIN;
	case -4:	/* EINTR, and those by which the kernel restarts a call */
	case -512:
	case -513:
	case -514:
	case -516:
		return IPCSCOPE_STAT_CALL_INTERRUPTED;
	case -32:	/* EPIPE */
		return IPCSCOPE_STAT_CALL_BROKEN;
	default:
		return IPCSCOPE_STAT_CALL_ERROR;
	}
}

/* The kernel queues it: it is to be taken. */
IPCSCOPE_INLINE int ipcscope_stat_queued(int result)
{
	return result == IPCSCOPE_RESULT_DELIVERED ||
	       result == IPCSCOPE_RESULT_INFO_LOST;
}

IPCSCOPE_INLINE int ipcscope_is_realtime(int sig)
{
	return sig >= 32;
}

IPCSCOPE_ASSERT_SIZE(ipcscope_stat_key, 24);
IPCSCOPE_ASSERT_SIZE(ipcscope_stat_cell, 40 + 8 * IPCSCOPE_STAT_BUCKETS);
IPCSCOPE_ASSERT_SIZE(ipcscope_stat_tally, 64);
IPCSCOPE_ASSERT_SIZE(ipcscope_stat_queue, 160);
IPCSCOPE_ASSERT_SIZE(ipcscope_stat_slot, 168);

#endif /* IPCSCOPE_STAT_H */
