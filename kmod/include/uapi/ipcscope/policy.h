/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the kernel's numbers mean: pure functions that both backends, and the
 * collector, share.  What is read from the kernel, and how, is each backend's
 * own affair.
 *
 * Signal numbers are those of x86, Arm, RISC-V, s390 and POWER.
 */
#ifndef IPCSCOPE_POLICY_H
#define IPCSCOPE_POLICY_H

#include <linux/errno.h>

#include "record.h"

#define IPCSCOPE_SIG_BIT(sig)	(1ULL << ((sig) - 1))

#define IPCSCOPE_SIGKILL	9
#define IPCSCOPE_SIGCHLD	17
#define IPCSCOPE_SIGCONT	18
#define IPCSCOPE_SIGSYS		31

/* SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU */
#define IPCSCOPE_STOP_SIGNALS						\
	(IPCSCOPE_SIG_BIT(19) | IPCSCOPE_SIG_BIT(20) |			\
	 IPCSCOPE_SIG_BIT(21) | IPCSCOPE_SIG_BIT(22))
/* SIGCHLD, SIGCONT, SIGURG, SIGWINCH */
#define IPCSCOPE_DEFAULT_IGNORED					\
	(IPCSCOPE_SIG_BIT(17) | IPCSCOPE_SIG_BIT(18) |			\
	 IPCSCOPE_SIG_BIT(23) | IPCSCOPE_SIG_BIT(28))
/* SIGHUP INT QUIT KILL TERM: they ask a process to end, with a handler or without */
#define IPCSCOPE_ASK_TO_END						\
	(IPCSCOPE_SIG_BIT(1) | IPCSCOPE_SIG_BIT(2) |			\
	 IPCSCOPE_SIG_BIT(3) | IPCSCOPE_SIG_BIT(9) |			\
	 IPCSCOPE_SIG_BIT(15))
/* SIGQUIT ILL TRAP ABRT BUS FPE SEGV XCPU XFSZ SYS */
#define IPCSCOPE_CORE_SIGNALS						\
	(IPCSCOPE_SIG_BIT(3) | IPCSCOPE_SIG_BIT(4) |			\
	 IPCSCOPE_SIG_BIT(5) | IPCSCOPE_SIG_BIT(6) |			\
	 IPCSCOPE_SIG_BIT(7) | IPCSCOPE_SIG_BIT(8) |			\
	 IPCSCOPE_SIG_BIT(11) | IPCSCOPE_SIG_BIT(24) |			\
	 IPCSCOPE_SIG_BIT(25) | IPCSCOPE_SIG_BIT(31))

/* SIGILL TRAP BUS FPE SEGV */
#define IPCSCOPE_FAULT_SIGNALS						\
	(IPCSCOPE_SIG_BIT(4) | IPCSCOPE_SIG_BIT(5) |			\
	 IPCSCOPE_SIG_BIT(7) | IPCSCOPE_SIG_BIT(8) |			\
	 IPCSCOPE_SIG_BIT(11))

/* SIGALRM VTALRM PROF: without siginfo the kernel sends them for setitimer() only */
#define IPCSCOPE_ITIMER_SIGNALS						\
	(IPCSCOPE_SIG_BIT(14) | IPCSCOPE_SIG_BIT(26) |			\
	 IPCSCOPE_SIG_BIT(27))

#define IPCSCOPE_EAGAIN		11
#define IPCSCOPE_EPIPE		32

/* si_code */
#define IPCSCOPE_SI_USER	0
#define IPCSCOPE_SI_KERNEL	0x80
#define IPCSCOPE_SI_QUEUE	(-1)
#define IPCSCOPE_SI_TIMER	(-2)
#define IPCSCOPE_SYS_SECCOMP	1	/* of SIGSYS */

/*
 * Bits of task->__state.  Those below 0x1000 have kept their meaning since
 * 4.14; FROZEN is one since 6.1 (f5d39b020809), RTLOCK_WAIT since 5.16.
 */
#define IPCSCOPE_TASK_INTERRUPTIBLE	0x0001u
#define IPCSCOPE_TASK_UNINTERRUPTIBLE	0x0002u
#define IPCSCOPE_TASK_STOPPED		0x0004u
#define IPCSCOPE_TASK_TRACED		0x0008u
#define IPCSCOPE_EXIT_DEAD		0x0010u
#define IPCSCOPE_EXIT_ZOMBIE		0x0020u
#define IPCSCOPE_TASK_DEAD		0x0080u
#define IPCSCOPE_TASK_WAKEKILL		0x0100u
#define IPCSCOPE_TASK_WAKING		0x0200u
#define IPCSCOPE_TASK_NOLOAD		0x0400u
#define IPCSCOPE_TASK_FROZEN		0x8000u

/* task->flags, until 6.1 */
#define IPCSCOPE_PF_FROZEN		0x00010000u
/* task->jobctl */
#define IPCSCOPE_JOBCTL_TRAP_FREEZE	0x00800000ull

/* signal->flags */
#define IPCSCOPE_SIGNAL_GROUP_EXIT	0x00000004u
#define IPCSCOPE_SIGNAL_GROUP_COREDUMP	0x00000008u	/* until 5.16 */
#define IPCSCOPE_SIGNAL_UNKILLABLE	0x00000040u

/* Sockets: types, and flags of a message. */
#define IPCSCOPE_SOCK_DGRAM		2
#define IPCSCOPE_SOCK_SEQPACKET		5
#define IPCSCOPE_MSG_PEEK		0x00000002u
#define IPCSCOPE_MSG_DONTWAIT		0x00000040u
#define IPCSCOPE_MSG_CMSG_COMPAT	0x80000000u
#define IPCSCOPE_SOL_SOCKET		1
#define IPCSCOPE_SCM_RIGHTS		1
#define IPCSCOPE_SOCKFS_MAGIC		0x534f434b
#define IPCSCOPE_AF_INET		2
#define IPCSCOPE_AF_INET6		10
#define IPCSCOPE_TCP_LISTEN		10	/* also of a Unix socket */

/* At most so many are looked at in one call. */
#define IPCSCOPE_QUEUE_LOOKED_AT	16	/* messages of a receive queue */
#define IPCSCOPE_CONTROLS_LOOKED_AT	8	/* control messages of a send */

/* struct cmsghdr; 12 bytes in a 32-bit receiver's buffer. */
struct ipcscope_control {
	__u64 bytes;		/* with this header */
	__s32 level;
	__s32 type;
};
#define IPCSCOPE_CONTROL_COMPAT_BYTES	12

static inline __attribute__((always_inline)) __u8
ipcscope_state_of_bits(__u32 bits)
{
	if (bits & IPCSCOPE_TASK_FROZEN)
		return IPCSCOPE_STATE_FROZEN;
	if (bits & IPCSCOPE_TASK_UNINTERRUPTIBLE) {
		if (bits & IPCSCOPE_TASK_WAKEKILL)
			return IPCSCOPE_STATE_KILLABLE;
		if (bits & IPCSCOPE_TASK_NOLOAD)
			return IPCSCOPE_STATE_IDLE;
		return IPCSCOPE_STATE_UNINTERRUPTIBLE;
	}
	if (bits & IPCSCOPE_TASK_STOPPED)
		return IPCSCOPE_STATE_STOPPED;
	if (bits & IPCSCOPE_TASK_TRACED)
		return IPCSCOPE_STATE_TRACED;
	if (bits & IPCSCOPE_TASK_INTERRUPTIBLE)
		return IPCSCOPE_STATE_INTERRUPTIBLE;
	if (bits & IPCSCOPE_TASK_DEAD)
		return IPCSCOPE_STATE_DEAD;
	if (bits == 0 || bits == IPCSCOPE_TASK_WAKING)
		return IPCSCOPE_STATE_RUNNING;
	return IPCSCOPE_STATE_OTHER;
}

/* `bits`: task->__state, `exited`: task->exit_state. */
static inline __attribute__((always_inline)) __u8
ipcscope_task_state(__u32 bits, __u32 exited)
{
	if (exited & IPCSCOPE_EXIT_DEAD)
		return IPCSCOPE_STATE_DEAD;
	if (exited & IPCSCOPE_EXIT_ZOMBIE)
		return IPCSCOPE_STATE_ZOMBIE;
	return ipcscope_state_of_bits(bits);
}

/* A sleep that a fatal signal may not end at once. */
static inline __attribute__((always_inline)) int ipcscope_stuck(__u8 state)
{
	return state == IPCSCOPE_STATE_UNINTERRUPTIBLE ||
	       state == IPCSCOPE_STATE_KILLABLE;
}

/* `handler`: sa_handler, of which 0 and 1 are SIG_DFL and SIG_IGN. */
static inline __attribute__((always_inline)) __u8
ipcscope_disposition_of(__u64 handler)
{
	if (handler == 0)
		return IPCSCOPE_DISPOSITION_DEFAULT;
	if (handler == 1)
		return IPCSCOPE_DISPOSITION_IGNORE;
	return IPCSCOPE_DISPOSITION_HANDLER;
}

/* Does the signal end the process, once a thread takes it? */
static inline __attribute__((always_inline)) int
ipcscope_is_fatal(int sig, __u8 disposition, int blocked, int unkillable)
{
	return sig == IPCSCOPE_SIGKILL ||
	       (disposition == IPCSCOPE_DISPOSITION_DEFAULT && !blocked &&
		!unkillable &&
		!(IPCSCOPE_SIG_BIT(sig) &
		  (IPCSCOPE_DEFAULT_IGNORED | IPCSCOPE_STOP_SIGNALS)));
}

/* Does it end a process, ask it to, or stop it? */
static inline __attribute__((always_inline)) int
ipcscope_ends_or_stops(int sig, int fatal)
{
	return fatal || (IPCSCOPE_SIG_BIT(sig) &
			 (IPCSCOPE_ASK_TO_END | IPCSCOPE_STOP_SIGNALS));
}

/* Is it discarded, or taken for nothing, with that disposition? */
static inline __attribute__((always_inline)) int
ipcscope_is_ignored(int sig, __u8 disposition)
{
	return disposition == IPCSCOPE_DISPOSITION_IGNORE ||
	       (disposition == IPCSCOPE_DISPOSITION_DEFAULT &&
		(IPCSCOPE_SIG_BIT(sig) & IPCSCOPE_DEFAULT_IGNORED));
}

/*
 * A thread sends it to itself with a code of the kernel: for its own instruction, or
 * system call.
 */
static inline __attribute__((always_inline)) __u8
ipcscope_own_origin(int sig, __s32 si_code)
{
	if (si_code > 0 && si_code <= IPCSCOPE_SI_KERNEL &&
	    (IPCSCOPE_SIG_BIT(sig) & IPCSCOPE_FAULT_SIGNALS))
		return IPCSCOPE_ORIGIN_FAULT;
	if (sig == IPCSCOPE_SIGSYS && si_code == IPCSCOPE_SYS_SECCOMP)
		return IPCSCOPE_ORIGIN_SECCOMP;
	return IPCSCOPE_ORIGIN_TASK;
}

/*
 * `info`: the send core's argument, of which 0 and 1 are SEND_SIG_NOINFO and
 * SEND_SIG_PRIV; si_code counts only where it is neither.  `own`: the current
 * thread is the target; `exits`: it is not, and is in do_exit().  There it makes
 * no system call, and only the death signal of its children is sent by
 * SEND_SIG_NOINFO.
 */
static inline __attribute__((always_inline)) __u8
ipcscope_origin_of(__u64 info, int sig, __s32 si_code, int own, int exits)
{
	if (info == 0)
		return exits ? IPCSCOPE_ORIGIN_PARENT_EXIT :
			       IPCSCOPE_ORIGIN_TASK;
	if (info == 1)
		return IPCSCOPE_SIG_BIT(sig) & IPCSCOPE_ITIMER_SIGNALS ?
			       IPCSCOPE_ORIGIN_ITIMER :
			       IPCSCOPE_ORIGIN_KERNEL;
	if (own && ipcscope_own_origin(sig, si_code) != IPCSCOPE_ORIGIN_TASK)
		return ipcscope_own_origin(sig, si_code);
	if (si_code == IPCSCOPE_SI_TIMER)
		return IPCSCOPE_ORIGIN_TIMER;
	if (si_code == IPCSCOPE_SI_KERNEL)
		return IPCSCOPE_ORIGIN_KERNEL;
	return IPCSCOPE_ORIGIN_TASK;
}

/*
 * Is the sender's command line of interest?  `own`: it is a thread of the target.
 */
static inline __attribute__((always_inline)) int
ipcscope_wants_command(int sig, __u8 origin, int fatal, int own)
{
	return origin == IPCSCOPE_ORIGIN_TASK && !own &&
	       ipcscope_ends_or_stops(sig, fatal);
}

/*
 * Are the callers of the send core of interest?  Of a signal of the kernel that ends
 * or stops a process, or asks it to end; and cgroup.kill sends SIGKILL without siginfo,
 * as if the thread that wrote to it had.
 */
static inline __attribute__((always_inline)) int
ipcscope_wants_callers(__u64 info, int sig, __u8 origin, int fatal)
{
	if (origin == IPCSCOPE_ORIGIN_KERNEL)
		return ipcscope_ends_or_stops(sig, fatal);
	return origin == IPCSCOPE_ORIGIN_TASK && info == 0 &&
	       sig == IPCSCOPE_SIGKILL;
}

/* What the kernel's send core returns with that outcome. */
static inline __attribute__((always_inline)) __s32
ipcscope_send_ret(__u8 result)
{
	return result == IPCSCOPE_RESULT_OVERFLOW ? -IPCSCOPE_EAGAIN : 0;
}

/* Does siginfo hold a pid?  Of a fault the union holds an address. */
static inline __attribute__((always_inline)) int
ipcscope_info_has_pid(int sig, __s32 si_code)
{
	return si_code <= 0 ||
	       (sig == IPCSCOPE_SIGCHLD && si_code != IPCSCOPE_SI_KERNEL);
}

static inline __attribute__((always_inline)) int
ipcscope_info_has_value(__s32 si_code)
{
	return si_code == IPCSCOPE_SI_QUEUE || si_code == IPCSCOPE_SI_TIMER;
}

/* Bits of call.flags: `flags`, of a file that is opened, has O_ACCMODE. */
static inline __attribute__((always_inline)) __u8
ipcscope_open_ends(__u32 flags)
{
	switch (flags & 3) {
	case 0:
		return IPCSCOPE_CALL_OPENS_READ;
	case 1:
		return IPCSCOPE_CALL_OPENS_WRITE;
	default:
		return IPCSCOPE_CALL_OPENS_READ | IPCSCOPE_CALL_OPENS_WRITE;
	}
}

/* Is what such a call returned a number of bytes that went in, or came out? */
static inline __attribute__((always_inline)) int ipcscope_moves_bytes(__u8 op)
{
	switch (op) {
	case IPCSCOPE_OP_READ:
	case IPCSCOPE_OP_WRITE:
	case IPCSCOPE_OP_SPLICE_IN:
	case IPCSCOPE_OP_SPLICE_OUT:
	case IPCSCOPE_OP_VMSPLICE:
	case IPCSCOPE_OP_SEND:
	case IPCSCOPE_OP_RECEIVE:
		return 1;
	default:
		return 0;
	}
}

/* Of such a family a send takes all of its message, and returns 0. */
static inline __attribute__((always_inline)) int ipcscope_sends_whole(__u16 kind)
{
	return kind == IPCSCOPE_CALL_MQUEUE || kind == IPCSCOPE_CALL_SYSV;
}

/* Bytes that went into its object, or came out, by a call that returned `ret`. */
static inline __attribute__((always_inline)) __u32
ipcscope_moved_bytes(int whole, __u8 op, __u32 requested, __s32 ret)
{
	if (ret < 0 || !ipcscope_moves_bytes(op))
		return 0;
	return whole && op == IPCSCOPE_OP_SEND ? requested : (__u32)ret;
}

/* What do_mq_timedsend() and do_mq_timedreceive() return of another file, and not only then. */
static inline __attribute__((always_inline)) int ipcscope_may_be_no_queue(__s32 ret)
{
	return ret == -EBADF || ret == -EINVAL;
}

/*
 * `flags`: call.flags, which `ipcscope stat` has of a socket's call only.  What it
 * got stays in the queue.
 */
static inline __attribute__((always_inline)) int
ipcscope_only_peeks(__u16 kind, __u8 flags)
{
	return kind == IPCSCOPE_CALL_UNIX && (flags & IPCSCOPE_CALL_PEEK);
}

/* IPCSCOPE_OBJECT_ of a Unix-domain socket; SOCK_RAW is SOCK_DGRAM there. */
static inline __attribute__((always_inline)) __u8
ipcscope_socket_type(int type)
{
	switch (type) {
	case IPCSCOPE_SOCK_DGRAM:
		return IPCSCOPE_OBJECT_UNIX_DGRAM;
	case IPCSCOPE_SOCK_SEQPACKET:
		return IPCSCOPE_OBJECT_UNIX_SEQPACKET;
	default:
		return IPCSCOPE_OBJECT_UNIX_STREAM;
	}
}

/* call.flags: the kernel makes O_NONBLOCK of a socket MSG_DONTWAIT. */
static inline __attribute__((always_inline)) __u8
ipcscope_message_flags(__u32 flags)
{
	__u8 seen = 0;

	if (flags & IPCSCOPE_MSG_DONTWAIT)
		seen |= IPCSCOPE_CALL_NONBLOCK;
	if (flags & IPCSCOPE_MSG_PEEK)
		seen |= IPCSCOPE_CALL_PEEK;
	return seen;
}

/* File descriptors that a control message passes. */
static inline __attribute__((always_inline)) __u32
ipcscope_control_fds(const struct ipcscope_control *control)
{
	if (control->level != IPCSCOPE_SOL_SOCKET ||
	    control->type != IPCSCOPE_SCM_RIGHTS)
		return 0;
	return (__u32)(control->bytes - sizeof(*control)) / sizeof(__s32);
}

/* Those of `fds` that a receiver's buffer for control messages has room for. */
static inline __attribute__((always_inline)) __u32
ipcscope_fds_received(__u32 fds, __u64 room_bytes, __u32 flags)
{
	__u64 header = flags & IPCSCOPE_MSG_CMSG_COMPAT ?
			       IPCSCOPE_CONTROL_COMPAT_BYTES :
			       sizeof(struct ipcscope_control);
	__u64 room = room_bytes < header ?
			     0 : (room_bytes - header) / sizeof(__s32);

	return fds < room ? fds : (__u32)room;
}

/* Whether a file of that mode and filesystem is a socket with a struct socket. */
static inline __attribute__((always_inline)) int
ipcscope_is_socket(__u32 mode, __u32 filesystem)
{
	return (mode & 0170000) == 0140000 && filesystem == IPCSCOPE_SOCKFS_MAGIC;
}

#endif /* IPCSCOPE_POLICY_H */
