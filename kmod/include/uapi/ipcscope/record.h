/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * ipcscope record contract, schema version 2.
 *
 * Every backend (eBPF, kernel module) writes these records, one ring per CPU;
 * every reader (collector, capture file, tests) reads them.  This file is the
 * only definition.  It is compiled by clang for BPF, by gcc for the kernel and
 * by g++ for user space, and every size and offset is asserted below.
 *
 *     hook --> [ header | body ] --> ring of that CPU --> collector
 *                   |
 *                   +-- lost_before   records this CPU had failed to emit
 *                   |                 when this one was made: a difference
 *                   |                 between two neighbours is a gap of
 *                   |                 exactly that many records
 *                   +-- kind, size    what follows, and how long it is
 *
 * Each body is described once, by a list of X(type, name, array, meaning): the
 * struct is made from it here, and user space makes its table of fields from
 * it (decoding, JSON lines, comparison of two backends, test output).
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
 *  - A record carries no name.  A THREAD record gives the name of a thread from
 *    its time on; a backend writes it before the first record of that thread,
 *    and again when the name has changed, or when the first attempt was lost.
 *  - No field is called like a member of siginfo that is a macro (si_pid).
 *  - Names are bytes that any process may choose: not text, not terminated
 *    when all 16 are used.
 *
 * There is no sequence number: it would need an atomic fetch-and-add, which BPF
 * has only since 5.12 (5ca419f2864a); without it a nested interrupt can repeat
 * a number.  lost_before needs only an atomic add, the exact totals are in the
 * ledger (ledger.h), and together they prove the same.
 */
#ifndef IPCSCOPE_RECORD_H
#define IPCSCOPE_RECORD_H

#include <linux/types.h>

#define IPCSCOPE_SCHEMA_VERSION		2

#define IPCSCOPE_COMM_LEN		16
#define IPCSCOPE_STACK_DEPTH		32

/* header.kind.  Backends make 1 .. IPCSCOPE_KIND_COUNT - 1. */
#define IPCSCOPE_SIGNAL_GENERATE	1	/* a signal was sent, or refused */
#define IPCSCOPE_SIGNAL_TAKE		2	/* a signal was taken */
#define IPCSCOPE_KILL			3	/* fatal signal to a D or K sleeper */
#define IPCSCOPE_THREAD			4	/* name and ancestry of a thread */
#define IPCSCOPE_THREAD_TIME		5	/* a thread's time so far */
#define IPCSCOPE_THREAD_EXIT		6	/* a thread's time to its end */
#define IPCSCOPE_THREAD_FREE		7	/* a thread was reaped */
#define IPCSCOPE_SLICE			8	/* one long stay in a state */
#define IPCSCOPE_CALL_PIPE		9	/* calls on IPC objects, by family */
#define IPCSCOPE_CALL_SPLICE		10
#define IPCSCOPE_CALL_UNIX		11
#define IPCSCOPE_CALL_EVENTFD		12
#define IPCSCOPE_CALL_MQUEUE		13
#define IPCSCOPE_CALL_SYSV		14
#define IPCSCOPE_CALL_FUTEX		15
#define IPCSCOPE_SIGNAL_HANDLER		16	/* a run of a signal's handler */
#define IPCSCOPE_SIGNAL_MASK		17	/* a thread changed what it blocks */
#define IPCSCOPE_COMMAND		18	/* who sends a signal that ends */
#define IPCSCOPE_FD_RECEIVED		19	/* a descriptor came by a socket */
#define IPCSCOPE_KIND_COUNT		20

#define IPCSCOPE_CALL_FIRST		IPCSCOPE_CALL_PIPE
#define IPCSCOPE_CALL_LAST		IPCSCOPE_CALL_FUTEX

/*
 * Kinds that the collector adds beside the backend's: what only user space
 * can look up.  They are not part of the ledger.  It adds THREAD records, too.
 */
#define IPCSCOPE_SYMBOL			256
#define IPCSCOPE_HOLDER			257
#define IPCSCOPE_OBSERVED		258	/* a thread of a process that should end */
#define IPCSCOPE_PROCESS		259	/* who sent or got a signal that ends or stops */
#define IPCSCOPE_USER			260	/* a user's name */
#define IPCSCOPE_CGROUP			261	/* a cgroup's path */
#define IPCSCOPE_COLLECTOR_LAST		IPCSCOPE_CGROUP

/* header.flags */
#define IPCSCOPE_UNFINISHED		0x0001	/* had not ended at time_ns */
#define IPCSCOPE_BEFORE_TRACE		0x0002	/* had begun before the trace */

/*
 * State of a thread at one instant, distinguished by mask (policy.h).
 * UNINTERRUPTIBLE is what the hung-task detector means by it: neither
 * killable (TASK_WAKEKILL) nor idle (TASK_NOLOAD).
 */
#define IPCSCOPE_STATE_UNKNOWN		0
#define IPCSCOPE_STATE_RUNNING		1	/* R, on a CPU */
#define IPCSCOPE_STATE_INTERRUPTIBLE	2	/* S */
#define IPCSCOPE_STATE_UNINTERRUPTIBLE	3	/* D */
#define IPCSCOPE_STATE_KILLABLE		4	/* K */
#define IPCSCOPE_STATE_IDLE		5	/* I */
#define IPCSCOPE_STATE_STOPPED		6	/* T */
#define IPCSCOPE_STATE_TRACED		7	/* t */
#define IPCSCOPE_STATE_ZOMBIE		8	/* Z */
#define IPCSCOPE_STATE_DEAD		9	/* X */
#define IPCSCOPE_STATE_OTHER		10
#define IPCSCOPE_STATE_RUNNABLE		11	/* waits for a CPU */
#define IPCSCOPE_STATE_POLLING		12	/* S in poll, select or epoll_wait */
#define IPCSCOPE_STATE_FROZEN		13	/* by a freezer */
#define IPCSCOPE_STATE_COUNT		14

/* Who caused a signal. */
#define IPCSCOPE_ORIGIN_TASK		0	/* the thread in the header */
#define IPCSCOPE_ORIGIN_KERNEL		1	/* the kernel, on its own account */
#define IPCSCOPE_ORIGIN_TIMER		2	/* an expired POSIX timer */
#define IPCSCOPE_ORIGIN_PARENT_EXIT	3	/* PR_SET_PDEATHSIG: its exit */
#define IPCSCOPE_ORIGIN_FAULT		4	/* of the target: its own instruction */
#define IPCSCOPE_ORIGIN_SECCOMP		5	/* the target's filter */
/* From here on, but for ITIMER, the collector sets it by the callers' names. */
#define IPCSCOPE_ORIGIN_OOM		6	/* the OOM killer */
#define IPCSCOPE_ORIGIN_CGROUP_KILL	7	/* who wrote to a cgroup.kill */
#define IPCSCOPE_ORIGIN_TERMINAL	8	/* a key, a hangup, job control */
#define IPCSCOPE_ORIGIN_PID_NAMESPACE	9	/* its init ended */
#define IPCSCOPE_ORIGIN_ORPHANED_GROUP	10	/* stopped, and its shell is gone */
#define IPCSCOPE_ORIGIN_IO		11	/* O_ASYNC, F_SETSIG */
#define IPCSCOPE_ORIGIN_ITIMER		12	/* setitimer(), alarm() */
#define IPCSCOPE_ORIGIN_CPU_LIMIT	13	/* RLIMIT_CPU, a timer of CPU time */
#define IPCSCOPE_ORIGIN_COUNT		14

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

/* Who took a signal out of its queue, and for what. */
#define IPCSCOPE_TAKE_HANDLER		0	/* a handler was set up */
#define IPCSCOPE_TAKE_DEFAULT		1	/* its default action was begun */
#define IPCSCOPE_TAKE_IGNORED		2	/* taken, and nothing done */
#define IPCSCOPE_TAKE_SIGWAIT		3	/* sigwait, sigtimedwait */
#define IPCSCOPE_TAKE_SIGNALFD		4
#define IPCSCOPE_TAKE_DEBUGGER		5	/* the tracer dropped or replaced it */
#define IPCSCOPE_TAKE_GROUP_EXIT	6	/* a SIGKILL that was never generated */
#define IPCSCOPE_TAKE_DISCARDED		7	/* sigaction() set it to be ignored */
#define IPCSCOPE_TAKE_KERNEL_THREAD	8
#define IPCSCOPE_TAKE_COUNT		9

/* Why a process's threads found a SIGKILL that was never generated. */
#define IPCSCOPE_GROUP_NONE		0
#define IPCSCOPE_GROUP_EXIT		1	/* exit_group(), or a fatal signal */
#define IPCSCOPE_GROUP_EXEC		2	/* another thread's execve() */
#define IPCSCOPE_GROUP_CORE_DUMP	3
#define IPCSCOPE_GROUP_COUNT		4

/* Why a THREAD record was written. */
#define IPCSCOPE_THREAD_SEEN		0	/* first seen, or seen again */
#define IPCSCOPE_THREAD_SWEEP		1	/* it was there as the trace began */
#define IPCSCOPE_THREAD_FORK		2
#define IPCSCOPE_THREAD_EXEC		3
#define IPCSCOPE_THREAD_RENAME		4
#define IPCSCOPE_THREAD_REASON_COUNT	5

/* What a call is made on. */
#define IPCSCOPE_OBJECT_NONE		0
#define IPCSCOPE_OBJECT_PIPE		1
#define IPCSCOPE_OBJECT_FIFO		2
#define IPCSCOPE_OBJECT_UNIX_STREAM	3
#define IPCSCOPE_OBJECT_UNIX_DGRAM	4
#define IPCSCOPE_OBJECT_UNIX_SEQPACKET	5
#define IPCSCOPE_OBJECT_EVENTFD		6
#define IPCSCOPE_OBJECT_MQUEUE		7	/* POSIX */
#define IPCSCOPE_OBJECT_SYSV_MSG	8
#define IPCSCOPE_OBJECT_SYSV_SEM	9
#define IPCSCOPE_OBJECT_SYSV_SHM	10
#define IPCSCOPE_OBJECT_FUTEX		11	/* on memory that processes share */
#define IPCSCOPE_OBJECT_FUTEX_PRIVATE	12	/* of one process: its dev is the pid */
#define IPCSCOPE_OBJECT_COUNT		13

/* What is done. */
#define IPCSCOPE_OP_READ		0
#define IPCSCOPE_OP_WRITE		1
#define IPCSCOPE_OP_OPEN		2
#define IPCSCOPE_OP_RESIZE		3
#define IPCSCOPE_OP_SPLICE_IN		4	/* out of the object */
#define IPCSCOPE_OP_SPLICE_OUT		5	/* into the object */
#define IPCSCOPE_OP_TEE			6
#define IPCSCOPE_OP_VMSPLICE		7
#define IPCSCOPE_OP_SEND		8
#define IPCSCOPE_OP_RECEIVE		9
#define IPCSCOPE_OP_CONNECT		10
#define IPCSCOPE_OP_ACCEPT		11
#define IPCSCOPE_OP_NOTIFY		12
#define IPCSCOPE_OP_SEMAPHORE		13
#define IPCSCOPE_OP_ATTACH		14
#define IPCSCOPE_OP_WAIT		15
#define IPCSCOPE_OP_WAKE		16
#define IPCSCOPE_OP_REQUEUE		17
#define IPCSCOPE_OP_COUNT		18

/* call.flags */
#define IPCSCOPE_CALL_NONBLOCK		0x01	/* O_NONBLOCK or IOCB_NOWAIT */
#define IPCSCOPE_CALL_PACKET		0x02	/* a pipe with O_DIRECT */
#define IPCSCOPE_CALL_OPENS_READ	0x04	/* OP_OPEN: of the read end */
#define IPCSCOPE_CALL_OPENS_WRITE	0x08	/* OP_OPEN: of the write end */
#define IPCSCOPE_CALL_PEEK		0x10	/* MSG_PEEK: what it got stays queued */
#define IPCSCOPE_CALL_UNDO		0x20	/* SEM_UNDO: its exit takes it back */

/* observed.missing: what /proc did not give */
#define IPCSCOPE_MISSING_STATUS		0x0001
#define IPCSCOPE_MISSING_SYSCALL	0x0002
#define IPCSCOPE_MISSING_WAIT_CHANNEL	0x0004
#define IPCSCOPE_MISSING_STACK		0x0008
#define IPCSCOPE_MISSING_CGROUP		0x0010
#define IPCSCOPE_MISSING_CHILD		0x0020	/* of a vfork wait */
#define IPCSCOPE_MISSING_STATE		0x0040
#define IPCSCOPE_MISSING_ALL		0x007f

/* No system call, or not known. */
#define IPCSCOPE_SYSCALL_NONE		0xffff

/* A stay in one state that lasts at least this long has a SLICE of its own. */
#define IPCSCOPE_SLICE_NS		5000000ULL

#define IPCSCOPE_NO_ARRAY
#define IPCSCOPE_MEMBER(type, name, array, meaning)	type name array;

struct ipcscope_header {
	__u64 time_ns;
	__u64 lost_before;
	__u32 tgid;			/* process, in the initial pid namespace */
	__u32 tid;			/* thread, likewise */
	__u16 cpu;
	__u16 kind;
	__u16 size;			/* bytes, this header included */
	__u16 flags;
};

/*
 * One generation of a signal: the kernel's send core, from its entry to its
 * exit, or an expired POSIX timer.  The header is the sender, in whose context
 * it was made; time_ns is the exit, at which the signal is pending or refused.
 */
#define IPCSCOPE_SIGNAL_GENERATE_FIELDS(X)				\
	X(__u64, enter_ns, , TIME)	/* a timer: time_ns */		\
	X(__u64, value, , HEX)		/* sigval of a queued one, or 0 */ \
	X(__u32, target_tgid, , ID)					\
	X(__u32, target_tid, , ID)					\
	X(__s32, si_code, , NUMBER)					\
	X(__u32, sender_pid, , ID)	/* si_pid, as the receiver sees it */ \
	X(__s32, ret, , NUMBER)		/* of the send core: 0 or -errno */ \
	X(__u8, sig, , SIGNAL)		/* 1..64 */			\
	X(__u8, result, , RESULT)					\
	X(__u8, target_state, , STATE)	/* at the entry */		\
	X(__u8, origin, , ORIGIN)					\
	X(__u8, disposition, , DISPOSITION)	/* of the target */	\
	X(__u8, shared, , BOOL)		/* to the process, not one thread */ \
	X(__u8, blocked, , BOOL)	/* target_tid blocks it */	\
	X(__u8, fatal, , BOOL)		/* its action ends the process */ \
	X(__u8, unkillable, , BOOL)	/* target is its namespace's init */ \
	X(__u8, has_info, , BOOL)	/* si_code, sender_pid, value given */ \
	X(__u8, dying, , BOOL)		/* the process exits already */	\
	X(__u8, requeued, , BOOL)	/* taken, then blocked: put back */

#define IPCSCOPE_CALLERS		16
#define IPCSCOPE_CGROUP_NAME_LEN	64

/*
 * Of a kernel's signal that ends or stops a process, or hangs up: a longer record
 * with who called the send core.
 */
#define IPCSCOPE_SIGNAL_CALLERS_FIELDS(X)				\
	/* Of the memory cgroup that the OOM killer ran for, 0: of none */ \
	X(__u64, memory_limit, , COUNT)	/* bytes; in a ring: pages */	\
	X(__u64, memory_cgroup, , ID)					\
	X(__u32, stack_depth, , DEPTH)	/* entries used in stack[] */	\
	/* The target's controlling terminal, or that which hangs up: dev_t, or 0 */ \
	X(__u32, terminal, , DEVICE)					\
	X(__u64, stack, [IPCSCOPE_CALLERS], STACK)	/* as a KILL's */ \
	X(__u8, cgroup_name, [IPCSCOPE_CGROUP_NAME_LEN], COMM)	/* its last part */

/*
 * One taking of a signal.  The header is the receiver.  time_ns is its end: the
 * delivery; or, for one that a debugger dropped, when that showed.
 */
#define IPCSCOPE_SIGNAL_TAKE_FIELDS(X)					\
	X(__u64, dequeued_ns, , TIME)	/* 0: by no dequeue */		\
	X(__u64, enter_ns, , TIME)	/* of get_signal(), 0: outside it */ \
	X(__u64, value, , HEX)						\
	X(__s32, si_code, , NUMBER)					\
	X(__u32, sender_pid, , ID)					\
	X(__u32, sa_flags, , HEX)					\
	X(__s32, overrun, , COUNT)	/* of a POSIX timer */		\
	X(__u8, sig, , SIGNAL)						\
	X(__u8, how, , TAKE)						\
	X(__u8, disposition, , DISPOSITION)				\
	X(__u8, has_info, , BOOL)					\
	X(__u8, traced, , BOOL)		/* a debugger stopped it meanwhile */ \
	X(__u8, group, , GROUP)		/* of a TAKE_GROUP_EXIT */	\
	X(__u8, group_signal, , SIGNAL)	/* that ends the process, or 0 */ \
	X(__u8, pad, [1], PAD)

/*
 * One run of a handler, from its set-up by the kernel to its rt_sigreturn().  The
 * header is the thread that ran it; time_ns is the return, or, where it never
 * returned (siglongjmp()), when that showed.  A run that the thread's end, an
 * execve() or the trace's end cut has none: its SIGNAL_TAKE says when it began.
 */
#define IPCSCOPE_SIGNAL_HANDLER_FIELDS(X)				\
	X(__u64, enter_ns, , TIME)	/* the frame is on its stack */	\
	X(__u64, blocked_inside, , HEX)	/* mask that it began with */	\
	X(__u64, blocked_after, , HEX)	/* that its return set; left: 0 */ \
	X(__u8, sig, , SIGNAL)						\
	X(__u8, depth, , COUNT)		/* handlers that it interrupted */ \
	X(__u8, left, , BOOL)		/* it did not return */		\
	X(__u8, pad, [5], PAD)

/*
 * The thread in the header changed the signals that it blocks, by itself.  What the
 * set-up of a handler and the return from it change is in SIGNAL_HANDLER.
 */
#define IPCSCOPE_SIGNAL_MASK_FIELDS(X)					\
	X(__u64, before, , HEX)		/* bit 0: signal 1 */		\
	X(__u64, after, , HEX)						\
	X(__u16, syscall, , SYSCALL)	/* by which it did */		\
	X(__u8, pad, [6], PAD)

#define IPCSCOPE_COMMAND_BYTES	120

/*
 * The arguments of the program that the thread in the header runs, as it sends
 * another process a signal that ends or stops one: once for each execve().  Comes
 * before that SIGNAL_GENERATE.  /proc has them for as long as it lives only.
 */
#define IPCSCOPE_COMMAND_FIELDS(X)					\
	X(__u32, bytes, , COUNT)	/* of all; 0: not readable */	\
	X(__u8, pad, [4], PAD)						\
	X(__u8, words, [IPCSCOPE_COMMAND_BYTES], WORDS)

/*
 * A fatal signal was sent to a process of which a thread is in uninterruptible
 * (D) or killable (K) sleep.  Comes before its SIGNAL_GENERATE, and at the same
 * moment.
 */
#define IPCSCOPE_KILL_FIELDS(X)						\
	X(__u32, target_tgid, , ID)					\
	X(__u32, stuck_tid, , ID)	/* the first such thread */	\
	X(__u32, stuck_threads, , COUNT)	/* how many were seen */ \
	X(__u32, stack_depth, , DEPTH)	/* entries used in stack[] */	\
	X(__u8, sig, , SIGNAL)						\
	X(__u8, state, , STATE)		/* of stuck_tid */		\
	X(__u8, origin, , ORIGIN)					\
	X(__u8, result, , RESULT)					\
	X(__u8, pad, [4], PAD)						\
	/*								\
	 * Kernel stack of stuck_tid, innermost first.  In a ring:	\
	 * addresses.  Everywhere else: ids of SYMBOL records.		\
	 */								\
	X(__u64, stack, [IPCSCOPE_STACK_DEPTH], STACK)

/* A thread as it is from time_ns on. */
#define IPCSCOPE_THREAD_FIELDS(X)					\
	X(__u64, start_ns, , TIME)	/* identity, with the tid; SWEEP: 0 */ \
	X(__u64, cgroup, , ID)		/* v2: inode of its directory */ \
	X(__u32, ppid, , ID)		/* process of its parent */	\
	X(__u32, ns_pid, , ID)		/* tid in its own pid namespace */ \
	X(__u32, uid, , ID)						\
	X(__u8, reason, , REASON)					\
	X(__u8, pad, [3], PAD)						\
	X(__u8, comm, [IPCSCOPE_COMM_LEN], COMM)			\
	X(__u64, blocked, , HEX)	/* mask of signals, bit 0: signal 1 */

/*
 * What a thread did from since_ns, to which its last record accounted for its
 * time, until time_ns, outside of any call.  The rest of that time it ran.
 */
#define IPCSCOPE_BETWEEN_FIELDS(X)					\
	X(__u64, between_runnable_ns, , SPAN)				\
	X(__u64, between_sleeping_ns, , SPAN)	/* S, I */		\
	X(__u64, between_polling_ns, , SPAN)				\
	X(__u64, between_uninterruptible_ns, , SPAN)	/* D */		\
	X(__u64, between_killable_ns, , SPAN)				\
	X(__u64, between_other_ns, , SPAN)	/* each has a SLICE */

#define IPCSCOPE_THREAD_TIME_FIELDS(X)					\
	X(__u64, since_ns, , TIME)					\
	IPCSCOPE_BETWEEN_FIELDS(X)					\
	X(__s32, exit_code, , NUMBER)	/* as wait(2) encodes it */	\
	X(__u16, syscall, , SYSCALL)	/* that it sleeps in */		\
	X(__u8, state, , STATE)		/* at time_ns */		\
	/*								\
	 * 1: no thread of its process was left alive.  Of threads that	\
	 * exit at the same moment more than one may say so.		\
	 */								\
	X(__u8, group_dead, , BOOL)

/*
 * A stay in one state that lasted IPCSCOPE_SLICE_NS or more, or any stay in one
 * that between_other_ns sums up.
 */
#define IPCSCOPE_SLICE_FIELDS(X)					\
	X(__u64, start_ns, , TIME)					\
	X(__u64, end_ns, , TIME)					\
	X(__u32, waker_tid, , ID)	/* who ended it, 0: not known */ \
	X(__u16, syscall, , SYSCALL)					\
	X(__u8, state, , STATE)						\
	X(__u8, call, , CALL)		/* kind of the call it was in, or 0 */

/*
 * A call that may wait.  Short where the thread only ran since its last record;
 * else with the split of that time (struct ipcscope_call_split).
 *
 *     last record      enter_ns              time_ns
 *     --+-----------------+---------------------+--
 *       |     between     |       inside        |
 *    since_ns
 */
#define IPCSCOPE_CALL_FIELDS(X)						\
	X(__u64, since_ns, , TIME)					\
	X(__u64, enter_ns, , TIME)					\
	/*								\
	 * Inode, id, ...; a semaphore: its number in the set << 32 | set; \
	 * a futex: its memory << 32 | the word in it (futex.h)	\
	 */								\
	X(__u64, object, , ID)						\
	/* Of its other end; ACCEPT: its new one; a futex: its address */ \
	X(__u64, peer, , ID)						\
	/* Bytes; of a futex, threads to be woken; 0xffffffff: or more */ \
	X(__u32, requested, , COUNT)					\
	X(__s32, ret, , NUMBER)		/* bytes, ..., or -errno */	\
	X(__u32, dev, , DEVICE)		/* kernel's dev_t */		\
	X(__u8, type, , OBJECT)						\
	X(__u8, op, , OP)						\
	X(__u8, flags, , CALL_FLAGS)					\
	X(__u8, sleeps, , COUNT)	/* times blocked, 255: or more */

#define IPCSCOPE_CALL_SPLIT_FIELDS(X)					\
	X(__u64, blocked_ns, , SPAN)	/* inside, in S: empty, full, ... */ \
	X(__u64, runnable_ns, , SPAN)	/* inside */			\
	X(__u64, uninterruptible_ns, , SPAN)	/* inside: D, K: a lock, a fault */ \
	X(__u32, waker_tid, , WAKER)	/* of the last sleep in S */	\
	X(__u32, woken_before_ns, , SPAN)	/* that wake-up to time_ns; max: or more */ \
	IPCSCOPE_BETWEEN_FIELDS(X)

/* The object's state at the entry, by its type. */
#define IPCSCOPE_TAIL_PIPE_FIELDS(X)					\
	X(__u32, ring_slots, , COUNT)	/* pages that it can hold */	\
	X(__u32, used_slots, , COUNT)					\
	X(__u32, readers, , COUNT)	/* open read ends */		\
	X(__u32, writers, , COUNT)

/*
 * SEND: what its sender's sk_sndbuf counts, and that limit.  RECEIVE: bytes in its
 * own queue, of the first IPCSCOPE_QUEUE_LOOKED_AT messages, and sk_rcvbuf, which
 * the kernel does not enforce.  ACCEPT: connections that wait, and the backlog.
 * credentials_pid: who has the other end (SO_PEERCRED, in the initial namespace):
 * at the entry; of what connects, as it has.
 * passed_fds: SEND: that it asks to pass.  RECEIVE: that it was given.
 */
#define IPCSCOPE_TAIL_UNIX_FIELDS(X)					\
	X(__u32, queued_bytes, , COUNT)					\
	X(__u32, limit_bytes, , COUNT)					\
	X(__u32, credentials_pid, , ID)					\
	X(__u32, passed_fds, , COUNT)

#define IPCSCOPE_FILE_NAME_LEN		32

/*
 * The thread in the header received a descriptor (SCM_RIGHTS).  Comes before the record
 * of its receive, whose object is `socket`.
 */
#define IPCSCOPE_FD_RECEIVED_FIELDS(X)					\
	X(__u64, socket, , ID)						\
	X(__u64, inode, , ID)		/* of what it is of */		\
	X(__u32, dev, , DEVICE)		/* kernel's dev_t */		\
	X(__s32, fd, , NUMBER)		/* of the receiver */		\
	X(__u32, filesystem, , HEX)	/* its magic number */		\
	X(__u16, mode, , HEX)		/* st_mode */			\
	/* Of a socket; else 0 */					\
	X(__u16, port, , NUMBER)	/* its own, of AF_INET and AF_INET6 */ \
	X(__u16, family, , NUMBER)	/* AF_ */			\
	X(__u8, socket_type, , NUMBER)	/* SOCK_ */			\
	X(__u8, listening, , BOOL)					\
	X(__u8, pad, [4], PAD)						\
	X(__u8, name, [IPCSCOPE_FILE_NAME_LEN], COMM)	/* last part, or "TCP" */

#define IPCSCOPE_TAIL_EVENTFD_FIELDS(X)					\
	X(__u64, counter, , COUNT)					\
	X(__u32, semaphore, , BOOL)					\
	X(__u32, waiters, , BOOL)	/* a thread sleeps on it */

#define IPCSCOPE_TAIL_MQUEUE_FIELDS(X)					\
	X(__u32, messages, , COUNT)					\
	X(__u32, max_messages, , COUNT)					\
	X(__u32, priority, , NUMBER)					\
	X(__u32, message_bytes, , COUNT)

#define IPCSCOPE_TAIL_SYSV_FIELDS(X)					\
	X(__s32, key, , NUMBER)						\
	X(__u32, depth, , COUNT)	/* messages; semaphores of the call */ \
	X(__s32, amount, , NUMBER)	/* message type; sem_op of the first */ \
	X(__s32, semaphore_value, , NUMBER)

/*
 * expected: what the word was to be, of a wait and of FUTEX_CMP_REQUEUE; of
 * FUTEX_LOCK_PI what it was: its owner's tid, as its pid namespace has it, and
 * FUTEX_WAITERS.
 */
#define IPCSCOPE_TAIL_FUTEX_FIELDS(X)					\
	X(__u32, offset, , NUMBER)	/* in its page */		\
	X(__u32, expected, , NUMBER)					\
	X(__u32, woken, , COUNT)	/* or moved to another futex */	\
	X(__u32, operation, , NUMBER)	/* FUTEX_..., with its flags */

/* Collector: what a stack entry is called.  Text fills the record's rest. */
#define IPCSCOPE_SYMBOL_FIELDS(X)					\
	X(__u64, id, , ID)

/*
 * Collector: the process in the header holds an object open (from /proc/PID/fd).
 * The path of a FIFO, else nothing, fills the record's rest.
 */
#define IPCSCOPE_HOLDER_FIELDS(X)					\
	X(__u64, object, , ID)						\
	X(__u32, dev, , DEVICE)						\
	X(__u8, type, , OBJECT)						\
	X(__u8, reads, , BOOL)		/* holds a read end */		\
	X(__u8, writes, , BOOL)						\
	X(__u8, pad, [1], PAD)

/*
 * Collector: the thread in the header, of a process that is still there some time
 * after a signal whose default action ends a process (from /proc).  The wait
 * channel's name fills the record's rest.
 */
#define IPCSCOPE_OBSERVED_FIELDS(X)					\
	X(__u64, sent_ns, , TIME)	/* the signal that it is watched for */ \
	X(__u64, blocked, , HEX)	/* masks of signals, bit 0: signal 1 */ \
	X(__u64, ignored, , HEX)					\
	X(__u64, caught, , HEX)						\
	X(__u64, pending, , HEX)	/* to the thread or its process */ \
	X(__u32, ppid, , ID)						\
	X(__u32, tracer_pid, , ID)	/* a thread of its debugger, or 0 */ \
	X(__u32, vfork_child, , ID)	/* that it waits for, or 0 */	\
	X(__s32, exit_code, , NUMBER)	/* of a zombie, as wait(2) encodes it */ \
	X(__u32, threads, , COUNT)	/* of the process */		\
	X(__u32, stack_depth, , DEPTH)					\
	X(__u16, syscall, , SYSCALL)	/* that it sleeps in */		\
	X(__u16, missing, , MISSING)					\
	X(__u8, sig, , SIGNAL)						\
	X(__u8, state, , STATE)		/* D of /proc: D or K */	\
	X(__u8, frozen, , BOOL)		/* its cgroup (v2) is */	\
	X(__u8, pad, [1], PAD)						\
	X(__u64, stack, [IPCSCOPE_STACK_DEPTH], STACK)	/* ids of SYMBOLs */

/*
 * Collector: the process in the header, which sent or got a signal that ends or
 * stops a process, or an ancestor of it (from /proc, as the record of that signal
 * was read).  Of those two the command line fills the record's rest.
 */
#define IPCSCOPE_PROCESS_FIELDS(X)					\
	X(__u64, cgroup, , ID)						\
	X(__u32, ppid, , ID)						\
	X(__u32, ns_pid, , ID)		/* in its own pid namespace */	\
	X(__u32, uid, , ID)						\
	X(__u8, pad, [4], PAD)						\
	X(__u8, comm, [IPCSCOPE_COMM_LEN], COMM)

/* Collector: the name of a user, or the path of a cgroup, fills the record's rest. */
#define IPCSCOPE_NAME_FIELDS(X)						\
	X(__u64, id, , ID)		/* uid; as a THREAD's cgroup */

#define IPCSCOPE_STRUCT(name, FIELDS)					\
	struct ipcscope_##name {					\
		struct ipcscope_header header;				\
		FIELDS(IPCSCOPE_MEMBER)					\
	}
#define IPCSCOPE_TAIL(name, FIELDS)					\
	struct ipcscope_tail_##name { FIELDS(IPCSCOPE_MEMBER) }

IPCSCOPE_STRUCT(signal_generate, IPCSCOPE_SIGNAL_GENERATE_FIELDS);
struct ipcscope_signal_callers {
	struct ipcscope_header header;
	IPCSCOPE_SIGNAL_GENERATE_FIELDS(IPCSCOPE_MEMBER)
	IPCSCOPE_SIGNAL_CALLERS_FIELDS(IPCSCOPE_MEMBER)
};
IPCSCOPE_STRUCT(signal_take, IPCSCOPE_SIGNAL_TAKE_FIELDS);
IPCSCOPE_STRUCT(signal_handler, IPCSCOPE_SIGNAL_HANDLER_FIELDS);
IPCSCOPE_STRUCT(signal_mask, IPCSCOPE_SIGNAL_MASK_FIELDS);
IPCSCOPE_STRUCT(command, IPCSCOPE_COMMAND_FIELDS);
IPCSCOPE_STRUCT(kill, IPCSCOPE_KILL_FIELDS);
IPCSCOPE_STRUCT(thread, IPCSCOPE_THREAD_FIELDS);
IPCSCOPE_STRUCT(thread_time, IPCSCOPE_THREAD_TIME_FIELDS);
IPCSCOPE_STRUCT(slice, IPCSCOPE_SLICE_FIELDS);
IPCSCOPE_STRUCT(fd_received, IPCSCOPE_FD_RECEIVED_FIELDS);
IPCSCOPE_STRUCT(symbol, IPCSCOPE_SYMBOL_FIELDS);
IPCSCOPE_STRUCT(holder, IPCSCOPE_HOLDER_FIELDS);
IPCSCOPE_STRUCT(observed, IPCSCOPE_OBSERVED_FIELDS);
IPCSCOPE_STRUCT(process, IPCSCOPE_PROCESS_FIELDS);
IPCSCOPE_STRUCT(name, IPCSCOPE_NAME_FIELDS);

/* A THREAD_FREE is a header: of the thread that was freed. */

IPCSCOPE_TAIL(pipe, IPCSCOPE_TAIL_PIPE_FIELDS);
IPCSCOPE_TAIL(unix, IPCSCOPE_TAIL_UNIX_FIELDS);
IPCSCOPE_TAIL(eventfd, IPCSCOPE_TAIL_EVENTFD_FIELDS);
IPCSCOPE_TAIL(mqueue, IPCSCOPE_TAIL_MQUEUE_FIELDS);
IPCSCOPE_TAIL(sysv, IPCSCOPE_TAIL_SYSV_FIELDS);
IPCSCOPE_TAIL(futex, IPCSCOPE_TAIL_FUTEX_FIELDS);

union ipcscope_tail {
	struct ipcscope_tail_pipe pipe;
	struct ipcscope_tail_unix socket;
	struct ipcscope_tail_eventfd eventfd;
	struct ipcscope_tail_mqueue mqueue;
	struct ipcscope_tail_sysv sysv;
	struct ipcscope_tail_futex futex;
};

/* What a call is about; filled at its entry, but for ret. */
#define IPCSCOPE_CALL_MEMBERS						\
	struct ipcscope_header header;					\
	IPCSCOPE_CALL_FIELDS(IPCSCOPE_MEMBER)				\
	union ipcscope_tail tail;

struct ipcscope_call {
	IPCSCOPE_CALL_MEMBERS
};

struct ipcscope_call_split {
	IPCSCOPE_CALL_MEMBERS
	IPCSCOPE_CALL_SPLIT_FIELDS(IPCSCOPE_MEMBER)
};

/* The largest record of which IOC_UNFINISHED gives one (transport.h). */
#define IPCSCOPE_UNFINISHED_BYTES	176

#ifdef __cplusplus
#define IPCSCOPE_ASSERT(what) static_assert(what, #what)
#else
#define IPCSCOPE_ASSERT(what) _Static_assert(what, #what)
#endif
#define IPCSCOPE_ASSERT_SIZE(type, bytes) \
	IPCSCOPE_ASSERT(sizeof(struct type) == (bytes))
#define IPCSCOPE_ASSERT_AT(type, field, bytes) \
	IPCSCOPE_ASSERT(__builtin_offsetof(struct type, field) == (bytes))

IPCSCOPE_ASSERT_SIZE(ipcscope_header, 32);
IPCSCOPE_ASSERT_AT(ipcscope_header, tgid, 16);
IPCSCOPE_ASSERT_AT(ipcscope_header, cpu, 24);
IPCSCOPE_ASSERT_AT(ipcscope_header, kind, 26);
IPCSCOPE_ASSERT_AT(ipcscope_header, size, 28);
IPCSCOPE_ASSERT_AT(ipcscope_header, flags, 30);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_generate, 80);
IPCSCOPE_ASSERT_AT(ipcscope_signal_generate, sig, 68);
IPCSCOPE_ASSERT_AT(ipcscope_signal_generate, requeued, 79);
IPCSCOPE_ASSERT_SIZE(ipcscope_signal_callers, 296);
IPCSCOPE_ASSERT_AT(ipcscope_signal_callers, memory_limit, 80);
IPCSCOPE_ASSERT_AT(ipcscope_signal_callers, stack, 104);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_take, 80);
IPCSCOPE_ASSERT_AT(ipcscope_signal_take, sig, 72);
IPCSCOPE_ASSERT_AT(ipcscope_signal_take, group_signal, 78);

IPCSCOPE_ASSERT_SIZE(ipcscope_signal_handler, 64);
IPCSCOPE_ASSERT_AT(ipcscope_signal_handler, sig, 56);
IPCSCOPE_ASSERT_SIZE(ipcscope_signal_mask, 56);
IPCSCOPE_ASSERT_AT(ipcscope_signal_mask, syscall, 48);

IPCSCOPE_ASSERT_SIZE(ipcscope_command, 160);
IPCSCOPE_ASSERT_AT(ipcscope_command, words, 40);

IPCSCOPE_ASSERT_SIZE(ipcscope_kill, 312);
IPCSCOPE_ASSERT_AT(ipcscope_kill, sig, 48);
IPCSCOPE_ASSERT_AT(ipcscope_kill, stack, 56);

IPCSCOPE_ASSERT_SIZE(ipcscope_thread, 88);
IPCSCOPE_ASSERT_AT(ipcscope_thread, comm, 64);

IPCSCOPE_ASSERT_SIZE(ipcscope_thread_time, 96);
IPCSCOPE_ASSERT_AT(ipcscope_thread_time, exit_code, 88);

IPCSCOPE_ASSERT_SIZE(ipcscope_slice, 56);
IPCSCOPE_ASSERT_AT(ipcscope_slice, waker_tid, 48);

IPCSCOPE_ASSERT(sizeof(union ipcscope_tail) == 16);
IPCSCOPE_ASSERT_SIZE(ipcscope_call, 96);
IPCSCOPE_ASSERT_AT(ipcscope_call, object, 48);
IPCSCOPE_ASSERT_AT(ipcscope_call, type, 76);
IPCSCOPE_ASSERT_AT(ipcscope_call, tail, 80);
IPCSCOPE_ASSERT_SIZE(ipcscope_call_split, 176);
IPCSCOPE_ASSERT_AT(ipcscope_call_split, tail, 80);
IPCSCOPE_ASSERT_AT(ipcscope_call_split, blocked_ns, 96);
IPCSCOPE_ASSERT_AT(ipcscope_call_split, between_runnable_ns, 128);
IPCSCOPE_ASSERT_SIZE(ipcscope_call_split, IPCSCOPE_UNFINISHED_BYTES);

IPCSCOPE_ASSERT_SIZE(ipcscope_fd_received, 104);
IPCSCOPE_ASSERT_AT(ipcscope_fd_received, family, 64);
IPCSCOPE_ASSERT_AT(ipcscope_fd_received, name, 72);

IPCSCOPE_ASSERT_SIZE(ipcscope_symbol, 40);
IPCSCOPE_ASSERT_SIZE(ipcscope_holder, 48);
IPCSCOPE_ASSERT_SIZE(ipcscope_observed, 360);
IPCSCOPE_ASSERT_AT(ipcscope_observed, syscall, 96);
IPCSCOPE_ASSERT_AT(ipcscope_observed, stack, 104);

IPCSCOPE_ASSERT_SIZE(ipcscope_process, 72);
IPCSCOPE_ASSERT_AT(ipcscope_process, comm, 56);
IPCSCOPE_ASSERT_SIZE(ipcscope_name, 40);

#endif /* IPCSCOPE_RECORD_H */
