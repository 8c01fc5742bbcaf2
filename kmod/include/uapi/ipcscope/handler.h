/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Handlers of signals that a thread is in: pure functions that both backends share.
 *
 *   set-up          the kernel puts a frame on the user's stack: pushed here
 *   rt_sigreturn()  finds its frame by the stack pointer: popped, the record
 *
 * A handler may be interrupted by another one, which then returns first; or left by
 * siglongjmp(), which the kernel does not see.  Then its frame is still here, and one
 * of these shows that it is dead: a frame below it returns, or a new one is put on the
 * same stack where it was, or before it.
 */
#ifndef IPCSCOPE_HANDLER_H
#define IPCSCOPE_HANDLER_H

#include "policy.h"
#include "splice.h"

#define IPCSCOPE_HANDLER_DEPTH	8	/* frames that are kept; a power of two */

#define IPCSCOPE_SIGSTOP	19
#define IPCSCOPE_SA_NODEFER	0x40000000u

struct ipcscope_handler_frame {
	__u64 at;		/* its address */
	__u64 enter_ns;
	__u64 blocked;		/* mask that the handler began with */
	__u8 sig;
	__u8 alternate;		/* it is on the alternate stack */
	__u8 pad[6];
};

/* Of one thread. */
struct ipcscope_handlers {
	__u64 start_ns;		/* whose they are: its start ... */
	__u64 exec_id;		/* ... and its last execve() */
	__u64 expected;		/* mask that the set-up is about to set */
	__u32 depth;		/* frames in use */
	__u8 expects;		/* `expected` is still to come */
	__u8 fresh;		/* bpf: pushed, the twin has not run yet */
	__u8 pad[2];
	struct ipcscope_handler_frame frames[IPCSCOPE_HANDLER_DEPTH];
};

IPCSCOPE_ASSERT_SIZE(ipcscope_handler_frame, 32);
IPCSCOPE_ASSERT_SIZE(ipcscope_handlers, 32 + 32 * IPCSCOPE_HANDLER_DEPTH);

/* Another thread's, or from before an execve(): there are none. */
IPCSCOPE_INLINE void ipcscope_handlers_check(struct ipcscope_handlers *handlers,
					     __u64 start_ns, __u64 exec_id)
{
	if (handlers->start_ns == start_ns && handlers->exec_id == exec_id)
		return;
	handlers->start_ns = start_ns;
	handlers->exec_id = exec_id;
	handlers->depth = 0;
	handlers->expects = 0;
	handlers->fresh = 0;
}

/* What the set-up makes of the mask: signal_delivered(). */
IPCSCOPE_INLINE __u64 ipcscope_handler_mask(__u64 blocked, __u64 sa_mask,
					    __u32 sa_flags, int sig)
{
	blocked |= sa_mask;
	if (!(sa_flags & IPCSCOPE_SA_NODEFER))
		blocked |= IPCSCOPE_SIG_BIT(sig);
	return blocked & ~(IPCSCOPE_SIG_BIT(IPCSCOPE_SIGKILL) |
			   IPCSCOPE_SIG_BIT(IPCSCOPE_SIGSTOP));
}

/* on_sig_stack(): stacks grow down. */
IPCSCOPE_INLINE __u8 ipcscope_on_alternate(__u64 at, __u64 stack, __u64 bytes)
{
	return at > stack && at - stack <= bytes;
}

/* Has a frame that is put at `at` overwritten it, or what it returns to? */
IPCSCOPE_INLINE int
ipcscope_handler_is_dead(const struct ipcscope_handler_frame *frame, __u64 at,
			 __u8 alternate)
{
	return frame->alternate == alternate && frame->at <= at;
}

/* The last one; there is one. */
IPCSCOPE_INLINE struct ipcscope_handler_frame *
ipcscope_handler_last(struct ipcscope_handlers *handlers)
{
	return &handlers->frames[(handlers->depth - 1) &
				 (IPCSCOPE_HANDLER_DEPTH - 1)];
}

IPCSCOPE_INLINE int ipcscope_handler_is_known(const struct ipcscope_handlers *handlers,
					      __u64 at)
{
	__u32 i;

	for (i = 0; i < IPCSCOPE_HANDLER_DEPTH; ++i)
		if (i < handlers->depth && handlers->frames[i].at == at)
			return 1;
	return 0;
}

#endif /* IPCSCOPE_HANDLER_H */
