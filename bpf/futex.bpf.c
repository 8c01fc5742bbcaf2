// SPDX-License-Identifier: GPL-2.0-only
/*
 * Futexes (ipcscope/futex.h): every futex() of a thread without FUTEX_PRIVATE_FLAG and,
 * of IPCSCOPE_FAMILY_FUTEX_ALL, with it.
 *
 * The hooks are on the system call, whose one argument has all of its six: do_futex()
 * and futex_requeue() have more than a trampoline takes until 6.6.  A wait with a
 * timeout that a signal breaks off goes on in futex_wait_restart().
 */
#include "call.bpf.h"
#include <bpf/bpf_tracing.h>
#include <ipcscope/futex.h>

/* The word of a lock, which says who owns it. */
static __always_inline void read_owner(struct ipcscope_thread_state *thread)
{
	struct ipcscope_tail_futex *tail = &thread->call.tail.futex;

	if (ipcscope_futex_locks(tail->operation))
		bpf_probe_read_user(&tail->expected, sizeof(tail->expected),
				    (void *)thread->call.peer);
}

static __always_inline bool is_wanted(__u32 operation)
{
	return config.private_futexes || !(operation & FUTEX_PRIVATE_FLAG);
}

static __always_inline void
futex_begins(const struct ipcscope_futex_arguments *arguments, enum twin twin)
{
	struct ipcscope_thread_state *thread =
		call_begins(IPCSCOPE_CALL_FUTEX, twin);

	if (!thread)
		return;
	ipcscope_futex_begins(&thread->call, arguments, thread->tgid);
	if (thread->call.type != IPCSCOPE_OBJECT_NONE)
		read_owner(thread);
	call_opens(thread, IPCSCOPE_CALL_FUTEX);
}

/* (registers): (address, operation, value, timeout or value 2, address 2, value 3) */
static __always_inline void futex_enters(__u64 *ctx, enum twin twin)
{
	struct ipcscope_futex_arguments arguments = {
		.operation = (__u32)SYSCALL_ARGUMENT(ctx, si),
	};

	if (!is_wanted(arguments.operation)) {
		count_no_call(IPCSCOPE_CALL_FUTEX, twin);
		return;
	}
	arguments.address = SYSCALL_ARGUMENT(ctx, di);
	arguments.value = (__u32)SYSCALL_ARGUMENT(ctx, dx);
	arguments.value3 = (__u32)SYSCALL_ARGUMENT(ctx, r9);
	futex_begins(&arguments, twin);
}

static __always_inline void futex_restart_enters(__u64 *ctx, enum twin twin)
{
	struct restart_block *block = (struct restart_block *)ctx[0];
	struct ipcscope_futex_arguments arguments = {
		.operation = FUTEX_WAIT,
	};

	if (!(block->futex.flags & IPCSCOPE_FUTEX_SHARED))
		arguments.operation |= FUTEX_PRIVATE_FLAG;
	if (!is_wanted(arguments.operation)) {
		count_no_call(IPCSCOPE_CALL_FUTEX, twin);
		return;
	}
	arguments.address = (__u64)block->futex.uaddr;
	arguments.value = block->futex.val;
	futex_begins(&arguments, twin);
}

static __always_inline struct ipcscope_thread_state *
futex_thread(struct task_struct *task)
{
	struct ipcscope_thread_state *thread = thread_find(task);

	return thread && thread->account.call == IPCSCOPE_CALL_FUTEX ? thread :
								       NULL;
}

/* (address, flags, key, access); of a call with two the first is its own. */
static __always_inline void key_found(__u64 *ctx)
{
	union futex_key *key = (union futex_key *)ctx[2];
	struct ipcscope_thread_state *thread;

	if (!(ctx[1] & IPCSCOPE_FUTEX_SHARED) || (int)ctx[4])
		return;
	thread = futex_thread(current_task());
	if (!thread || thread->call.type != IPCSCOPE_OBJECT_NONE)
		return;
	if (!ipcscope_futex_found(&thread->call, key->shared.i_seq,
				  key->shared.pgoff, key->shared.offset,
				  config.private_futexes)) {
		ipcscope_account_cancel(&thread->account);
		return;
	}
	read_owner(thread);
}

static __always_inline void futex_returns(int ret)
{
	struct task_struct *task = current_task();
	struct ipcscope_thread_state *thread = futex_thread(task);

	if (!thread)
		return;
	if (ipcscope_futex_returns(&thread->call, ret))
		call_ends(thread, task, IPCSCOPE_CALL_FUTEX, 0, ret);
	else
		ipcscope_account_cancel(&thread->account);
}

static __always_inline void futex_exits(__u64 *ctx)
{
	if (is_wanted(SYSCALL_ARGUMENT(ctx, si)))
		futex_returns((int)ctx[1]);
}

HOOK("fentry", futex_enter)
{
	futex_enters(ctx, FIRST_TWIN);
}

HOOK("fentry", futex_enter_twin)
{
	futex_enters(ctx, SECOND_TWIN);
}

HOOK("fexit", futex_exit)
{
	futex_exits(ctx);
}

HOOK("fexit", futex_exit_twin)
{
	futex_exits(ctx);
}

HOOK("fentry", futex_restart_enter)
{
	futex_restart_enters(ctx, FIRST_TWIN);
}

HOOK("fentry", futex_restart_enter_twin)
{
	futex_restart_enters(ctx, SECOND_TWIN);
}

HOOK("fexit", futex_restart_exit)
{
	futex_returns((int)ctx[1]);
}

HOOK("fexit", futex_restart_exit_twin)
{
	futex_returns((int)ctx[1]);
}

/* To run twice, by both twins, does no harm. */
HOOK("fexit", futex_key)
{
	key_found(ctx);
}

HOOK("fexit", futex_key_twin)
{
	key_found(ctx);
}
