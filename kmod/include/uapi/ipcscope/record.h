/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ipcscope record contract, schema version 1.
 *
 * Every backend (eBPF, kernel module) writes these records, one ring per CPU;
 * every reader (collector, capture file, tests) reads them.  This file is the
 * only definition.  It is compiled by clang for BPF, by gcc for the kernel and
 * by g++ for user space, and every size and offset is asserted below.
 *
 *     hook ──► [ header | body ] ──► ring of that CPU ──► collector
 *                   │
 *                   ├── lost_before   records this CPU had failed to emit
 *                   │                 when this one was made: a difference
 *                   │                 between two neighbours is a gap of
 *                   │                 exactly that many records
 *                   └── kind, size    what follows, and how long it is
 *
 * Rules
 *  - Fixed-width fields, natural alignment, explicit padding, no enum, bool,
 *    long, pointer or #ifdef inside a record.  Padding is zero.
 *  - Ids are explicit and append-only.  A new field goes to the end of a
 *    record and raises its size; a reader accepts a larger record than it
 *    knows and ignores the rest, and refuses a smaller one.
 *  - All times are nanoseconds of CLOCK_MONOTONIC.  A record about a call is
 *    made when the call returns: header.time_ns is the exit, enter_ns the
 *    entry.
 *  - A record of a signal is in the context of the sender (header.tgid, tid,
 *    comm), a record of a delivery in the context of the receiver.
 *  - No field is called like a member of siginfo that is a macro (si_pid).
 *  - Names are bytes that any process may choose: not text, not terminated
 *    when all 16 are used.
 *
 * Why there is no sequence number: it would need an atomic fetch-and-add,
 * which BPF has only since 5.12 (5ca419f2864a); without it a nested interrupt
 * can repeat a number.  lost_before needs only an atomic add, the exact totals
 * are in the ledger (ledger.h), and together they prove the same.
 */
#ifndef IPCSCOPE_RECORD_H
#define IPCSCOPE_RECORD_H

#include <linux/types.h>

#define IPCSCOPE_SCHEMA_VERSION		1

#define IPCSCOPE_COMM_LEN		16
#define IPCSCOPE_STACK_DEPTH		32

/* header.kind.  Backends make 1 .. IPCSCOPE_KIND_COUNT - 1. */
#define IPCSCOPE_SIGNAL_GENERATE	1
#define IPCSCOPE_SIGNAL_SEND		2
#define IPCSCOPE_SIGNAL_DELIVER		3
#define IPCSCOPE_SIGNAL_DEQUEUE		4
#define IPCSCOPE_SIGNAL_GET		5
#define IPCSCOPE_PIPE_READ		6
#define IPCSCOPE_PIPE_WRITE		7
#define IPCSCOPE_KILL			8
#define IPCSCOPE_TASK_EXIT		9
#define IPCSCOPE_TASK_FREE		10
#define IPCSCOPE_KIND_COUNT		11

/*
 * Kinds that the collector adds beside the backend's: what only user space
 * can look up.  They are not part of the ledger.
 */
#define IPCSCOPE_SYMBOL			256
#define IPCSCOPE_PIPE_END		257

/* header.flags */
#define IPCSCOPE_COPY_FAULT		0x0001	/* a field could not be read: 0 */
#define IPCSCOPE_UNFINISHED		0x0002	/* the call never returned */
#define IPCSCOPE_INTERRUPT		0x0004	/* not in task context */

/*
 * State of a task at one instant: the scheduler's bits, told apart by mask.
 * UNINTERRUPTIBLE is what the hung-task detector means by it: neither
 * killable (TASK_WAKEKILL) nor idle (TASK_NOLOAD).
 */
#define IPCSCOPE_STATE_UNKNOWN		0
#define IPCSCOPE_STATE_RUNNING		1	/* R */
#define IPCSCOPE_STATE_INTERRUPTIBLE	2	/* S */
#define IPCSCOPE_STATE_UNINTERRUPTIBLE	3	/* D */
#define IPCSCOPE_STATE_KILLABLE		4	/* K */
#define IPCSCOPE_STATE_IDLE		5	/* I */
#define IPCSCOPE_STATE_STOPPED		6	/* T */
#define IPCSCOPE_STATE_TRACED		7	/* t */
#define IPCSCOPE_STATE_ZOMBIE		8	/* Z */
#define IPCSCOPE_STATE_DEAD		9	/* X */
#define IPCSCOPE_STATE_OTHER		10
#define IPCSCOPE_STATE_COUNT		11

/* Who caused a signal. */
#define IPCSCOPE_ORIGIN_TASK		0	/* the task in the header */
#define IPCSCOPE_ORIGIN_KERNEL		1	/* the kernel, on its own account */
#define IPCSCOPE_ORIGIN_TIMER		2	/* an expired POSIX timer */
#define IPCSCOPE_ORIGIN_COUNT		3

/* Outcome of a generation: the kernel's TRACE_SIGNAL_* values. */
#define IPCSCOPE_RESULT_DELIVERED	0
#define IPCSCOPE_RESULT_IGNORED		1
#define IPCSCOPE_RESULT_ALREADY_PENDING	2
#define IPCSCOPE_RESULT_OVERFLOW	3
#define IPCSCOPE_RESULT_INFO_LOST	4
#define IPCSCOPE_RESULT_COUNT		5

/* What the receiver does with a signal. */
#define IPCSCOPE_DISPOSITION_DEFAULT	0
#define IPCSCOPE_DISPOSITION_IGNORE	1
#define IPCSCOPE_DISPOSITION_HANDLER	2
#define IPCSCOPE_DISPOSITION_UNKNOWN	3
#define IPCSCOPE_DISPOSITION_COUNT	4

struct ipcscope_header {
	__u64 time_ns;
	__u64 lost_before;
	__u32 tgid;			/* process, in the initial pid namespace */
	__u32 tid;			/* thread, likewise */
	__u16 cpu;
	__u16 kind;
	__u16 size;			/* bytes, this header included */
	__u16 flags;
	char comm[IPCSCOPE_COMM_LEN];
};

/* A signal was generated (or not, see result): tracepoint signal_generate. */
struct ipcscope_signal_generate {
	struct ipcscope_header header;	/* the sender */
	__u64 value;			/* sigval of a queued signal, or 0 */
	__u32 target_tgid;
	__u32 target_tid;
	char target_comm[IPCSCOPE_COMM_LEN];
	__s32 si_code;
	__u32 sender_pid;		/* si_pid, as the receiver sees it */
	__u16 sig;			/* 1..64 */
	__u8 result;			/* IPCSCOPE_RESULT_ */
	__u8 target_state;		/* IPCSCOPE_STATE_ */
	__u8 shared;			/* 1: to the process, 0: to one thread */
	__u8 origin;			/* IPCSCOPE_ORIGIN_ */
	__u8 disposition;		/* IPCSCOPE_DISPOSITION_ of the target */
	__u8 blocked;			/* 1: target_tid blocks it */
	__u8 fatal;			/* 1: its action ends the process */
	__u8 unkillable;		/* 1: target is its namespace's init */
	__u8 has_info;			/* 1: si_code, sender_pid, value given */
	__u8 pad[5];
};

/* One call of the kernel's send core (__send_signal, __send_signal_locked). */
struct ipcscope_signal_send {
	struct ipcscope_header header;	/* the sender */
	__u64 enter_ns;
	__u32 target_tgid;
	__u32 target_tid;
	__s32 ret;			/* 0 or -errno */
	__u16 sig;
	__u8 pad[2];
};

/* A signal reached its receiver: tracepoint signal_deliver. */
struct ipcscope_signal_deliver {
	struct ipcscope_header header;	/* the receiver */
	__s32 si_code;
	__u32 sender_pid;
	__u32 sa_flags;
	__u16 sig;
	__u8 disposition;
	__u8 has_info;
};

/*
 * A signal left a pending queue: dequeue_signal() returned one.  Covers
 * handlers, sigwait and signalfd, not synchronous faults.
 */
struct ipcscope_signal_dequeue {
	struct ipcscope_header header;	/* the receiver */
	__u64 value;
	__s32 si_code;
	__u32 sender_pid;
	__u16 sig;
	__u8 pad[6];
};

/* One call of get_signal(). */
struct ipcscope_signal_get {
	struct ipcscope_header header;	/* the receiver */
	__u64 enter_ns;
	__u16 sig;			/* 0: no handler is to be run */
	__u8 pad[6];
};

/* One call of a pipe's or FIFO's read or write. */
struct ipcscope_pipe_op {
	struct ipcscope_header header;
	__u64 enter_ns;
	__u64 inode;
	__u64 requested_bytes;
	__s64 ret;			/* bytes, or -errno */
	__u64 blocked_ns;		/* asleep in S: on an empty or full pipe */
	__u64 runqueue_ns;		/* woken, but not yet running again */
	__u64 uninterruptible_ns;	/* asleep in D: the pipe's lock, a fault */
	__u64 woken_ns;			/* time of the last wake-up from S, 0: none */
	__u32 dev;			/* kernel's dev_t */
	__u32 ring_slots;		/* ring size at entry */
	__u32 used_slots;		/* slots in use at entry */
	__u32 readers;			/* open read ends at entry */
	__u32 writers;			/* open write ends at entry */
	__u32 sleeps;			/* times blocked */
	__u8 fifo;			/* 1: a named pipe */
	__u8 nonblock;			/* 1: O_NONBLOCK or IOCB_NOWAIT */
	__u8 packet;			/* 1: O_DIRECT */
	__u8 pad[5];
};

/*
 * A fatal signal was sent to a process of which a thread is in uninterruptible
 * (D) or killable (K) sleep.  Accompanies the SIGNAL_GENERATE record.
 */
struct ipcscope_kill {
	struct ipcscope_header header;	/* the sender */
	__u32 target_tgid;
	__u32 stuck_tid;		/* the first such thread */
	char target_comm[IPCSCOPE_COMM_LEN];
	__u16 sig;
	__u8 state;			/* of stuck_tid */
	__u8 origin;
	__u32 stuck_threads;		/* how many such threads were seen */
	__u32 stack_depth;		/* entries used in stack[] */
	__u8 result;			/* IPCSCOPE_RESULT_ */
	__u8 pad[3];
	/*
	 * Kernel stack of stuck_tid, innermost first.  In a ring: addresses.
	 * Everywhere else: ids of IPCSCOPE_SYMBOL records.
	 */
	__u64 stack[IPCSCOPE_STACK_DEPTH];
};

/* A task is exiting: tracepoint sched_process_exit. */
struct ipcscope_task_exit {
	struct ipcscope_header header;	/* the dying task */
	__s32 exit_code;		/* as wait(2) encodes it */
	/*
	 * 1: no thread of its process was left alive.  Of threads that exit at
	 * the same moment more than one may say so.
	 */
	__u8 group_dead;
	__u8 pad[3];
};

/* A task was reaped and is gone: tracepoint sched_process_free. */
struct ipcscope_task_free {
	struct ipcscope_header header;	/* context: whoever ran the callback */
	__u32 tgid;
	__u32 tid;
	char comm[IPCSCOPE_COMM_LEN];
};

/* Collector: what a stack entry is called.  Text fills the record's rest. */
struct ipcscope_symbol {
	struct ipcscope_header header;
	__u64 id;
	/* char text[header.size - sizeof(struct ipcscope_symbol)]; */
};

/* Collector: a process holds an end of a pipe open (from /proc/PID/fd). */
struct ipcscope_pipe_end {
	struct ipcscope_header header;	/* the holder */
	__u64 inode;
	__u32 dev;
	__u8 reads;			/* 1: holds a read end */
	__u8 writes;			/* 1: holds a write end */
	__u8 fifo;
	__u8 pad;
	/* char path[...]: of a FIFO, else empty; fills the record's rest. */
};

#ifdef __cplusplus
#define IPCSCOPE_ASSERT(what) static_assert(what, #what)
#else
#define IPCSCOPE_ASSERT(what) _Static_assert(what, #what)
#endif
#define IPCSCOPE_ASSERT_SIZE(type, bytes) \
	IPCSCOPE_ASSERT(sizeof(struct type) == (bytes))
#define IPCSCOPE_ASSERT_AT(type, field, bytes) \
	IPCSCOPE_ASSERT(__builtin_offsetof(struct type, field) == (bytes))

IPCSCOPE_ASSERT_SIZE(ipcscope_header, 48);
IPCSCOPE_ASSERT_AT(ipcscope_header, tgid, 16);
IPCSCOPE_ASSERT_AT(ipcscope_header, cpu, 24);
IPCSCOPE_ASSERT_AT(ipcscope_header, kind, 26);
IPCSCOPE_ASSERT_AT(ipcscope_header, size, 28);
IPCSCOPE_ASSERT_AT(ipcscope_header, flags, 30);
IPCSCOPE_ASSERT_AT(ipcscope_header, comm, 32);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_generate, 104);
IPCSCOPE_ASSERT_AT(ipcscope_signal_generate, target_comm, 64);
IPCSCOPE_ASSERT_AT(ipcscope_signal_generate, sig, 88);
IPCSCOPE_ASSERT_AT(ipcscope_signal_generate, has_info, 98);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_send, 72);
IPCSCOPE_ASSERT_AT(ipcscope_signal_send, sig, 68);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_deliver, 64);
IPCSCOPE_ASSERT_AT(ipcscope_signal_deliver, sig, 60);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_dequeue, 72);
IPCSCOPE_ASSERT_AT(ipcscope_signal_dequeue, sig, 64);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_get, 64);
IPCSCOPE_ASSERT_AT(ipcscope_signal_get, sig, 56);

IPCSCOPE_ASSERT_SIZE(ipcscope_pipe_op, 144);
IPCSCOPE_ASSERT_AT(ipcscope_pipe_op, ret, 72);
IPCSCOPE_ASSERT_AT(ipcscope_pipe_op, dev, 112);
IPCSCOPE_ASSERT_AT(ipcscope_pipe_op, fifo, 136);

IPCSCOPE_ASSERT_SIZE(ipcscope_kill, 344);
IPCSCOPE_ASSERT_AT(ipcscope_kill, sig, 72);
IPCSCOPE_ASSERT_AT(ipcscope_kill, stack, 88);

IPCSCOPE_ASSERT_SIZE(ipcscope_task_exit, 56);
IPCSCOPE_ASSERT_SIZE(ipcscope_task_free, 72);
IPCSCOPE_ASSERT_SIZE(ipcscope_symbol, 56);
IPCSCOPE_ASSERT_SIZE(ipcscope_pipe_end, 64);

#endif /* IPCSCOPE_RECORD_H */
